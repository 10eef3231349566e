"""Crop and resize in PyTorch: equal to the reference; all derivatives, dtypes."""

import numpy as np
import pytest
import torch
from boxes import KINDS, draw
from numpy.testing import assert_allclose
from torch.autograd import gradcheck, gradgradcheck

from roilearn import ops, reference
from roilearn.ops.embedding_bags import memory

SHAPE = (2, 3, 9, 13)
CURVED = np.random.RandomState(0).randn(*SHAPE)
FEATURES = torch.tensor(CURVED)
SMALL = torch.tensor(np.random.RandomState(0).randn(2, 1, 5, 6))
SETTINGS = [((3, 2), 1.0), ((2, 5), 0.25), ((1, 4), 0.3)]
METHODS = ["bilinear", "nearest"]
BOUNDS = {torch.float64: 1e-12, torch.float32: 1e-6, torch.float16: 2e-3, torch.bfloat16: 2e-2}


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_the_loop_and_so_are_both_gradients(kind, setting, method, aligned):
    size, scale = setting
    rois = draw(kind, 8, SHAPE, scale).astype(float)
    arriving = np.random.RandomState(1).randn(8, 3, *size)
    features, boxes = FEATURES.clone().requires_grad_(), torch.tensor(rois, requires_grad=True)
    crop = ops.crop_and_resize(features, boxes, size, scale, method, -7.5, aligned)
    crop.backward(torch.tensor(arriving))
    loop = reference.crop_and_resize(CURVED, rois, size, scale, method, -7.5, aligned)
    assert_allclose(crop.detach(), loop, atol=1e-12)
    spread = reference.crop_and_resize_backward(arriving, CURVED, rois, scale, method, aligned)
    assert_allclose(features.grad, spread, atol=1e-11)
    if method == "bilinear":
        slopes = reference.crop_and_resize_box_gradient(arriving, CURVED, rois, scale, aligned)
        assert_allclose(boxes.grad[:, 1:], slopes, atol=1e-9)
    else:
        assert boxes.grad is None or not boxes.grad.any()


def in_tensorflows_words(image, normalised, box_indices, crop_size):
    """TensorFlow's arguments to ours, as the docstring says."""
    height, width = image.shape[1:3]
    cells = normalised[:, [1, 0, 3, 2]] * torch.tensor([width - 1, height - 1] * 2)
    boxes = torch.cat([box_indices[:, None], cells], dim=1)
    return ops.crop_and_resize(image.permute(0, 3, 1, 2), boxes, crop_size)


def test_tensorflows_arguments_convert_as_the_docstring_says():
    """The 5 x 5 ramp and the box from 0.2 to 0.6: 4.8 to 14.4; beside it a curved channel."""
    ramp = torch.arange(25.0).reshape(1, 5, 5, 1)
    image = torch.cat([ramp, ramp.square()], 3)
    boxes, index = torch.tensor([[0.2, 0.2, 0.6, 0.6]]), torch.zeros(1)
    crop = in_tensorflows_words(image, boxes, index, (4, 4))
    row = np.linspace(0.8, 2.4, 4)
    assert_allclose(crop[0, 0], 5 * row[:, None] + row, rtol=1e-6)
    assert_allclose(crop[0, 1, 0, 0], 0.8 * (0.8 * 36 + 0.2 * 25) + 0.2 * 0.8, rtol=1e-6)


@pytest.mark.parametrize("size", [(2, 3), (1, 4)])
def test_first_and_second_derivatives_to_features_and_boxes(size):
    boxes = torch.tensor([[0.83, 0.61, 4.37, 3.29], [4.71, 0.43, 1.17, 9.13]]).double()
    inputs = SMALL.clone().requires_grad_(), boxes.requires_grad_()
    crop = lambda x, b: ops.crop_and_resize(x, [b, b[:1]], size, 0.9)  # noqa: E731
    assert gradcheck(crop, inputs)
    assert gradgradcheck(crop, inputs)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", BOUNDS)
def test_error_of_each_dtype_is_bounded_by_the_largest_value(dtype, method):
    rois = torch.tensor(draw("inside", 40, SHAPE)) + torch.tensor([0, 0, 0, -1.0, -1])
    features = FEATURES.to(dtype)
    exact = ops.crop_and_resize(features.double(), rois.double(), 3, 1.0, method)
    crop = ops.crop_and_resize(features, rois, 3, 1.0, method)
    assert crop.dtype == dtype
    assert (crop - exact).abs().max() <= BOUNDS[dtype] * features.abs().max()


@pytest.mark.parametrize("method", METHODS)
def test_pieces_threads_and_layouts_change_no_bit(monkeypatch, method):
    rois = torch.tensor(draw("border", 50, SHAPE)).double()
    whole = ops.crop_and_resize(FEATURES, rois, 3, 1.0, method)
    for features in (
        FEATURES.to(memory_format=torch.channels_last),
        FEATURES.transpose(2, 3).contiguous().transpose(2, 3),
        FEATURES.repeat_interleave(2, 1)[:, ::2],
    ):
        assert torch.equal(ops.crop_and_resize(features, rois, 3, 1.0, method), whole)
    assert whole.is_contiguous()
    monkeypatch.setattr(memory, "CHUNK_ENTRIES", 100)
    threads = torch.get_num_threads()
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            assert torch.equal(ops.crop_and_resize(FEATURES, rois, 3, 1.0, method), whole)
    finally:
        torch.set_num_threads(threads)


def test_no_boxes_give_no_rows_and_a_zero_gradient():
    features = FEATURES.clone().requires_grad_()
    for boxes in (torch.zeros(0, 5), [torch.zeros(0, 4)] * 2):
        crop = ops.crop_and_resize(features, boxes, (2, 3))
        assert crop.shape == (0, 3, 2, 3)
        (gradient,) = torch.autograd.grad(crop.sum(), features)
        assert not gradient.any()
