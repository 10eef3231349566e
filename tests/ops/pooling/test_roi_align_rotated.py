"""Rotated RoIAlign in PyTorch: equal to the reference; quarter turns, derivatives, dtypes."""

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
SETTINGS = [((3, 2), 1.0, 2), ((2, 5), 0.25, 1), ((2, 3), 0.3, -1), ((1, 4), 1.0, 3)]
BOUNDS = {torch.float64: 1e-12, torch.float32: 2e-6, torch.float16: 2e-3, torch.bfloat16: 2e-2}


def turn(rois, seed=3):
    """(K, 5) boxes as (K, 6) rotated ones of the same size, at angles drawn from the seed."""
    image, x1, y1, x2, y2 = rois.astype(float).T
    angle = np.random.RandomState(seed).uniform(-200, 200, len(rois))
    box = [(x1 + x2) / 2, (y1 + y2) / 2, np.abs(x2 - x1), np.abs(y2 - y1)]
    return np.stack([image, *box, angle], 1)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_loop_and_so_are_both_gradients(kind, setting):
    size, scale, ratio = setting
    rois = turn(draw(kind, 8, SHAPE, scale))
    arriving = np.random.RandomState(1).randn(8, 3, *size)
    features, boxes = FEATURES.clone().requires_grad_(), torch.tensor(rois, requires_grad=True)
    pooled = ops.roi_align_rotated(features, boxes, size, scale, ratio)
    pooled.backward(torch.tensor(arriving))
    loop = reference.roi_align_rotated(CURVED, rois, size, scale, ratio)
    assert_allclose(pooled.detach(), loop, atol=1e-12)
    spread = reference.roi_align_rotated_backward(arriving, CURVED, rois, scale, ratio)
    assert_allclose(features.grad, spread, atol=1e-11)
    slopes = reference.roi_align_rotated_box_gradient(arriving, CURVED, rois, scale, ratio)
    assert_allclose(boxes.grad[:, 1:], slopes, atol=1e-9)


@pytest.mark.parametrize("ratio", [-1, 1, 2, 3])
def test_without_a_turn_it_is_aligned_roi_align(ratio):
    rois = np.concatenate([draw(kind, 30, SHAPE) for kind in ("inside", "border", "huge")])
    rotated = turn(rois)
    rotated[:, 5] = 0
    plain = ops.roi_align(FEATURES, torch.tensor(rois).double(), (3, 2), 1.0, ratio, aligned=True)
    turned = ops.roi_align_rotated(FEATURES, torch.tensor(rotated), (3, 2), 1.0, ratio)
    torch.testing.assert_close(turned, plain, rtol=0, atol=1e-9)


@given(st.integers(0, 999), st.sampled_from([1, 2, -1]))
def test_a_quarter_turn_of_map_and_box_changes_nothing(seed, ratio):
    square = FEATURES[..., :9]
    rois = torch.tensor(turn(draw("inside", 6, square.shape, seed=seed), seed))
    before = ops.roi_align_rotated(square, rois, (2, 3), 1.0, ratio)
    image, x, y, width, height, angle = rois.unbind(1)
    moved = torch.stack([image, y, 9 - x, width, height, angle + 90], 1)
    after = ops.roi_align_rotated(square.rot90(1, (2, 3)), moved, (2, 3), 1.0, ratio)
    torch.testing.assert_close(after, before, rtol=0, atol=1e-9)


@pytest.mark.parametrize("ratio", [1, 2, -1])
def test_first_and_second_derivatives_to_features_and_boxes(ratio):
    boxes = [[2.83, 2.61, 3.37, 2.29, 31], [3.17, 2.43, 2.71, 1.13, -75]]
    inputs = SMALL.clone().requires_grad_(), torch.tensor(boxes).double().requires_grad_()
    pool = lambda x, b: ops.roi_align_rotated(x, [b, b[:1]], 2, 1.0, ratio)  # noqa: E731
    assert gradcheck(pool, inputs)
    assert gradgradcheck(pool, inputs)


@pytest.mark.parametrize("ratio", [2, -1])
@pytest.mark.parametrize("dtype", BOUNDS)
def test_error_of_each_dtype_is_bounded_by_the_largest_value(dtype, ratio):
    rois = torch.tensor(turn(draw("inside", 40, SHAPE))).float()
    features = FEATURES.to(dtype)
    exact = ops.roi_align_rotated(features.double(), rois.double(), 3, 1.0, ratio)
    pooled = ops.roi_align_rotated(features, rois, 3, 1.0, ratio)
    assert pooled.dtype == dtype
    assert (pooled - exact).abs().max() <= BOUNDS[dtype] * features.abs().max()


@pytest.mark.parametrize("ratio", [2, -1])
def test_pieces_threads_and_layouts_change_no_bit_of_output_and_gradients(monkeypatch, ratio):
    rois = torch.tensor(turn(draw("inside", 300, SHAPE))).float()

    def answers(features):
        inputs = features.detach().requires_grad_(), rois.clone().requires_grad_()
        pooled = ops.roi_align_rotated(*inputs, 7, 1.0, ratio)
        return pooled, *torch.autograd.grad(pooled.square().sum(), inputs)

    whole = answers(FEATURES.float())
    monkeypatch.setattr(memory, "CHUNK_ENTRIES", 1000)
    threads = torch.get_num_threads()
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            for features in (
                FEATURES.float(),
                FEATURES.float().to(memory_format=torch.channels_last),
            ):
                for ours, expected in zip(answers(features), whole, strict=True):
                    assert torch.equal(ours, expected)
    finally:
        torch.set_num_threads(threads)
    assert whole[0].is_contiguous()


def test_no_boxes_give_no_rows_and_a_zero_gradient():
    features = FEATURES.clone().requires_grad_()
    for boxes in (torch.zeros(0, 6), [torch.zeros(0, 5)] * 2):
        for ratio in (2, -1):
            pooled = ops.roi_align_rotated(features, boxes, (2, 3), 1.0, ratio)
            assert pooled.shape == (0, 3, 2, 3)
            (gradient,) = torch.autograd.grad(pooled.sum(), features)
            assert not gradient.any()


def test_boxes_come_as_a_list_too():
    rois = torch.tensor(turn(draw("inside", 20, SHAPE)))
    rois = rois[rois[:, 0].argsort(stable=True)]
    boxes = [rois[rois[:, 0] == image, 1:] for image in range(2)]
    pooled = ops.roi_align_rotated(FEATURES, boxes, 3)
    assert torch.equal(pooled, ops.roi_align_rotated(FEATURES, rois, 3))
    arrays = [image.numpy() for image in boxes]
    assert_allclose(reference.roi_align_rotated(CURVED, arrays, 3), pooled, atol=1e-12)


def test_the_module_calls_it_and_writes_its_settings():
    module, rois = ops.RoIAlignRotated((2, 3), 0.5, 2), torch.tensor(turn(draw("inside", 5, SHAPE)))
    expected = ops.roi_align_rotated(FEATURES, rois, (2, 3), 0.5, 2)
    assert torch.equal(module(FEATURES, rois), expected)
    words = "RoIAlignRotated(output_size=(2, 3), spatial_scale=0.5, sampling_ratio=2)"
    assert repr(module) == words
