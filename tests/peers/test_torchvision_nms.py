"""NMS against torchvision's CPU kernel: the same indices, in the same order.

Also the cases in which its ``batched_nms`` differs from its own kernel run class by class.
"""

import numpy as np
import pytest
import torch
import torchvision

from roilearn import ops, reference

THRESHOLDS = (0.1, 0.3, 0.5, 0.6, 0.7, 1 / 3, 0.0, 1.0)
COUNTS = (0, 1, 2, 191, 194, 700, 3000)


def beside(corner, side):
    return np.hstack([corner, corner + side])


def spread(state, count):
    return beside(state.uniform(0, 1000, (count, 2)), state.uniform(10, 100, (count, 2)))


def clustered(state, count):
    centres = state.uniform(0, 500, (12, 2))[state.randint(0, 12, count)]
    return beside(centres + state.uniform(0, 12, (count, 2)), state.uniform(60, 80, (count, 2)))


def integer(state, count):
    return beside(state.randint(0, 30, (count, 2)), state.randint(1, 8, (count, 2)))


def zero_area(state, count):
    return beside(state.randint(0, 9, (count, 2)), state.randint(0, 4, (count, 2)))


def inverted(state, count):
    return state.randint(0, 12, (count, 4))


def negative(state, count):
    return beside(state.uniform(-50, 50, (count, 2)), state.uniform(0, 20, (count, 2)))


def any_magnitude(state, count):
    return (state.rand(count, 4) - 0.3) * 10.0 ** state.uniform(-25, 25, (count, 4))


SETS = (spread, clustered, integer, zero_area, inverted, negative, any_magnitude)


def drawn(boxes, count, dtype=torch.float32):
    """Boxes and scores, with many ties among the scores but for the spread ones."""
    state = np.random.RandomState(count)
    scores = state.rand(count)
    scores = scores if boxes is spread else scores.round(1)
    return torch.tensor(boxes(state, count), dtype=dtype), torch.tensor(scores, dtype=dtype)


