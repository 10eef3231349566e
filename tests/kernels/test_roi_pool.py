"""RoIPool's kernels against the reference: whole cells, ties, NaN, and who gets the gradient."""

import numpy as np
import pytest
import torch
from boxes import KINDS, draw
from numpy.testing import assert_allclose

from roilearn import kernels, ops, reference

CURVED = np.random.RandomState(0).randn(2, 3, 6, 9)


def tensors(device, *arrays):
    return [torch.tensor(array, device=device, dtype=torch.float32) for array in arrays]


def grad_output(output):
    return torch.tensor(np.random.RandomState(1).randn(*output.shape)).to(output)


def test_nan_is_never_the_maximum_and_the_first_of_equal_cells_gets_the_gradient(device):
    holes = np.where(np.random.RandomState(2).rand(*CURVED.shape) < 0.6, np.nan, CURVED.round())
    holes[0, 0, 2:4, 1:6] = -np.inf
    rois = draw("inside", 8, CURVED.shape)
    features, boxes = tensors(device, holes, rois)
    pooled = kernels.roi_pool(features.requires_grad_(), boxes, (3, 4))
    pooled.backward(grad_output(pooled))
    loop = reference.roi_pool(holes, rois.astype(float), (3, 4))
    assert np.isnan(loop).any()
    assert np.isneginf(loop).any()
    assert_allclose(pooled.detach().cpu(), loop, atol=0)
    same = features.detach().cpu().requires_grad_()
    ops.roi_pool(same, boxes.cpu(), (3, 4)).backward(grad_output(pooled).cpu())
    torch.testing.assert_close(features.grad.cpu(), same.grad)


def test_roi_pool_has_both_modes_and_takes_no_boxes_and_float64(device):
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
    winners = slope.detach() != 0  # d (max²)² = 2 for each bin whose maximum a cell is
    assert torch.equal(curvature != 0, winners)
    assert curvature.sum().item() == pytest.approx(2 * pooled.numel())


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_roi_pool_and_its_gradient_are_those_of_the_reference(device, layout):
    rois = np.concatenate([draw(kind, 1, CURVED.shape, 0.25) for kind in KINDS])
    features, boxes = tensors(device, CURVED, rois)
    features = features.to(memory_format=layout).requires_grad_()
    pooled = kernels.roi_pool(features, boxes, (3, 2), 0.25)
    pooled.backward(grad_output(pooled))
    rois = rois.astype(float)
    loop = reference.roi_pool(CURVED.astype(np.float32), rois, (3, 2), 0.25)
    assert_allclose(pooled.detach().cpu(), loop, atol=0)
    gradient = grad_output(pooled).cpu().double().numpy()
    spread = reference.roi_pool_backward(gradient, CURVED, rois, 0.25)
    assert_allclose(features.grad.cpu(), spread, atol=1e-5)
    assert features.grad.stride() == features.stride()
