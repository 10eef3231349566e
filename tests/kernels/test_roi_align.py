"""RoIAlign's kernels: outputs and gradients are those of the reference."""

import numpy as np
import pytest
import torch
from boxes import KINDS, draw
from numpy.testing import assert_allclose

from roilearn import kernels, ops, reference

CURVED = np.random.RandomState(0).randn(2, 3, 5, 7)
SETTINGS = [((3, 2), 0.25, 2, True), ((1, 2), 1.0, -1, False), ((2, 1), 0.3, 1, False)]
ON_A_KINK = ("integer", "half", "quarter", "-1 edge", "size edge")
"""Boxes whose samples may fall on whole positions, or on the band's limit: no slope there."""


def tensors(device, *arrays, dtype=torch.float32):
    return [torch.tensor(array, device=device, dtype=dtype) for array in arrays]


def every_kind(scale):
    """A box of every kind: they meet in one tile, and lie in both images."""
    return np.concatenate([draw(kind, 1, CURVED.shape, scale) for kind in KINDS])


def output_and_gradients(implementation, features, boxes, size, *options, **further):
    """Output and both gradients, for a gradient that is the same every time."""
    features, boxes = (t.detach().clone().requires_grad_() for t in (features, boxes))
    output = implementation.roi_align(features, boxes, size, *options, **further)
    grad_output = np.random.RandomState(1).randn(*output.shape)
    output.backward(torch.tensor(grad_output, device=output.device, dtype=output.dtype))
    return output.detach(), features.grad, boxes.grad


@pytest.mark.parametrize("setting", SETTINGS)
def test_output_and_both_gradients_are_those_of_the_reference(device, setting):
    size, *options = setting
    rois = every_kind(options[0])
    output, grad_features, grad_boxes = output_and_gradients(
        kernels, *tensors(device, CURVED, rois), size, *options
    )
    rois = rois.astype(float)
    grad_output = np.random.RandomState(1).randn(*output.shape)
    assert_allclose(output.cpu(), reference.roi_align(CURVED, rois, size, *options), atol=2e-5)
    spread = reference.roi_align_backward(grad_output, CURVED, rois, *options)
    assert_allclose(grad_features.cpu(), spread, atol=2e-5)
    smooth = [k for k, kind in enumerate(KINDS) if kind not in ON_A_KINK]
    slopes = reference.roi_align_box_gradient(grad_output, CURVED, rois, *options)
    assert_allclose(grad_boxes.cpu()[smooth, 1:], slopes[smooth], atol=1e-4)
    assert not grad_boxes[:, 0].any()


@pytest.mark.parametrize("ratio", [2, -1])
def test_layout_and_order_of_sums_do_not_matter_beyond_rounding(device, ratio):
    rois = np.concatenate([draw(kind, 1, CURVED.shape) for kind in ("inside", "border")])
    features, boxes = tensors(device, CURVED, rois)
    plain = output_and_gradients(kernels, features, boxes, (2, 1), 1.0, ratio)
    last = features.to(memory_format=torch.channels_last)
    variants = ((last, True), (features, False), (last, False))
    for other, deterministic in variants if ratio > 0 else variants[:1]:
        answers = output_and_gradients(
            kernels, other, boxes, (2, 1), 1.0, ratio, deterministic=deterministic
        )
        for ours, same in zip(answers, plain, strict=True):
            torch.testing.assert_close(ours, same, rtol=1e-5, atol=1e-5)
        assert answers[1].stride() == other.stride()


