"""RoIPool, position-sensitive RoIAlign and pooling from a pyramid, against the other tellings."""

import numpy as np
import pytest
import torch
from boxes import KINDS, draw
from numpy.testing import assert_allclose

from roilearn import kernels, ops, reference

STATE = np.random.RandomState(0)
CURVED = STATE.randn(2, 3, 6, 9)
SENSITIVE = STATE.randn(2, 12, 6, 9)
PYRAMID = [STATE.randn(2, 3, *size) for size in ((12, 18), (6, 9), (3, 5))]


def tensors(device, *arrays):
    return [torch.tensor(array, device=device, dtype=torch.float32) for array in arrays]


def arriving(output):
    return torch.tensor(np.random.RandomState(1).randn(*output.shape)).to(output)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_roi_pool_and_its_gradient_are_those_of_the_loops(device, layout):
    rois = np.concatenate([draw(kind, 1, CURVED.shape, 0.25) for kind in KINDS])
    features, boxes = tensors(device, CURVED, rois)
    features = features.to(memory_format=layout).requires_grad_()
    pooled = kernels.roi_pool(features, boxes, (3, 2), 0.25)
    pooled.backward(arriving(pooled))
    rois = rois.astype(float)
    loop = reference.roi_pool(CURVED.astype(np.float32), rois, (3, 2), 0.25)
    assert_allclose(pooled.detach().cpu(), loop, atol=0)
    paid = arriving(pooled).cpu().double().numpy()
    spread = reference.roi_pool_backward(paid, CURVED, rois, 0.25)
    assert_allclose(features.grad.cpu(), spread, atol=1e-5)
    assert features.grad.stride() == features.stride()


def test_nan_cells_win_nothing_equal_cells_pay_the_first_and_infinity_wins(device):
    holes = np.where(np.random.RandomState(2).rand(*CURVED.shape) < 0.6, np.nan, CURVED.round())
    holes[0, 0, 2:4, 1:6] = -np.inf
    rois = draw("inside", 8, CURVED.shape)
    features, boxes = tensors(device, holes, rois)
    pooled = kernels.roi_pool(features.requires_grad_(), boxes, (3, 4))
    pooled.backward(arriving(pooled))
    loop = reference.roi_pool(holes, rois.astype(float), (3, 4))
    assert np.isnan(loop).any()
    assert np.isneginf(loop).any()
    assert_allclose(pooled.detach().cpu(), loop, atol=0)
    same = features.detach().cpu().requires_grad_()
    ops.roi_pool(same, boxes.cpu(), (3, 4)).backward(arriving(pooled).cpu())
    torch.testing.assert_close(features.grad.cpu(), same.grad)


def test_roi_pool_knows_both_modes_no_boxes_and_float64(device):
    features, boxes = tensors(device, CURVED, draw("inside", 3, CURVED.shape))
    mean = kernels.roi_pool(features, boxes, 2, 1.0, "average")
    assert torch.equal(mean, ops.roi_pool(features, boxes, 2, 1.0, "average"))
    exact = kernels.roi_pool(features.double(), boxes, 2)
    torch.testing.assert_close(kernels.roi_pool(features, boxes, 2).double(), exact)
    pooled = kernels.roi_pool(features.requires_grad_(), boxes[:0], 2)
    (gradient,) = torch.autograd.grad(pooled.sum(), features)
    assert pooled.shape == (0, 3, 2, 2)
    assert not gradient.any()


def test_roi_pool_twice_differentiated(device):
    features, boxes = tensors(device, CURVED, draw("inside", 2, CURVED.shape))
    features.requires_grad_()
    pooled = kernels.roi_pool(features, boxes, 2)
    (slope,) = torch.autograd.grad(pooled.square().sum(), features, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), features)
    winners = slope.detach() != 0  # d (max²)² = 2 for each bin that a cell has won
    assert torch.equal(curvature != 0, winners)
    assert curvature.sum().item() == pytest.approx(2 * pooled.numel())


@pytest.mark.parametrize(("layout", "ratio"), [("contiguous_format", 2), ("channels_last", -1)])
def test_ps_roi_align_and_both_its_gradients(device, layout, ratio):
    rois = np.concatenate([draw(kind, 2, CURVED.shape) for kind in ("inside", "border")])
    answers = []
    for telling, place in ((kernels, device), (ops, "cpu")):
        features, boxes = tensors(place, SENSITIVE, rois)
        features = features.to(memory_format=getattr(torch, layout)).requires_grad_()
        pooled = telling.ps_roi_align(features, boxes.requires_grad_(), (3, 2), 1.0, ratio)
        pooled.backward(arriving(pooled))
        answers.append([t.cpu() for t in (pooled.detach(), features.grad, boxes.grad)])
    for ours, bags in zip(*answers, strict=True):
        torch.testing.assert_close(ours, bags, rtol=1e-5, atol=2e-5)


BOXES = [[0, 1, 1, 40, 30], [1, 5, 0, 150, 110], [0, 5, 9, 100, 70], [1, 70, 60, 20, 9]]


@pytest.mark.parametrize(("ratio", "deterministic"), [(2, True), (-1, True), (2, False)])
def test_a_pyramid_in_one_launch_and_its_gradients(device, ratio, deterministic):
    answers = []
    for telling, place in ((kernels, device), (ops, "cpu")):
        *maps, boxes = (t.requires_grad_() for t in tensors(place, *PYRAMID, BOXES))
        further = {} if telling is ops else {"deterministic": deterministic}
        scales = (1 / 8, 1 / 16, 1 / 32)
        options = {"aligned": True, "canonical_scale": 56, **further}
        pooled = telling.multi_scale_roi_align(maps, boxes, (2, 3), scales, ratio, **options)
        pooled.backward(arriving(pooled))
        answers.append([pooled.detach().cpu(), *(t.grad.cpu() for t in (*maps, boxes))])
    assert all(gradient.any() for gradient in answers[1])  # each level has a box
    for ours, bags in zip(*answers, strict=True):
        torch.testing.assert_close(ours, bags, rtol=1e-5, atol=2e-5)
