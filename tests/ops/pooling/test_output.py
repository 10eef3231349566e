"""The options `out` and `memory_format` of pooling operators."""

import numpy as np
import pytest
import torch
from boxes import draw

from roilearn import ops

SHAPE = (2, 5, 8, 9)
FEATURES = torch.tensor(np.random.RandomState(0).randn(*SHAPE))
ROIS = torch.tensor(np.concatenate([draw(k, 12, SHAPE) for k in ("inside", "border")])).double()
LAST = torch.channels_last


def align(features=FEATURES, ratio=2, **keywords):
    return ops.roi_align(features, ROIS, (3, 2), 1.0, ratio, True, **keywords)


def pyramid(features=FEATURES, ratio=2, **keywords):
    maps, scales = [features, features[..., ::2, ::2]], [1, 1 / 2]
    small = {"canonical_scale": 4, "canonical_level": 1}
    return ops.multi_scale_roi_align(maps, ROIS, (3, 2), scales, ratio, True, **small, **keywords)


@pytest.mark.parametrize("pool", [align, pyramid])
@pytest.mark.parametrize("ratio", [2, -1])
def test_the_same_numbers_wherever_they_go(pool, ratio):
    plain = pool(ratio=ratio)
    assert plain.is_contiguous()
    for layout in (torch.contiguous_format, LAST):
        into = torch.full_like(plain, torch.nan, memory_format=layout)
        assert pool(ratio=ratio, out=into) is into
        assert torch.equal(into, plain)
    by_cell = pool(ratio=ratio, memory_format=LAST)
    assert by_cell.is_contiguous(memory_format=LAST)
    assert torch.equal(by_cell, plain)


@pytest.mark.parametrize("pool", [align, pyramid])
def test_layouts_do_not_change_gradients_which_come_back_as_the_features_lie(pool):
    gradients = []
    arriving = torch.tensor(np.random.RandomState(1).randn(*align().shape))
    for layout in (torch.contiguous_format, LAST):
        features = FEATURES.clone(memory_format=layout).requires_grad_()
        pooled = pool(features, memory_format=layout)
        (gradient,) = torch.autograd.grad(pooled, features, arriving)
        gradients.append(gradient)
    assert torch.equal(*gradients)
    features = FEATURES.clone(memory_format=LAST).requires_grad_()
    (gradient,) = torch.autograd.grad(align(features, memory_format=LAST), features, arriving)
    assert gradient.is_contiguous(memory_format=LAST)


@pytest.mark.parametrize("pool", [align, pyramid])
def test_a_place_that_does_not_fit_is_named(pool):
    plain = pool()
    for into, message in (
        (plain[:-1], r"out must have shape \(24, 5, 3, 2\), torch.float64 on cpu.*got shape \(23,"),
        (plain.float(), r"out must have .*got shape \(24, 5, 3, 2\), torch.float32"),
        (plain.transpose(2, 3).contiguous().transpose(2, 3), "out must be contiguous or channels"),
        (plain.clone().requires_grad_(), "out must not require gradients"),
    ):
        with pytest.raises(ValueError, match=message):
            pool(out=into)
    with pytest.raises(TypeError, match="out must be a torch tensor; got list"):
        pool(out=[1.0])
    with pytest.raises(ValueError, match="out must be None while gradients are recorded"):
        pool(FEATURES.clone().requires_grad_(), out=torch.empty_like(plain))


def test_a_place_may_serve_call_after_call():
    into = torch.empty_like(align())
    align(FEATURES * 2, out=into)
    align(out=into)
    assert torch.equal(into, align())


def test_no_boxes_fill_nothing():
    into = torch.empty(0, 5, 3, 2).double()
    assert ops.roi_align(FEATURES, ROIS[:0], (3, 2), out=into) is into
