"""Position-sensitive pooling: laws, derivatives, both implementations, invalid arguments."""

import numpy as np
import pytest
import torch
import torchvision
from boxes import KINDS, draw
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from torch.autograd import gradcheck, gradgradcheck

from roilearn import ops, reference

BINS = (2, 3)
SHAPE = (2, 2 * 6, 7, 9)
CURVED = np.random.RandomState(0).randn(*SHAPE)
SETTINGS = [(1.0, 2), (0.3, -1), (0.25, 1), (1.0, 3)]
POOLS = {
    "align, fixed": lambda implementation, x, b, scale: implementation.ps_roi_align(
        x, b, BINS, scale, 2
    ),
    "align, adaptive": lambda implementation, x, b, scale: implementation.ps_roi_align(
        x, b, BINS, scale, -1
    ),
    "pool": lambda implementation, x, b, scale: implementation.ps_roi_pool(x, b, BINS, scale),
    "pool, all cells": lambda implementation, x, b, scale: implementation.ps_roi_pool(
        x, b, BINS, scale, True
    ),
}


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_align_and_its_gradient_are_those_of_the_loop(kind, setting):
    rois = draw(kind, 8, SHAPE, setting[0]).astype(float)
    arriving = np.random.RandomState(1).randn(8, 2, *BINS)
    features = torch.tensor(CURVED, requires_grad=True)
    pooled = ops.ps_roi_align(features, torch.tensor(rois), BINS, *setting)
    pooled.backward(torch.tensor(arriving))
    assert_allclose(
        pooled.detach(), reference.ps_roi_align(CURVED, rois, BINS, *setting), atol=1e-12
    )
    spread = reference.ps_roi_align_backward(arriving, CURVED, rois, *setting)
    assert_allclose(features.grad, spread, atol=1e-11)


@pytest.mark.parametrize("read_last", [False, True])
@pytest.mark.parametrize("scale", [1.0, 1 / 16, 0.3])
@pytest.mark.parametrize("kind", KINDS)
def test_pool_and_its_gradient_are_those_of_the_loop(kind, scale, read_last):
    rois = draw(kind, 20, SHAPE, scale).astype(float)
    arriving = np.random.RandomState(1).randn(20, 2, *BINS)
    features = torch.tensor(CURVED, requires_grad=True)
    pooled = ops.ps_roi_pool(features, torch.tensor(rois), BINS, scale, read_last)
    pooled.backward(torch.tensor(arriving))
    loop = reference.ps_roi_pool(CURVED, rois, BINS, scale, read_last)
    assert_allclose(pooled.detach(), loop, atol=1e-12)
    spread = reference.ps_roi_pool_backward(arriving, CURVED, rois, scale, read_last)
    assert_allclose(features.grad, spread, atol=1e-11)


@pytest.mark.parametrize("ratio", [2, -1])
def test_every_bin_is_that_of_roi_align_in_its_own_channels(ratio):
    rois = draw("border", 20, SHAPE).astype(float)
    pooled = ops.ps_roi_align(torch.tensor(CURVED), torch.tensor(rois), BINS, 1.0, ratio)
    plain = ops.roi_align(torch.tensor(CURVED), torch.tensor(rois), BINS, 1.0, ratio, True)
    for i, j in np.ndindex(*BINS):
        own = slice(i * BINS[1] + j, None, BINS[0] * BINS[1])
        torch.testing.assert_close(pooled[:, :, i, j], plain[:, own, i, j])


@given(st.integers(0, 999), st.sampled_from(list(POOLS)))
def test_backward_is_the_transpose_of_forward(seed, name):
    state = np.random.RandomState(seed)
    rois = np.concatenate([draw(kind, 3, SHAPE, seed=seed) for kind in ("border", "full")])
    features = torch.tensor(state.randn(*SHAPE), requires_grad=True)
    pooled = POOLS[name](ops, features, torch.tensor(rois).double(), 1.0)
    arriving = torch.tensor(state.randn(*pooled.shape))
    (spread,) = torch.autograd.grad(pooled, features, arriving)
    torch.testing.assert_close((spread * features).sum(), (arriving * pooled).sum())


