"""Multi-scale RoIAlign and level assignment against torchvision's."""

import numpy as np
import pytest
import torch
import torchvision
from boxes import KINDS, draw
from torchvision.ops.poolers import LevelMapper

from roilearn import ops, reference

SHAPES = [(2, 3, 40, 56), (2, 3, 20, 28), (2, 3, 10, 14), (2, 3, 5, 7)]
IMAGE = (160, 224)
MAPS = [np.random.RandomState(n).randn(*s).astype(np.float32) for n, s in enumerate(SHAPES)]
SMALL = {"canonical_scale": 64, "canonical_level": 4}
NAMES = [str(number) for number in range(len(MAPS))]
NO_LEVEL = ("inverted x", "inverted y")
"""A negative area has no root: torchvision finds no level for such a box, and answers zeros."""


def both(kind, ratio, count=200):
    rois = draw(kind, count, SHAPES[0], 1 / 4)
    boxes = [torch.tensor(rois[rois[:, 0] == image, 1:]) for image in range(2)]
    outputs = []
    for module in (ops, torchvision.ops):
        maps = {name: torch.tensor(m) for name, m in zip(NAMES, MAPS, strict=True)}
        for features in maps.values():
            features.requires_grad_()
        pooled = module.MultiScaleRoIAlign(NAMES, (3, 2), ratio, **SMALL)(maps, boxes, [IMAGE] * 2)
        arriving = torch.tensor(np.random.RandomState(1).randn(*pooled.shape)).float()
        outputs.append([pooled.detach(), *torch.autograd.grad(pooled, maps.values(), arriving)])
    return boxes, outputs


@pytest.mark.parametrize("ratio", [2, -1])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in NO_LEVEL])
def test_forward_and_backward_agree_on_200_boxes(kind, ratio):
    _, (ours, theirs) = both(kind, ratio)
    largest = max(np.abs(m).max() for m in MAPS)
    torch.testing.assert_close(ours[0], theirs[0], rtol=0, atol=1e-6 * largest)
    for mine, other in zip(ours[1:], theirs[1:], strict=True):
        bound = 6e-6 * max(other.abs().max().item(), 1)
        torch.testing.assert_close(mine, other, rtol=0, atol=bound)


@pytest.mark.parametrize("kind", NO_LEVEL)
def test_a_box_inverted_along_one_axis_reads_the_first_map_and_gets_zeros_there(kind):
    boxes, (ours, theirs) = both(kind, 2)
    assert not theirs[0].any()
    first = ops.roi_align(torch.tensor(MAPS[0]), boxes, (3, 2), 1 / 4, 2)
    torch.testing.assert_close(ours[0], first)
    assert first.any()


def test_levels_are_torchvisions_to_the_last_bit():
    sides = 2 ** np.linspace(0, 12, 20001)
    boxes = np.stack([0 * sides, 0 * sides, sides, sides], 1).astype(np.float32)
    near = 224 * 2.0 ** np.arange(-3, 4)[:, None] * (1 + 1e-7 * np.arange(-20, 21))
    near = np.stack([0 * near.ravel(), 0 * near.ravel(), near.ravel(), near.ravel()], 1)
    boxes = np.concatenate([boxes, near.astype(np.float32)])
    theirs = LevelMapper(2, 5)([torch.tensor(boxes)]) + 2
    assert torch.equal(ops.assign_levels(torch.tensor(boxes)), theirs)
    np.testing.assert_array_equal(reference.assign_levels(boxes), theirs)


def test_a_missing_level_gives_zeros_there_and_the_last_map_here():
    maps = {"1": torch.ones(1, 1, 28, 28), "3": torch.ones(1, 1, 7, 7)}  # strides 8 and 32
    boxes = [torch.tensor([[0.0, 0, 200, 200]])]  # level 5 of levels 3 and 5
    options = {"canonical_scale": 100, "canonical_level": 4}
    ours, theirs = (
        module.MultiScaleRoIAlign(["1", "3"], 2, 2, **options)(maps, boxes, [(224, 224)])
        for module in (ops, torchvision.ops)
    )
    assert not theirs.any()
    assert torch.equal(ours, torch.ones(1, 1, 2, 2))
