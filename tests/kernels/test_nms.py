"""NMS with rows of bits: the same indices as ``roilearn.ops``, ties and odd boxes included."""

import numpy as np
import pytest
import torch
from boxes import draw

from roilearn import kernels, ops

STATE = np.random.RandomState(0)


def overlapping_boxes(count, device, spread=20):
    """Boxes with ties among the scores, twins, boxes of no area, inverted and huge ones."""
    boxes = torch.tensor(draw("inside", count, (1, 1, spread, spread))[:, 1:])
    boxes[5], boxes[7, 2], boxes[9, 0] = boxes[4], boxes[7, 0], 90
    boxes[11] = torch.tensor([-3e38, -3e38, 3e38, 3e38])  # an area that is no number
    scores = torch.tensor(STATE.randint(0, 9, count) / 8).float()
    return boxes.to(device), scores.to(device)


@pytest.mark.parametrize("threshold", [0, 0.3, 0.5, 1])
def test_the_same_boxes_are_kept_in_the_same_order(device, threshold):
    boxes, scores = overlapping_boxes(70, device)
    group = torch.tensor(STATE.randint(-1, 2, 70), device=device)
    ours = kernels.nms(boxes, scores, threshold)
    assert torch.equal(ours.cpu(), ops.nms(boxes.cpu(), scores.cpu(), threshold))
    ours = kernels.batched_nms(boxes, scores, group, threshold)
    loop = ops.batched_nms(boxes.cpu(), scores.cpu(), group.cpu(), threshold)
    assert torch.equal(ours.cpu(), loop)


def test_an_overlap_of_just_the_threshold_does_not_suppress(device):
    boxes = torch.tensor([[0.0, 0, 10, 1], [0, 0, 3, 1], [0, 0, 5, 1]], device=device)
    scores = torch.tensor([0.9, 0.8, 0.7], device=device)
    assert kernels.nms(boxes, scores, 0.5).tolist() == [0, 1]  # 0.6 with the second
    assert kernels.nms(boxes, scores, 0.61).tolist() == [0, 1, 2]
    # In float32 3 / 10 is a little above 0.3, and 3 / 5 above 0.6.
    assert kernels.nms(boxes, scores, 0.3).tolist() == [0]
    assert kernels.nms(boxes[1:], scores[1:], 0.6).tolist() == [0]


@pytest.mark.parametrize("count", [0, 1, 32, 33])
def test_any_number_of_boxes(device, count):
    boxes = torch.tensor([[0.0, 0, 4, 4]], device=device).expand(count, 4)
    scores = torch.linspace(0, 1, count, device=device)
    assert kernels.nms(boxes, scores, 0.5).tolist() == [count - 1][: min(count, 1)]
    assert kernels.nms(boxes, scores, 1).tolist() == list(range(count))[::-1]


def test_half_precision_is_compared_in_float32_and_float64_elsewhere(device):
    boxes, scores = overlapping_boxes(40, device)
    boxes[11] = 0
    for dtype in (torch.float16, torch.float64):
        ours = kernels.nms(boxes.to(dtype), scores, 0.4)
        assert torch.equal(ours.cpu(), ops.nms(boxes.to(dtype).cpu(), scores.cpu(), 0.4))


def test_bad_values_raise(device):
    boxes, scores = overlapping_boxes(12, device)
    boxes[3, 1] = torch.nan
    with pytest.raises(ValueError, match=r"boxes must be finite; .* in row 3"):
        kernels.nms(boxes, scores, 0.5)
    with pytest.raises(ValueError, match="iou_threshold must be a number"):
        kernels.nms(boxes, scores, torch.nan)
