"""Masks against torchvision: boxes around masks, and pasting, bit for bit."""

import numpy as np
import pytest
import torch
import torchvision
from torchvision.models.detection.roi_heads import paste_masks_in_image as pasted_by_torchvision

from roilearn import ops, reference

SIZE = (41, 57)


def drawn(count, low, high, seed=0):
    """Random masks of 28 x 28; boxes with sides from ``low`` to ``high``, some partly outside."""
    state = np.random.RandomState(seed)
    first = state.uniform(-5 if low else 0, 30, (count, 2))
    boxes = np.hstack([first, first + state.uniform(low, high, (count, 2))])
    return torch.tensor(state.rand(count, 1, 28, 28)).float(), torch.tensor(boxes).float()


@pytest.mark.parametrize("padding", [0, 1, 2])
@pytest.mark.parametrize("sides", [(0, 2), (2, 20), (20, 60)])
def test_pasted_values_and_booleans(sides, padding):
    masks, boxes = drawn(30, *sides)
    theirs = pasted_by_torchvision(masks, boxes, SIZE, padding)
    assert torch.equal(ops.paste_masks_in_image(masks, boxes, SIZE, padding), theirs)
    ours = ops.paste_masks_in_image(masks, boxes, SIZE, padding, threshold=0.5)
    assert torch.equal(ours, theirs > 0.5)
    assert theirs.count_nonzero() > 0


@pytest.mark.parametrize("side", [1, 14, 27])
def test_masks_of_another_side(side):
    masks, boxes = drawn(10, 3, 40)
    masks = masks[..., :side, :side]
    theirs = pasted_by_torchvision(masks, boxes, SIZE)
    assert torch.equal(ops.paste_masks_in_image(masks, boxes, SIZE), theirs)


def test_gradients_to_masks():
    masks, boxes = drawn(10, 3, 40)
    slopes = []
    for paste in (ops.paste_masks_in_image, pasted_by_torchvision):
        leaf = masks.clone().requires_grad_()
        output = paste(leaf, boxes, SIZE)
        arriving = torch.tensor(np.random.RandomState(1).randn(*output.shape)).float()
        slopes += torch.autograd.grad(output, leaf, arriving)
    torch.testing.assert_close(*slopes, rtol=0, atol=1e-6 * slopes[1].abs().max().item())


@pytest.mark.parametrize(
    "box",
    [
        [4.0, 5, 4, 5],  # no area
        [4.0, 5, 3.5, 4.5],  # inverted by less than a pixel
        [-9.0, -9, 70, 70],  # the image and more
        [50.0, 30, 80, 60],  # over the last corner
        [-0.5, -0.9, 0.4, 0.2],  # cut towards 0, not down
    ],
)
def test_odd_boxes(box):
    masks, boxes = drawn(1, 3, 40)[0], torch.tensor([box])
    for padding in (0, 1, 2):
        theirs = pasted_by_torchvision(masks, boxes, SIZE, padding)
        assert torch.equal(ops.paste_masks_in_image(masks, boxes, SIZE, padding), theirs)


def test_torchvision_raises_for_a_box_outside_that_pastes_nothing_here():
    masks, boxes = torch.ones(1, 1, 28, 28), torch.tensor([[-70.0, 3, -40, 30]])
    with pytest.raises(RuntimeError):
        pasted_by_torchvision(masks, boxes, SIZE)
    assert ops.paste_masks_in_image(masks, boxes, SIZE).count_nonzero() == 0


def test_no_masks():
    masks, boxes = torch.zeros(0, 1, 28, 28), torch.zeros(0, 4)
    theirs = pasted_by_torchvision(masks, boxes, SIZE)
    ours = ops.paste_masks_in_image(masks, boxes, SIZE)
    assert ours.shape == theirs.shape == (0, 1, *SIZE)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.float32])
def test_boxes_around_masks(dtype):
    state = np.random.RandomState(0)
    masks = torch.tensor(state.rand(40, 9, 11) > state.uniform(0.5, 1, (40, 1, 1)))
    empty = [3, 17]  # whose boxes are zeros; torchvision 0.24 raises there
    masks[empty] = False
    masks = masks.to(dtype)
    objects = (masks.flatten(1) != 0).any(1)
    theirs = torch.zeros(40, 4).masked_scatter(
        objects[:, None], torchvision.ops.masks_to_boxes(masks[objects])
    )
    assert (~objects).nonzero()[:, 0].tolist() == empty
    ours = ops.masks_to_boxes(masks)
    assert ours.dtype == theirs.dtype
    assert torch.equal(ours, theirs)
    np.testing.assert_array_equal(reference.masks_to_boxes(masks.numpy()), theirs)
    assert torch.equal(ops.masks_to_boxes(masks[:0]), torchvision.ops.masks_to_boxes(masks[:0]))
