"""Precise RoI Pooling in PyTorch: equal to the reference, with exact derivatives."""

import numpy as np
import pytest
import torch
from boxes import KINDS, draw
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from torch.autograd import gradcheck, gradgradcheck

from roilearn import ops, reference
from roilearn.ops.embedding_bags import memory

SHAPE = (2, 3, 9, 13)
CURVED = np.random.RandomState(0).randn(*SHAPE)
FEATURES = torch.tensor(CURVED)
SMALL = torch.tensor(np.random.RandomState(0).randn(2, 1, 5, 6))
SETTINGS = [((3, 2), 1.0), ((2, 5), 0.25), ((1, 4), 0.3)]
BOUNDS = {torch.float64: 1e-12, torch.float32: 1e-6, torch.float16: 2e-3, torch.bfloat16: 2e-2}


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_loop_and_so_are_both_gradients(kind, setting, aligned):
    size, scale = setting
    rois = draw(kind, 8, SHAPE, scale).astype(float)
    arriving = np.random.RandomState(1).randn(8, 3, *size)
    features, boxes = FEATURES.clone().requires_grad_(), torch.tensor(rois, requires_grad=True)
    pooled = ops.prroi_pool(features, boxes, size, scale, aligned)
    pooled.backward(torch.tensor(arriving))
    options = (scale, aligned)
    assert_allclose(pooled.detach(), reference.prroi_pool(CURVED, rois, size, *options), atol=1e-12)
    spread = reference.prroi_pool_backward(arriving, CURVED, rois, *options)
    assert_allclose(features.grad, spread, atol=1e-11)
    slopes = reference.prroi_pool_box_gradient(arriving, CURVED, rois, *options)
    assert_allclose(boxes.grad[:, 1:], slopes, atol=1e-9)


@pytest.mark.parametrize("aligned", [False, True])
def test_first_and_second_derivatives_to_features_and_boxes(aligned):
    boxes = torch.tensor([[0.83, 0.61, 4.37, 3.29], [1.17, 0.43, 4.71, 4.13]]).double()
    inputs = SMALL.clone().requires_grad_(), boxes.requires_grad_()
    pool = lambda x, b: ops.prroi_pool(x, [b, b[:1]], 2, 1.0, aligned)  # noqa: E731
    assert gradcheck(pool, inputs)
    assert gradgradcheck(pool, inputs)


def test_the_first_derivative_is_exact_on_whole_cells():
    boxes = torch.tensor([[1.0, 0, 4, 3], [0, 1, 3, 4]]).double().requires_grad_()
    assert gradcheck(
        lambda b: ops.prroi_pool(SMALL, [b, b[:1]], (3, 3)), boxes, atol=1e-4, eps=1e-5
    )


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("dtype", BOUNDS)
def test_error_of_each_dtype_is_bounded_by_the_largest_value(dtype, aligned):
    rois = torch.tensor(np.concatenate([draw(kind, 40, SHAPE) for kind in ("inside", "tiny")]))
    features = FEATURES.to(dtype)
    exact = ops.prroi_pool(features.double(), rois.double(), 3, 1.0, aligned)
    pooled = ops.prroi_pool(features, rois, 3, 1.0, aligned)
    assert pooled.dtype == dtype
    assert (pooled - exact).abs().max() <= BOUNDS[dtype] * features.abs().max()


@given(st.integers(0, 999), st.booleans())
def test_backward_is_the_transpose_of_forward(seed, aligned):
    state = np.random.RandomState(seed)
    features = torch.tensor(state.randn(*SHAPE), requires_grad=True)
    rois = torch.tensor(draw("border", 4, SHAPE, seed=seed)).double()
    pooled = ops.prroi_pool(features, rois, (2, 3), 1.0, aligned)
    arriving = torch.tensor(state.randn(*pooled.shape))
    (spread,) = torch.autograd.grad(pooled, features, arriving)
    torch.testing.assert_close((spread * features).sum(), (arriving * pooled).sum())


def test_pieces_threads_and_layouts_change_no_bit(monkeypatch):
    rois = torch.tensor(draw("inside", 50, SHAPE)).double()
    whole = ops.prroi_pool(FEATURES, rois, 3)
    for features in (
        FEATURES.to(memory_format=torch.channels_last),
        FEATURES.transpose(2, 3).contiguous().transpose(2, 3),
        FEATURES.repeat_interleave(2, 1)[:, ::2],
    ):
        assert torch.equal(ops.prroi_pool(features, rois, 3), whole)
    assert whole.is_contiguous()
    monkeypatch.setattr(memory, "CHUNK_ENTRIES", 100)
    threads = torch.get_num_threads()
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            assert torch.equal(ops.prroi_pool(FEATURES, rois, 3), whole)
    finally:
        torch.set_num_threads(threads)


def test_no_boxes_give_no_rows_and_a_zero_gradient():
    features = FEATURES.clone().requires_grad_()
    for boxes in (torch.zeros(0, 5), [torch.zeros(0, 4)] * 2):
        pooled = ops.prroi_pool(features, boxes, (2, 3))
        assert pooled.shape == (0, 3, 2, 3)
        (gradient,) = torch.autograd.grad(pooled.sum(), features)
        assert not gradient.any()


def test_a_box_of_no_area_gives_zero_and_passes_no_gradient():
    boxes = torch.tensor([[0.0, 2, 2, 2, 5], [0, 5, 5, 2, 2]], requires_grad=True)
    pooled = ops.prroi_pool(FEATURES.float(), boxes, 2)
    pooled.sum().backward()
    assert not pooled.any()
    assert not boxes.grad.any()


def test_a_box_wider_than_any_map_is_served():
    pooled = ops.prroi_pool(torch.ones(1, 1, 6, 8), torch.tensor([[0.0, -1e9, 0, 1e9, 5]]), 1)
    assert_allclose(pooled.item(), 8 / 2e9, rtol=1e-5)


def test_features_off_a_bin_do_not_reach_it():
    features = torch.full((1, 1, 6, 8), torch.nan)
    features[..., :5, :5] = 1
    assert_allclose(ops.prroi_pool(features, torch.tensor([[0.0, 1, 1, 4, 4]]), 2), 1)
    assert not ops.prroi_pool(features, torch.tensor([[0.0, 9, 9, 12, 12]]), 2).any()


def test_the_module_calls_it_and_writes_its_settings():
    module, rois = ops.PrRoIPool((2, 3), 0.5, aligned=True), torch.tensor(draw("inside", 5, SHAPE))
    expected = ops.prroi_pool(FEATURES, rois, (2, 3), 0.5, aligned=True)
    assert torch.equal(module(FEATURES, rois), expected)
    assert repr(module) == "PrRoIPool(output_size=(2, 3), spatial_scale=0.5, aligned=True)"
