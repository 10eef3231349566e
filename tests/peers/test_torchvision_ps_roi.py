"""Position-sensitive pooling against torchvision on the CPU, and the intended differences."""

import numpy as np
import pytest
import torch
import torchvision
from boxes import KINDS, draw

from roilearn import ops, reference

SHAPE = (2, 2 * 6, 9, 13)
BINS = (3, 2)
CURVED = np.random.RandomState(0).randn(*SHAPE).astype(np.float32)
SETTINGS = [(1.0, 2), (0.25, 1), (1 / 16, 3), (0.3, -1)]
NO_SAMPLES = ("zero", "inverted")  # kinds in which torchvision's adaptive sampling divides 0 by 0


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_align_agrees_on_300_boxes_except_where_torchvision_is_nan(kind, setting):
    rois = draw(kind, 300, SHAPE, setting[0])
    theirs = torchvision.ops.ps_roi_align(torch.tensor(CURVED), torch.tensor(rois), BINS, *setting)
    fast = ops.ps_roi_align(torch.tensor(CURVED), torch.tensor(rois), BINS, *setting)
    slow = torch.tensor(reference.ps_roi_align(CURVED, rois[:20], BINS, *setting))
    numbers = theirs.isfinite()
    assert numbers.all() or (setting[1] < 1 and kind.startswith(NO_SAMPLES))
    assert not fast[~numbers].any()
    bound = 1e-6 * np.abs(CURVED).max()
    torch.testing.assert_close(fast[numbers], theirs[numbers], rtol=0, atol=bound)
    torch.testing.assert_close(slow, fast[:20], rtol=0, atol=bound)


def test_a_box_of_no_size_is_nan_there_and_zero_here():
    rois = torch.tensor([[0.0, 3, 3, 3, 3]])
    theirs = torchvision.ops.ps_roi_align(torch.tensor(CURVED), rois, BINS)
    assert theirs.isnan().all()
    assert not ops.ps_roi_align(torch.tensor(CURVED), rois, BINS).any()


@pytest.mark.parametrize("setting", SETTINGS)
def test_gradient_of_align_agrees(setting):
    kinds = [kind for kind in KINDS if not kind.startswith(NO_SAMPLES)]
    rois = torch.tensor(np.concatenate([draw(k, 20, SHAPE, setting[0]) for k in kinds]))
    arriving = torch.tensor(np.random.RandomState(1).randn(len(rois), 2, *BINS)).float()
    gradients = []
    for module in (ops, torchvision.ops):
        features = torch.tensor(CURVED, requires_grad=True)
        module.ps_roi_align(features, rois, BINS, *setting).backward(arriving)
        gradients.append(features.grad)
    ours, theirs = gradients
    torch.testing.assert_close(ours, theirs, rtol=0, atol=6e-6 * theirs.abs().max().item())


@pytest.mark.parametrize("scale", [1.0, 1 / 16, 0.3])
@pytest.mark.parametrize("kind", KINDS)
def test_pool_agrees_on_300_boxes(kind, scale):
    rois = draw(kind, 300, SHAPE, scale)
    theirs = torchvision.ops.ps_roi_pool(torch.tensor(CURVED), torch.tensor(rois), BINS, scale)
    fast = ops.ps_roi_pool(torch.tensor(CURVED), torch.tensor(rois), BINS, scale)
    slow = torch.tensor(reference.ps_roi_pool(CURVED, rois[:60], BINS, scale))
    bound = 1e-6 * np.abs(CURVED).max()
    torch.testing.assert_close(fast, theirs, rtol=0, atol=bound)
    torch.testing.assert_close(slow, theirs[:60], rtol=0, atol=bound)


def test_torchvision_pays_cells_that_it_never_read_and_we_do_not():
    edge = torch.zeros(1, 1, 8, 8)
    edge[..., -1, :] = edge[..., -1] = 99
    whole = torch.tensor([[0.0, 0, 0, 8, 8]])
    gradients = {}
    for name, module, options in (
        ("theirs", torchvision.ops, {}),
        ("ours", ops, {}),
        ("ours, all cells", ops, {"read_last": True}),
    ):
        features = edge.clone().requires_grad_()
        pooled = module.ps_roi_pool(features, whole, 1, **options)
        pooled.sum().backward()
        gradients[name] = pooled.item(), features.grad[0, 0, -1].any().item()
    assert gradients == {
        "theirs": (0, True),
        "ours": (0, False),
        "ours, all cells": (pytest.approx(99 * 15 / 64), True),
    }


def test_inside_the_map_the_gradient_of_pool_agrees():
    rois = torch.tensor(draw("inside", 60, SHAPE))
    rois[:, 1:] = rois[:, 1:].clamp(max=8 - 1.6)
    gradients = []
    for module in (ops, torchvision.ops):
        features = torch.tensor(CURVED, requires_grad=True)
        module.ps_roi_pool(features, rois, BINS).square().sum().backward()
        gradients.append(features.grad)
    torch.testing.assert_close(*gradients, rtol=0, atol=2e-5)
