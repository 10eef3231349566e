"""RoIPool against torchvision's CPU kernel: equal outputs and equal argmax."""

import numpy as np
import pytest
import torch
import torchvision
from boxes import KINDS, draw

from roilearn import ops, reference

SETTINGS = [((3, 2), 1.0), ((7, 7), 1 / 16), ((2, 5), 0.3)]


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_forward_is_equal_on_300_boxes(curved, kind, setting):
    rois = draw(kind, 300, curved.shape, setting[1])
    theirs = torchvision.ops.roi_pool(torch.tensor(curved), torch.tensor(rois), *setting)
    fast = ops.roi_pool(torch.tensor(curved), torch.tensor(rois), *setting)
    slow = reference.roi_pool(curved, rois[:60], *setting)
    assert torch.equal(fast, theirs)
    np.testing.assert_array_equal(slow, theirs[:60])


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("setting", SETTINGS)
def test_the_same_cells_win_ties_included(curved, setting, tied):
    values = curved.round() if tied else curved
    rois = np.concatenate([draw(kind, 12, curved.shape, setting[1]) for kind in KINDS])
    arriving = np.random.RandomState(1).randint(-9, 9, (len(rois), 3, *setting[0]))
    gradients = []
    for operator in (ops.roi_pool, torchvision.ops.roi_pool):
        features = torch.tensor(values, requires_grad=True)
        operator(features, torch.tensor(rois), *setting).backward(torch.tensor(arriving).float())
        gradients.append(features.grad.numpy())
    slow = reference.roi_pool_backward(arriving.astype("f"), values, rois, setting[1])
    np.testing.assert_array_equal(gradients[0], gradients[1])
    np.testing.assert_array_equal(slow, gradients[1])


def test_nan_cells_are_passed_over_as_the_kernel_does(curved):
    """Where a bin holds numbers. One of nothing but NaN is NaN here, -3.4e38 there."""
    values = curved.copy()
    values[np.random.RandomState(2).rand(*values.shape) < 0.3] = np.nan
    rois = draw("inside", 100, curved.shape)
    theirs = torchvision.ops.roi_pool(torch.tensor(values), torch.tensor(rois), (3, 2)).numpy()
    nothing_but_nan = theirs < -1e38
    assert nothing_but_nan.any()
    for pooled in (
        ops.roi_pool(torch.tensor(values), torch.tensor(rois), (3, 2)).numpy(),
        reference.roi_pool(values, rois, (3, 2)),
    ):
        np.testing.assert_array_equal(pooled[~nothing_but_nan], theirs[~nothing_but_nan])
        assert np.isnan(pooled[nothing_but_nan]).all()
