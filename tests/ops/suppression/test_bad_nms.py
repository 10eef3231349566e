"""Invalid arguments of NMS: both implementations raise the same error."""

import numpy as np
import pytest
import torch

from roilearn import ops, reference

BOXES = np.array([[1.0, 2, 4, 6], [0, 0, 9, 3]])
SCORES = np.array([0.5, 0.25])
IDXS = np.array([0, 1])
NAN, INFINITE = float("nan"), float("inf")


@pytest.fixture(params=[reference, ops], ids=["reference", "ops"])
def call(request):
    def in_implementation(*arguments):
        if request.param is ops:
            arguments = [torch.tensor(a) if isinstance(a, np.ndarray) else a for a in arguments]
        name = "nms" if len(arguments) == 3 else "batched_nms"
        return getattr(request.param, name)(*arguments)

    return in_implementation


def changed(value):
    boxes = BOXES.copy()
    boxes[1, 2] = value
    return boxes


@pytest.mark.parametrize(
    ("boxes", "scores", "message"),
    [
        (BOXES[0], SCORES, r"boxes must have shape \(K, 4\).* got shape \(4,\)"),
        (np.ones((2, 5)), SCORES, r"boxes must have shape \(K, 4\).* got shape \(2, 5\)"),
        (BOXES, SCORES[:1], r"scores must have shape \(2,\), .* got shape \(1,\)"),
        (BOXES, SCORES[:, None], r"scores must have shape \(2,\), .* got shape \(2, 1\)"),
        (changed(NAN), SCORES, r"boxes must be finite; got \[0, 0, nan, 3\] in row 1"),
        (changed(-INFINITE), SCORES, r"boxes must be finite; got \[0, 0, -inf, 3\] in row 1"),
        (BOXES, np.array([0.5, NAN]), r"scores must be numbers; got \[nan\] in row 1"),
    ],
)
def test_bad_boxes_and_scores(call, boxes, scores, message):
    for last in ((0.5,), (IDXS, 0.5)):
        with pytest.raises(ValueError, match=message):
            call(boxes, scores, *last)


def test_a_threshold_that_compares_with_nothing(call):
    for first in ((BOXES, SCORES), (BOXES, SCORES, IDXS), (BOXES[:0], SCORES[:0])):
        with pytest.raises(ValueError, match=r"iou_threshold must be a number, .* got nan"):
            call(*first, NAN)


def test_a_threshold_that_is_no_number(call):
    for threshold in ("0.5", None, [0.5, 0.6]):
        with pytest.raises(TypeError, match=r"iou_threshold must be a number; got"):
            call(BOXES, SCORES, threshold)


def test_whole_numbers_where_others_are_wanted_and_the_reverse(call):
    with pytest.raises(TypeError, match=r"boxes must be floating point; got .*int64"):
        call(BOXES.astype(np.int64), SCORES, 0.5)
    with pytest.raises(TypeError, match=r"scores must be floating point; got .*int64"):
        call(BOXES, IDXS, 0.5)
    with pytest.raises(TypeError, match=r"idxs must hold numbers that name the groups; got"):
        call(BOXES, SCORES, IDXS * 1j, 0.5)
    with pytest.raises(ValueError, match=r"idxs must be numbers; got \[nan\] in row 0"):
        call(BOXES, SCORES, SCORES * NAN, 0.5)


@pytest.mark.parametrize(
    ("threshold", "kept"), [(-0.5, [1]), (1.0, [1, 0, 2]), (7, [1, 0, 2]), (INFINITE, [1, 0, 2])]
)
def test_any_threshold_is_compared_with_the_overlap(call, threshold, kept):
    boxes = np.array([[0.0, 0, 4, 4], [0, 0, 4, 4], [9, 9, 9, 12]])
    assert call(boxes, np.array([0.5, 0.9, 0.1]), threshold).tolist() == kept


def test_below_zero_the_best_box_of_each_group_is_left(call):
    state = np.random.RandomState(0)
    boxes, scores = state.rand(40, 4), state.rand(40)
    groups = state.randint(0, 5, 40)
    best = [np.flatnonzero(groups == g)[scores[groups == g].argmax()] for g in range(5)]
    assert sorted(call(boxes, scores, groups, -1e-9).tolist()) == sorted(best)
    assert call(boxes[:0], scores[:0], -1.0).tolist() == []


def test_infinite_scores_have_their_place(call):
    boxes = np.array([[0.0, 0, 4, 4], [9, 9, 12, 12], [0, 0, 4, 4]])
    assert call(boxes, np.array([-INFINITE, 0.5, INFINITE]), 0.5).tolist() == [2, 1]
    assert call(boxes, np.full(3, -INFINITE), 0.5).tolist() == [0, 1]


def test_groups_named_by_floats_or_truth_values(call):
    boxes, scores = np.array([[0.0, 0, 4, 4]] * 4), np.array([0.1, 0.2, 0.3, 0.4])
    for groups in ([0.25, 0.75, 0.25, 0.75], [-0.0, INFINITE, 0.0, INFINITE]):
        assert call(boxes, scores, np.array(groups), 0.5).tolist() == [3, 2]
    assert call(boxes, scores, np.array([True, False, True, False]), 0.5).tolist() == [3, 2]


def test_another_number_of_groups(call):
    with pytest.raises(ValueError, match=r"idxs must have shape \(2,\), .* got shape \(3,\)"):
        call(BOXES, SCORES, np.arange(3), 0.5)


def test_arrays_where_tensors_are_wanted():
    boxes, scores = torch.tensor(BOXES), torch.tensor(SCORES)
    with pytest.raises(TypeError, match=r"boxes must be a torch tensor; got ndarray"):
        ops.nms(BOXES, scores, 0.5)
    with pytest.raises(TypeError, match=r"scores must be a torch tensor; got list"):
        ops.nms(boxes, [0.5, 0.25], 0.5)
    with pytest.raises(TypeError, match=r"idxs must be a torch tensor; got ndarray"):
        ops.batched_nms(boxes, scores, IDXS, 0.5)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32])
def test_groups_of_any_whole_dtype(call, dtype):
    both = np.array([[0.0, 0, 4, 4]] * 4)
    kept = call(both, np.array([0.1, 0.2, 0.3, 0.4]), np.array([0, 255, 0, 255]).astype(dtype), 0.5)
    assert kept.tolist() == [3, 2]


def test_boxes_without_values():
    boxes, scores = (torch.tensor(a, device="meta") for a in (BOXES, SCORES))
    with pytest.raises(ValueError, match=r"boxes must have values, .* got a tensor on the meta"):
        ops.nms(boxes, scores, 0.5)
