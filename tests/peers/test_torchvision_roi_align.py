"""RoIAlign against torchvision's CPU kernel: every kind of box, forward and backward.

The loops run on a tenth of the boxes; that the implementations agree on all of them is tested in
``tests/ops/pooling/test_implementations_agree.py``.
"""

import importlib
import inspect

import numpy as np
import pytest
import torch
import torchvision
from boxes import KINDS, draw

from roilearn import ops, reference

SETTINGS = [  # output size, spatial scale, sampling ratio
    ((3, 2), 1.0, 2),
    ((2, 5), 0.25, 1),
    ((7, 7), 1 / 16, 3),
    ((2, 3), 0.3, -1),
    ((4, 1), 1.0, 0),
]
RAISES = ("inverted x", "inverted y")  # adaptive and aligned: torchvision asks for a vast vector


def compare(curved, rois, setting, aligned, loops=30):
    size, scale, ratio = setting
    options = (size, scale, ratio, aligned)
    theirs = torchvision.ops.roi_align(torch.tensor(curved), torch.tensor(rois), *options).numpy()
    fast = ops.roi_align(torch.tensor(curved), torch.tensor(rois), *options).numpy()
    slow = reference.roi_align(curved, rois[:loops], *options)
    bound = 1e-6 * np.abs(curved).max()
    np.testing.assert_allclose(fast, theirs, rtol=0, atol=bound)
    np.testing.assert_allclose(slow, theirs[:loops], rtol=0, atol=bound)


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_forward_agrees_on_300_boxes(curved, kind, setting, aligned):
    rois = draw(kind, 300, curved.shape, setting[1])
    if aligned and setting[2] < 1 and kind in RAISES:
        with pytest.raises(ValueError, match="vector"):
            compare(curved, rois, setting, aligned)
        pooled = ops.roi_align(torch.tensor(curved), torch.tensor(rois), *setting, aligned)
        assert not pooled.any()
        assert not reference.roi_align(curved, rois[:30], *setting, aligned).any()
    else:
        compare(curved, rois, setting, aligned)


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("setting", SETTINGS)
def test_gradient_to_the_features_agrees(curved, setting, aligned):
    kinds = [k for k in KINDS if k not in RAISES]
    rois = torch.tensor(np.concatenate([draw(k, 20, curved.shape, setting[1]) for k in kinds]))
    arriving = torch.tensor(np.random.RandomState(1).randn(len(rois), 3, *setting[0]))
    gradients = []
    for operator in (ops.roi_align, torchvision.ops.roi_align):
        features = torch.tensor(curved, requires_grad=True)
        operator(features, rois, *setting, aligned).backward(arriving.float())
        gradients.append(features.grad)
    ours, theirs = gradients
    # torchvision adds up every sample, and is off by up to 4e-6 of the largest sum itself.
    torch.testing.assert_close(ours, theirs, rtol=0, atol=6e-6 * theirs.abs().max().item())
    few = slice(None, None, 10)
    slow = reference.roi_align_backward(
        arriving[few].numpy(), curved, rois[few].numpy(), *setting[1:], aligned
    )
    features = torch.tensor(curved, requires_grad=True)
    pooled = torchvision.ops.roi_align(features, rois[few], *setting, aligned)
    pooled.backward(arriving[few].float())
    np.testing.assert_allclose(slow, features.grad, rtol=0, atol=2e-5)


def test_double_precision_agrees_to_double_precision(curved):
    rois = np.concatenate([draw(kind, 30, curved.shape) for kind in KINDS if kind not in RAISES])
    features, boxes = torch.tensor(curved).double(), torch.tensor(rois).double()
    for setting in SETTINGS:
        for aligned in (False, True):
            ours = ops.roi_align(features, boxes, *setting, aligned)
            theirs = torchvision.ops.roi_align(features, boxes, *setting, aligned)
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("aligned", [False, True])
def test_boxes_come_as_a_list_too(curved, aligned):
    features = torch.tensor(curved)
    rois = torch.tensor(draw("inside", 20, curved.shape))
    boxes = [rois[rois[:, 0] == image, 1:] for image in range(2)]
    ours = ops.roi_align(features, boxes, 3, aligned=aligned)
    theirs = torchvision.ops.roi_align(features, boxes, 3, aligned=aligned)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=4e-6)


def test_torchvision_gives_the_boxes_no_gradient_and_we_do(curved):
    for operator, has_one in ((torchvision.ops.roi_align, False), (ops.roi_align, True)):
        features = torch.tensor(curved, requires_grad=True)
        rois = torch.tensor(draw("inside", 5, curved.shape), requires_grad=True)
        operator(features, rois, 2, sampling_ratio=2, aligned=True).sum().backward()
        assert (rois.grad is not None) is has_one


@pytest.mark.parametrize("aligned", [False, True])
def test_box_gradient_is_that_of_torchvisions_differentiable_path(curved, aligned):
    """Its Python path, used where determinism is asked for on a GPU; boxes inside the map."""
    python_path = inspect.unwrap(importlib.import_module("torchvision.ops.roi_align")._roi_align)
    features = torch.tensor(curved).double()
    boxes = torch.tensor(draw("inside", 20, curved.shape)).double()
    ours, theirs = boxes.clone().requires_grad_(), boxes.clone().requires_grad_()
    ops.roi_align(features, ours, (2, 3), 1.0, 2, aligned).square().sum().backward()
    python_path(features, theirs, 1.0, 2, 3, 2, aligned).square().sum().backward()
    torch.testing.assert_close(ours.grad[:, 1:], theirs.grad[:, 1:], rtol=1e-9, atol=1e-9)
