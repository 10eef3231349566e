"""Precision, recall and three summaries: numbers by hand, laws, and the famous 24 detections."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roilearn import reference
from roilearn.reference.detection.detection_matching import ImageEvaluation

# Scores in hundredths and true positives among the 24 detections of 15 objects in the README of
# https://github.com/rafaelpadilla/Object-Detection-Metrics, A to Y; two have the score 95.
SCORES = (
    88,
    70,
    80,
    71,
    54,
    74,
    18,
    67,
    38,
    91,
    44,
    35,
    78,
    45,
    14,
    62,
    44,
    95,
    23,
    45,
    84,
    43,
    48,
    95,
)
RIGHT = {1, 4, 6, 9, 15, 17, 22}
ranked = st.lists(st.booleans(), min_size=1, max_size=30)


def curve(right, missed=0):
    return reference.precision_recall(right, max(sum(right) + missed, 1))


def image(scores, right, ignored=None, objects=3):
    """Matches that are the same at every threshold."""
    several = [np.array([row] * 10, bool) for row in (right, ignored or [False] * len(right))]
    return ImageEvaluation(np.array(scores, float), *several, objects)


def test_three_summaries_by_hand():
    """Right, wrong, right, wrong, right, and one of four objects is not found."""
    precision, recall = reference.precision_recall([1, 0, 1, 0, 1], 4)
    assert precision.tolist() == [1, 1 / 2, 2 / 3, 2 / 4, 3 / 5]
    assert recall.tolist() == [1 / 4, 1 / 4, 2 / 4, 2 / 4, 3 / 4]
    by_area = (1 + 2 / 3 + 3 / 5) / 4
    assert reference.area_under_curve(precision, recall) == pytest.approx(by_area)
    eleven = (3 * 1 + 3 * 2 / 3 + 2 * 3 / 5) / 11
    assert reference.ap_11_points(precision, recall) == pytest.approx(eleven)
    hundred_and_one = (26 * 1 + 25 * 2 / 3 + 25 * 3 / 5) / 101
    assert reference.ap_101_points(precision, recall) == pytest.approx(hundred_and_one)


def test_the_famous_24_detections_and_what_their_tie_moves():
    """24.56 and 26.84 hundredths are the README's; it cuts digits, so 24.57 is printed as 24.56."""
    found = []
    for first in (17, 23):
        order = sorted(range(24), key=lambda d: (-SCORES[d], d != first))
        points = reference.precision_recall([d in RIGHT for d in order], 15)
        summaries = (
            reference.area_under_curve,
            reference.ap_11_points,
            reference.ap_101_points,
        )
        found.append([100 * summary(*points) for summary in summaries])
    assert found[0] == pytest.approx([24.569, 26.84, 24.82], abs=0.006)
    assert found[1] == pytest.approx([22.35, 23.81, 22.51], abs=0.006)


@pytest.mark.parametrize("objects", range(1, 101))
def test_a_recall_of_tenths_reaches_its_tenth(objects):
    """For instance 3 of 10 objects reach 0.3; 0.1 * 3 is a little more than that."""
    _, recall = reference.precision_recall([True] * objects, objects)
    tenths = [k / 10 for k in range(1, 11) if (k * objects) % 10 == 0]
    assert set(tenths) <= set(recall.tolist())
    assert set(tenths) <= set(reference.RECALLS_11.tolist())


def test_without_detections_every_summary_is_0():
    for summary in (
        reference.ap_101_points,
        reference.ap_11_points,
        reference.area_under_curve,
    ):
        assert summary(*reference.precision_recall([], 2)) == 0


@given(ranked, st.integers(0, 4))
def test_interpolated_precision_falls_and_is_never_below_the_precision(right, missed):
    precision, _ = curve(right, missed)
    best = reference.interpolate_precision(precision)
    assert (best >= precision).all()
    assert (np.diff(best) <= 0).all()
    assert best.max() == precision.max()


@given(ranked, st.integers(0, 4))
def test_the_area_is_what_ever_more_recalls_tend_to(right, missed):
    precision, recall = curve(right, missed)
    fine = (np.arange(200_000) + 0.5) / 200_000
    mean = reference.precision_at(fine, precision, recall).mean()
    assert reference.area_under_curve(precision, recall) == pytest.approx(mean, abs=2e-4)


@given(ranked, st.integers(0, 4), st.data())
def test_a_right_detection_that_moves_up_never_lowers_a_summary(right, missed, data):
    at = data.draw(st.integers(0, len(right) - 1))
    moved = sorted(range(len(right)), key=lambda d: (not right[d], d) if d >= at else (False, d))
    better = right[:at] + [right[d] for d in moved if d >= at]
    for summary in (
        reference.ap_101_points,
        reference.ap_11_points,
        reference.area_under_curve,
    ):
        assert summary(*curve(better, missed)) >= summary(*curve(right, missed)) - 1e-12


def test_detections_of_all_images_are_ranked_together():
    two = [image([0.9, 0.4], [True, False]), image([0.8, 0.3], [False, True])]
    assert reference.rank_detections(two).tolist() == [True, False, False, True]


def test_equal_scores_keep_their_order_and_ignored_detections_are_left_out():
    two = [image([0.5, 0.5], [False, True], [False, True]), image([0.7, 0.5], [True, True])]
    assert reference.rank_detections(two).tolist() == [True, False, True]
    assert reference.rank_detections(two, limit=1).tolist() == [True, False]


@pytest.mark.parametrize(
    ("right", "objects", "words"),
    [
        ([1, 0], 0, "objects must be at least 1; got 0"),
        ([1, 1, 1], 2, "at least the number of true positives, 3; got 2"),
        ([1, np.nan], 2, "True or False, or 1 or 0; got nan for detection 1"),
        ([0.5], 2, "got 0.5 for detection 0"),
        ([[1, 0]], 2, r"shape \(D,\)"),
    ],
)
def test_right_is_true_or_false_and_no_more_often_than_there_are_objects(right, objects, words):
    with pytest.raises(ValueError, match=words):
        reference.precision_recall(right, objects)


def test_a_curve_has_a_precision_for_each_recall():
    for summary in (
        reference.ap_101_points,
        reference.ap_11_points,
        reference.area_under_curve,
    ):
        with pytest.raises(ValueError, match="for each detection; got 2 and 1 of them"):
            summary([1, 0.5], [0.5])


def test_ranking_needs_an_image_and_a_limit():
    with pytest.raises(ValueError, match="images must have at least one item"):
        reference.rank_detections([])
    with pytest.raises(ValueError, match="limit must be at least 1; got -1"):
        reference.rank_detections([image([0.5], [True])], limit=-1)
