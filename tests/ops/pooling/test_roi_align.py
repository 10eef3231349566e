"""RoIAlign in PyTorch: derivatives of all orders, dtypes, chunks of boxes, modules."""

import numpy as np
import pytest
import torch
import torchvision
from boxes import draw
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck

from roilearn import ops
from roilearn.ops.embedding_bags import memory

SHAPE = (2, 2, 5, 6)
CURVED = torch.tensor(np.random.RandomState(0).randn(*SHAPE))
# Inside, and away from kinks and from whole bin lengths, where there is no slope.
BOXES = torch.tensor([[0.83, 0.61, 4.37, 3.29], [1.17, 0.43, 4.71, 4.13]], dtype=torch.float64)
OPTIONS = [(ratio, aligned) for ratio in (1, 2, -1) for aligned in (False, True)]


def pool(features, boxes, ratio, aligned):
    return ops.roi_align(features, [boxes, boxes[:1]], (2, 3), 1.0, ratio, aligned)


@pytest.mark.parametrize(("ratio", "aligned"), OPTIONS)
def test_first_and_second_derivatives_to_features_and_boxes(ratio, aligned):
    inputs = CURVED.clone().requires_grad_(), BOXES.clone().requires_grad_()
    assert gradcheck(lambda x, b: pool(x, b, ratio, aligned), inputs)
    assert gradgradcheck(lambda x, b: pool(x, b, ratio, aligned), inputs)


@given(st.integers(0, 999), st.sampled_from(OPTIONS))
def test_backward_is_the_transpose_of_forward(seed, option):
    state = np.random.RandomState(seed)
    features = torch.tensor(state.randn(*SHAPE), requires_grad=True)
    rois = torch.tensor(draw("border", 4, SHAPE, seed=seed)).double()
    pooled = ops.roi_align(features, rois, (2, 3), 1.0, *option)
    arriving = torch.tensor(state.randn(*pooled.shape))
    (spread,) = torch.autograd.grad(pooled, features, arriving)
    torch.testing.assert_close((spread * features).sum(), (arriving * pooled).sum())


@given(st.integers(0, 999), st.sampled_from(OPTIONS), st.integers(0, 3), st.integers(0, 3))
def test_shifting_map_and_box_together_changes_nothing(seed, option, right, down):
    rois = torch.tensor(draw("inside", 4, SHAPE, seed=seed)).double()
    rois[:, 1:3] += 1
    rois[:, 3:] = torch.maximum(rois[:, 1:3] + 1.1, rois[:, 3:] - 1)
    inside = torch.nn.functional.pad(CURVED, (1, 3, 1, 3))
    shifted = torch.nn.functional.pad(inside, (right, 0, down, 0))
    moved = rois + torch.tensor([0, right, down, right, down])
    before = ops.roi_align(inside, rois, 2, 1.0, *option)
    torch.testing.assert_close(ops.roi_align(shifted, moved, 2, 1.0, *option), before)


@given(st.integers(0, 999), st.sampled_from(OPTIONS))
def test_a_constant_map_gives_the_constant(seed, option):
    rois = torch.tensor(draw("inside", 4, SHAPE, seed=seed)).double()
    pooled = ops.roi_align(torch.full(SHAPE, 4.5).double(), rois, (3, 2), 1.0, *option)
    torch.testing.assert_close(pooled, torch.full_like(pooled, 4.5))


BOUNDS = {torch.float64: 1e-12, torch.float32: 1e-6, torch.float16: 2e-3, torch.bfloat16: 2e-2}


@pytest.mark.parametrize(("ratio", "aligned"), OPTIONS)
@pytest.mark.parametrize("dtype", BOUNDS)
def test_error_of_each_dtype_is_bounded_by_the_largest_value(dtype, ratio, aligned):
    """Positions and weights stay in float32 or better; only features and sums are rounded."""
    rois = torch.tensor(draw("inside", 40, SHAPE))
    features = CURVED.to(dtype)
    exact = ops.roi_align(features.double(), rois.double(), 3, 1.0, ratio, aligned)
    pooled = ops.roi_align(features, rois, 3, 1.0, ratio, aligned)
    assert pooled.dtype == dtype
    assert (pooled - exact).abs().max() <= BOUNDS[dtype] * features.abs().max()


def test_half_precision_boxes_are_read_as_they_are_and_used_in_float32():
    rois = torch.tensor(draw("quarter", 20, SHAPE))
    pooled = ops.roi_align(CURVED.float(), rois.half(), 3, aligned=True)
    assert torch.equal(pooled, ops.roi_align(CURVED.float(), rois, 3, aligned=True))


@pytest.mark.parametrize("ratio", [2, -1])
def test_pieces_and_threads_change_no_bit(monkeypatch, ratio):
    rois = torch.tensor(draw("inside", 50, SHAPE)).double()
    whole = ops.roi_align(CURVED, rois, 3, 1.0, ratio)
    monkeypatch.setattr(memory, "CHUNK_ENTRIES", 100)
    assert torch.equal(ops.roi_align(CURVED, rois, 3, 1.0, ratio), whole)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2 if threads == 1 else 1)
        assert torch.equal(ops.roi_align(CURVED, rois, 3, 1.0, ratio), whole)
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("ratio", [2, -1])
def test_layout_of_the_features_does_not_matter(ratio):
    rois = torch.tensor(draw("inside", 9, SHAPE)).double()
    plain = ops.roi_align(CURVED, rois, 3, 1.0, ratio)
    for features in (
        CURVED.to(memory_format=torch.channels_last),
        CURVED.transpose(2, 3).contiguous().transpose(2, 3),
        CURVED.repeat_interleave(2, 1)[:, ::2],
    ):
        assert torch.equal(ops.roi_align(features, rois, 3, 1.0, ratio), plain)
        assert plain.is_contiguous()


def test_no_boxes_give_no_rows_and_a_zero_gradient():
    features = CURVED.clone().requires_grad_()
    for boxes in (torch.zeros(0, 5), [torch.zeros(0, 4)] * 2):
        for ratio in (2, -1):
            pooled = ops.roi_align(features, boxes, (2, 3), sampling_ratio=ratio)
            assert pooled.shape == (0, 2, 2, 3)
            (gradient,) = torch.autograd.grad(pooled.sum(), features)
            assert not gradient.any()


def test_module_has_torchvisions_constructor_call_and_repr():
    settings = ((2, 3), 0.5, 2, True)
    ours, theirs = ops.RoIAlign(*settings), torchvision.ops.RoIAlign(*settings)
    rois = torch.tensor(draw("inside", 5, SHAPE, 0.5))
    torch.testing.assert_close(ours(CURVED.float(), rois), theirs(CURVED.float(), rois))
    assert repr(ours) == repr(theirs)
    assert repr(ops.RoIPool(7, 0.5)) == repr(torchvision.ops.RoIPool(7, 0.5))
