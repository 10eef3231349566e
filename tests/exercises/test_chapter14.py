"""The answers of chapter 14 are right by another road: the package's evaluation."""

import numpy as np
import pytest

from roilearn import exercises, reference
from roilearn.exercises import chapter14
from roilearn.reference.detection.detection_matching import ImageEvaluation


def test_eleven_points_by_hand_are_the_package_s():
    points = reference.precision_recall([1, 0, 1, 1], 5)
    assert reference.ap_11_points(*points) == pytest.approx(chapter14.ELEVEN.answer)


def test_a_tie_of_three_is_worth_what_the_package_says():
    first, last = (
        reference.ap_101_points(*reference.precision_recall(right, 1))
        for right in ([1, 0, 0], [0, 0, 1])
    )
    assert first - last == pytest.approx(chapter14.TIE.answer)


def evaluated(scores, ious, threshold):
    """One image of a class, matched by the package at one threshold."""
    scores, objects = np.array(scores, float), len(ious[0]) if ious else 0
    order = np.argsort(-scores, kind="stable")
    overlaps = np.array(ious, float).reshape(len(scores), objects)[order]
    none = np.zeros(objects, bool)
    matched = reference.match_detections(overlaps, none, none, threshold) >= 0
    return ImageEvaluation(scores[order], matched[None], np.zeros((1, len(order)), bool), objects)


@pytest.mark.parametrize("call", chapter14.MATCHING.calls)
def test_matching_is_the_package_s(call):
    images, threshold = call
    ranked = reference.rank_detections([evaluated(*image, threshold) for image in images])
    assert chapter14.rank_true_positives(*call) == ranked.astype(int).tolist()


@pytest.mark.parametrize("call", chapter14.AVERAGE.calls)
def test_average_precision_is_the_package_s(call):
    (images,) = call
    objects = sum(count for _, _, count in images)
    if objects == 0:
        assert chapter14.average_precision(images) == -1
        return
    scores, right = (np.concatenate([np.array(one[k], float) for one in images]) for k in (0, 1))
    points = reference.precision_recall(right[np.argsort(-scores, kind="stable")], objects)
    assert chapter14.average_precision(images) == pytest.approx(reference.area_under_curve(*points))


def test_vectorised_answers_pass():
    def rank_true_positives(images, threshold):
        evaluations = [evaluated(*image, threshold) for image in images]
        return reference.rank_detections(evaluations)

    def average_precision(images):
        scores, right = (np.concatenate([np.array(i[k], float) for i in images]) for k in (0, 1))
        objects = sum(count for _, _, count in images)
        if not objects:
            return -1
        points = reference.precision_recall(right[np.argsort(-scores, kind="stable")], objects)
        return reference.area_under_curve(*points)

    assert exercises.check("14.3", rank_true_positives)
    assert exercises.check("14.4", average_precision)
