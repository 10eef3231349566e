"""NMS in NumPy: the boxes that are kept, their order, and IoUs equal to the threshold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roilearn.reference import batched_nms, box_iou, nms

ROW = np.array([[x, 0.0, x + 4, 4] for x in (0, 1, 2, 3, 9)])
"""Neighbours have an IoU of 0.6, boxes two apart 1/3, three apart 1/7; the last meets nobody."""


def drawn(count, seed=0, size=20):
    state = np.random.RandomState(seed)
    corner = state.uniform(0, size, (count, 2))
    return np.hstack([corner, corner + state.uniform(1, 9, (count, 2))]), state.rand(count)


def test_what_a_box_that_goes_would_suppress_stays():
    falling = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    assert nms(ROW, falling, 0.5).tolist() == [0, 2, 4]
    assert nms(ROW, falling, 0.3).tolist() == [0, 3, 4]
    assert nms(ROW, falling, 0.1).tolist() == [0, 4]
    assert nms(ROW, falling[::-1], 0.5).tolist() == [4, 3, 1]


def test_an_overlap_of_just_the_threshold_stays():
    scores = np.array([0.9, 0.8])
    half = np.array([[0.0, 0, 4, 4], [0, 0, 4, 2]])
    assert nms(half, scores, 0.5).tolist() == [0, 1]
    assert nms(half, scores, np.nextafter(0.5, 0)).tolist() == [0]
    touching = np.array([[0.0, 0, 4, 4], [4, 0, 8, 4]])
    assert nms(touching, scores, 0).tolist() == [0, 1]
    assert nms(half[[0, 0]], scores, 1).tolist() == [0, 1]


@pytest.mark.parametrize(("dtype", "stays"), [(np.float32, [0]), (np.float64, [0, 1])])
def test_the_threshold_is_a_double_whatever_the_boxes_are(dtype, stays):
    """3 / 10 is above 0.3 in float32 only: 0.3 in double precision lies below its float32."""
    boxes = np.array([[0, 0, 10, 1], [0, 0, 3, 1]], dtype)
    assert nms(boxes, np.array([0.9, 0.8], dtype), 0.3).tolist() == stays


def test_of_equal_scores_the_first_comes_first():
    assert nms(ROW, np.full(5, 0.5), 0.5).tolist() == [0, 2, 4]
    assert nms(ROW[[4, 1, 0]], np.full(3, 0.5), 0.5).tolist() == [0, 1]


@pytest.mark.parametrize(
    "odd", [[2.0, 2, 2, 6], [2.0, 2, 2, 2], [6.0, 2, 2, 6], [6.0, 6, 2, 2], [0, 0, 1e30, 1e30]]
)
def test_a_box_without_an_area_overlaps_nothing_itself_included(odd):
    boxes = np.array([odd, [0.0, 0, 9, 9], odd], np.float32)
    assert nms(boxes, np.array([0.9, 0.8, 0.7]), 0).tolist() == [0, 1, 2]


def test_half_precision_boxes_are_compared_in_single_precision():
    boxes = np.array([[0, 0, 300, 300], [0, 0, 300, 299]], np.float16)
    assert nms(boxes, np.array([0.9, 0.8], np.float16), 0.9).tolist() == [0]


def test_no_boxes():
    kept = nms(np.zeros((0, 4)), np.zeros(0), 0.5)
    assert kept.dtype == np.int64
    assert kept.shape == (0,)


@given(st.integers(0, 12), st.integers(0, 9), st.floats(0, 1))
def test_who_stays_overlaps_no_one_better_that_stays_and_who_goes_does(count, seed, threshold):
    boxes, scores = drawn(count, seed, size=6)
    kept = nms(boxes, scores, threshold).tolist()
    assert kept == sorted(kept, key=lambda i: -scores[i])
    above = box_iou(boxes, boxes) > threshold
    for i in range(count):
        better = [j for j in kept if scores[j] > scores[i]]
        assert above[i, better].any() != (i in kept)


def test_moving_scaling_and_mirroring_all_boxes_changes_nothing():
    boxes, scores = drawn(60)
    kept = nms(boxes, scores, 0.4).tolist()
    assert 5 < len(kept) < 55
    assert nms(boxes + 64, scores, 0.4).tolist() == kept
    assert nms(boxes * 8, scores, 0.4).tolist() == kept
    assert nms(-boxes[:, [2, 3, 0, 1]], scores, 0.4).tolist() == kept
    assert nms(boxes[:, [1, 0, 3, 2]], scores, 0.4).tolist() == kept


def test_groups_do_not_meet():
    falling = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    assert batched_nms(ROW, falling, np.arange(5), 0.1).tolist() == [0, 1, 2, 3, 4]
    assert batched_nms(ROW, falling, np.array([7, 7, -3, -3, 7]), 0.5).tolist() == [0, 2, 4]
    assert batched_nms(ROW, falling, np.array([0, 1, 0, 1, 0]), 0.3).tolist() == [0, 1, 4]
    assert batched_nms(ROW, falling, np.zeros(5, int), 0.5).tolist() == [0, 2, 4]