def test_two_runs_give_the_same_bits(device):
    features, boxes = tensors(device, CURVED, draw("inside", 2, CURVED.shape))
    first, second = (output_and_gradients(kernels, features, boxes, 2, 1.0, 2) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_rounded_once_at_the_end(device, dtype):
    features, boxes = tensors(device, CURVED, draw("inside", 1, CURVED.shape))
    features = features.to(dtype)
    answers = output_and_gradients(kernels, features, boxes, 2, 1.0, 2, aligned=True)
    assert [answer.dtype for answer in answers] == [dtype, dtype, torch.float32]
    grad_output = np.random.RandomState(1).randn(*answers[0].shape)
    again = features.float().requires_grad_()
    exact = kernels.roi_align(again, boxes, 2, 1.0, 2, aligned=True)
    exact.backward(torch.tensor(grad_output, device=device, dtype=dtype).float())
    # The interpreter rounds to bfloat16 by cutting bits off.
    last_bit = 2**-7 if dtype == torch.bfloat16 and exact.device.type == "cpu" else 0
    for ours, rounded in ((answers[0], exact), (answers[1], again.grad)):
        torch.testing.assert_close(ours, rounded.to(dtype), rtol=last_bit, atol=0)


@pytest.mark.parametrize("deterministic", [True, False])
def test_small_gradients_of_half_precision_are_not_lost(device, deterministic):
    features = torch.zeros(1, 1, 1, 1, device=device, dtype=torch.float16, requires_grad=True)
    boxes = torch.tensor([[0.0, 0, 0, 1, 1]], device=device).expand(9, 5)
    pooled = kernels.roi_align(features, boxes, 1, 1.0, 1, deterministic=deterministic)
    grad_output = torch.tensor([2048.0] + [1] * 8, device=device).half().reshape(9, 1, 1, 1)
    (grad,) = torch.autograd.grad(pooled, features, grad_output)
    assert grad.item() == 2056  # half precision has no number between 2048 and 2050


def test_strided_features_and_a_strided_gradient(device):
    features, boxes = tensors(device, CURVED, draw("inside", 2, CURVED.shape))
    strided = features.transpose(2, 3).contiguous().transpose(2, 3)[:, ::2].requires_grad_()
    pooled = kernels.roi_align(strided, boxes, 2, 1.0, 1)
    torch.testing.assert_close(pooled, kernels.roi_align(features, boxes, 2, 1.0, 1)[:, ::2])
    (grad,) = torch.autograd.grad(pooled.sum(), strided)  # a gradient of strides 0
    torch.testing.assert_close(grad.sum(), pooled.new_tensor(float(pooled.numel())))


def test_many_bins_and_channels_take_several_programs(device):
    state = np.random.RandomState(2)
    features, boxes = tensors(device, state.randn(1, 40, 5, 20), [[0, 0.7, 0.4, 18.1, 4.2]])
    ours = output_and_gradients(kernels, features, boxes, (9, 8), 1.0, 1)
    theirs = output_and_gradients(ops, features.cpu(), boxes.cpu(), (9, 8), 1.0, 1)
    for mine, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.cpu(), expected, rtol=1e-4, atol=1e-4)


def test_out_and_memory_format(device):
    features, boxes = tensors(device, CURVED, draw("inside", 2, CURVED.shape))
    plain = kernels.roi_align(features, boxes, 2, 1.0, 1)
    last = kernels.roi_align(features, boxes, 2, 1.0, 1, memory_format=torch.channels_last)
    assert last.is_contiguous(memory_format=torch.channels_last)
    out = torch.empty_like(plain)
    assert kernels.roi_align(features, boxes, 2, 1.0, 1, out=out) is out
    assert torch.equal(out, plain)
    assert torch.equal(last, plain)


def test_no_boxes_give_no_rows_and_a_zero_gradient(device):
    (features,) = tensors(device, CURVED)
    features.requires_grad_()
    for boxes in (torch.zeros(0, 5, device=device), [torch.zeros(0, 4, device=device)] * 2):
        pooled = kernels.roi_align(features, boxes, (2, 3))
        assert pooled.shape == (0, 3, 2, 3)
        (gradient,) = torch.autograd.grad(pooled.sum(), features)
        assert not gradient.any()


def test_second_derivatives_are_those_of_ops(device):
    boxes = draw("inside", 2, CURVED.shape)

    def curvature(implementation, place):
        inputs = [t.requires_grad_() for t in tensors(place, CURVED, boxes)]
        output = implementation.roi_align(*inputs, 2, 1.0, 2)
        slopes = torch.autograd.grad(output.square().sum(), inputs, create_graph=True)
        return torch.autograd.grad(sum(slope.square().sum() for slope in slopes), inputs)

    for ours, expected in zip(curvature(kernels, device), curvature(ops, "cpu"), strict=True):
        torch.testing.assert_close(ours.cpu(), expected, rtol=1e-4, atol=1e-3)


def test_float64_and_many_samples_are_left_to_ops(device):
    rois = draw("inside", 2, CURVED.shape)
    features, boxes = tensors(device, CURVED, rois, dtype=torch.float64)
    exact = kernels.roi_align(features, boxes, 2)
    assert exact.dtype == torch.float64
    torch.testing.assert_close(exact, ops.roi_align(features, boxes, 2))
    single = kernels.roi_align(features.float(), boxes.float(), 2, 1.0, 40)
    torch.testing.assert_close(single, ops.roi_align(features.float(), boxes.float(), 2, 1.0, 40))