@pytest.mark.parametrize("ratio", [2, -1])
def test_derivatives_to_features_and_boxes(ratio):
    features = torch.tensor(CURVED[:1, :4, :5, :6], requires_grad=True)
    boxes = torch.tensor([[0.83, 0.61, 4.37, 3.29], [1.17, 0.43, 4.71, 4.13]]).double()

    def pool(x, b):
        return ops.ps_roi_align(x, [b], 2, 1.0, ratio)

    assert gradcheck(pool, (features, boxes.requires_grad_()))
    assert gradgradcheck(pool, (features, boxes))


@pytest.mark.parametrize("read_last", [False, True])
def test_rounded_boxes_have_no_gradient_and_the_features_have_both(read_last):
    features = torch.tensor(CURVED[:1, :4, :5, :6], requires_grad=True)
    rois = torch.tensor([[0, 0.7, 0.7, 5.6, 4.6]]).double().requires_grad_()

    def pool(x):
        return ops.ps_roi_pool(x, rois, 2, 1.0, read_last)

    assert gradcheck(pool, features)
    assert gradgradcheck(pool, features)
    pool(features).sum().backward()
    assert rois.grad is None


@pytest.mark.parametrize("name", POOLS)
def test_layout_threads_and_boxes_in_any_number(name):
    rois = torch.tensor(np.concatenate([draw(k, 9, SHAPE) for k in ("inside", "border")])).double()
    features, threads = torch.tensor(CURVED), torch.get_num_threads()
    plain = POOLS[name](ops, features, rois, 1.0)
    last = features.to(memory_format=torch.channels_last)
    assert torch.equal(POOLS[name](ops, last, rois, 1.0), plain)
    try:
        torch.set_num_threads(2 if threads == 1 else 1)
        assert torch.equal(POOLS[name](ops, features, rois, 1.0), plain)
    finally:
        torch.set_num_threads(threads)
    assert POOLS[name](ops, features, rois[:0], 1.0).shape == (0, 2, *BINS)


BOUNDS = {torch.float64: 1e-12, torch.float32: 1e-6, torch.float16: 2e-3, torch.bfloat16: 2e-2}


@pytest.mark.parametrize("dtype", BOUNDS)
@pytest.mark.parametrize("name", POOLS)
def test_error_of_each_dtype_is_bounded_by_the_largest_value(name, dtype):
    rois, features = torch.tensor(draw("inside", 40, SHAPE)), torch.tensor(CURVED).to(dtype)
    exact = POOLS[name](ops, features.double(), rois.double(), 1.0)
    pooled = POOLS[name](ops, features, rois, 1.0)
    assert pooled.dtype == dtype
    assert (pooled - exact).abs().max() <= BOUNDS[dtype] * features.abs().max()


@pytest.mark.parametrize("name", ["ps_roi_align", "ps_roi_pool"])
def test_channels_must_divide_among_the_bins(name):
    message = r"input must have a multiple of 9 channels, .* 3 x 3 bins .*; got 12 channels"
    rois = draw("inside", 2, SHAPE)
    with pytest.raises(ValueError, match=message):
        getattr(reference, name)(CURVED, rois, 3)
    with pytest.raises(ValueError, match=message):
        getattr(ops, name)(torch.tensor(CURVED), torch.tensor(rois), 3)


def test_modules_have_torchvisions_constructor_and_repr():
    features, rois = torch.tensor(CURVED).float(), torch.tensor(draw("inside", 5, SHAPE, 0.5))
    for name, settings in (("PSRoIAlign", (BINS, 0.5, 2)), ("PSRoIPool", (BINS, 0.5))):
        ours, theirs = (getattr(module, name)(*settings) for module in (ops, torchvision.ops))
        torch.testing.assert_close(ours(features, rois), theirs(features, rois), rtol=0, atol=4e-6)
        assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("name", ["ps_roi_align", "ps_roi_pool"])
def test_a_batch_without_images(name):
    none = torch.zeros(0, 8, 5, 5, requires_grad=True)
    for boxes in (torch.zeros(0, 5), []):
        pooled = getattr(ops, name)(none, boxes, 2)
        assert pooled.shape == (0, 2, 2, 2)
        assert torch.autograd.grad(pooled.sum(), none)[0].shape == none.shape