def class_by_class(boxes, scores, idxs, threshold):
    """The kernel on each class, then a stable sort."""
    kept = torch.zeros(len(boxes), dtype=torch.bool)
    for number in idxs.unique():
        (members,) = (idxs == number).nonzero(as_tuple=True)
        kept[members[torchvision.ops.nms(boxes[members], scores[members], threshold)]] = True
    order = scores.argsort(stable=True, descending=True)
    return order[kept[order]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("boxes", SETS)
def test_indices(boxes, count, dtype):
    boxes, scores = drawn(boxes, count, dtype)
    for threshold in THRESHOLDS:
        theirs = torchvision.ops.nms(boxes, scores, threshold)
        assert torch.equal(ops.nms(boxes, scores, threshold), theirs)
        if count < 192:
            slow = reference.nms(boxes.numpy(), scores.numpy(), threshold)
            np.testing.assert_array_equal(slow, theirs)


@pytest.mark.parametrize("classes", [1, 4, 80])
@pytest.mark.parametrize("count", [0, 1, 194, 2000])
@pytest.mark.parametrize("boxes", SETS)
def test_indices_within_classes(boxes, count, classes):
    boxes, scores = drawn(boxes, count)
    idxs = torch.tensor(np.random.RandomState(count).randint(-5, classes - 5, count))
    for threshold in (0.3, 0.5):
        theirs = class_by_class(boxes, scores, idxs, threshold)
        assert torch.equal(ops.batched_nms(boxes, scores, idxs, threshold), theirs)


def test_a_threshold_in_double_precision_is_not_rounded_to_single():
    """0.3 in float32 lies above 0.3: an IoU of exactly that suppresses, as it does there."""
    boxes = torch.tensor([[0.0, 0, 10, 1], [0, 0, 3, 1]])
    scores = torch.tensor([0.9, 0.8])
    iou = torchvision.ops.box_iou(boxes, boxes)[0, 1]
    assert not iou > 0.3  # PyTorch rounds
    assert iou.item() > 0.3
    for nms in (torchvision.ops.nms, ops.nms):
        assert nms(boxes, scores, 0.3).tolist() == [0]
        assert nms(boxes.double(), scores.double(), 0.3).tolist() == [0, 1]


def test_torchvision_lets_negative_coordinates_meet_the_class_before():
    boxes = torch.tensor([[0.0, 0, 9, 9], [-10, -10, -1, -1]])
    scores, idxs = torch.tensor([0.9, 0.8]), torch.tensor([0, 1])
    assert torchvision.ops.batched_nms(boxes, scores, idxs, 0.5).tolist() == [0]
    assert ops.batched_nms(boxes, scores, idxs, 0.5).tolist() == [0, 1]


def test_torchvision_rounds_boxes_of_a_high_class():
    """Class 60,000 of an image of 1,333 pixels moves boxes by 8e7, where float32 counts in 8s."""
    boxes = torch.tensor([[0.0, 0, 16, 16], [3, 0, 19, 16], [1333, 1333, 1333, 1333]])
    scores, idxs = torch.tensor([0.9, 0.8, 0.7]), torch.tensor([60_000, 60_000, 0])
    assert torchvision.ops.nms(boxes, scores, 0.7).tolist() == [0, 1, 2]
    assert torchvision.ops.batched_nms(boxes, scores, idxs, 0.7).tolist() != [0, 1, 2]
    assert ops.batched_nms(boxes, scores, idxs, 0.7).tolist() == [0, 1, 2]


def test_torchvision_orders_equal_scores_in_large_sets_as_they_come():
    """The same boxes stay, by descending score; but a sort that is not stable comes last."""
    boxes, scores = drawn(integer, 3000)
    idxs = torch.arange(3000) % 80
    theirs = torchvision.ops.batched_nms(boxes, scores, idxs, 0.5)
    ours = ops.batched_nms(boxes, scores, idxs, 0.5)
    assert not torch.equal(ours, theirs)
    assert torch.equal(ours.sort()[0], theirs.sort()[0])
    assert torch.equal(scores[ours], scores[theirs])
    ties = scores[ours][1:] == scores[ours][:-1]
    assert (ours[1:] > ours[:-1])[ties].all()


def test_torchvision_takes_what_is_refused_here():
    boxes, scores = torch.tensor([[0.0, 0, 4, 4], [0, 0, torch.inf, 4]]), torch.tensor([0.9, 0.8])
    assert torchvision.ops.nms(boxes, scores, 0.5).tolist() == [0, 1]
    assert torchvision.ops.nms(boxes[:1], scores[:1] * torch.nan, 0.5).tolist() == [0]
    for arguments in ((boxes, scores, 0.5), (boxes[:1], scores[:1] * torch.nan, 0.5)):
        with pytest.raises(ValueError, match=r"boxes must be finite|scores must be numbers"):
            ops.nms(*arguments)


@pytest.mark.parametrize("threshold", [-1.0, -1e-3, 1.5, float("inf")])
def test_thresholds_beyond_what_an_overlap_can_be(threshold):
    boxes, scores = drawn(spread, 191)
    scores[::7] = -float("inf")
    expected = torchvision.ops.nms(boxes, scores, threshold)
    assert torch.equal(ops.nms(boxes, scores, threshold), expected)
    found = reference.nms(boxes.numpy(), scores.numpy(), threshold)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", ["float", "bool"])
def test_ids_of_classes_that_are_no_integers(name):
    boxes, scores = drawn(spread, 700)
    ids = torch.arange(700) % 2
    ids = ids.bool() if name == "bool" else ids.float()
    expected = torchvision.ops.batched_nms(boxes, scores, ids, 0.3)
    assert torch.equal(ops.batched_nms(boxes, scores, ids, 0.3), expected)
