"""Kinds of errors of the trained model: what was recorded, and that a few scenes show the same."""

import numpy as np
import pytest

from roilearn import reference
from roilearn.bench.detectors import error_kinds
from roilearn.bench.recorded.error_kinds import RIGHT, read_error_kinds

KINDS = (RIGHT, *reference.ERROR_KINDS)


@pytest.fixture(scope="module")
def recorded():
    return {(r.aligned, r.metric, r.kind): r for r in read_error_kinds()}


@pytest.fixture(scope="module")
def few():
    return {(r.aligned, r.metric, r.kind): r for r in error_kinds.measure(images=8)}


def test_the_record_is_whole(recorded):
    assert [key[2] for key in recorded] == list(KINDS) * 4
    assert {row.images for row in recorded.values()} == {error_kinds.VALIDATION_IMAGES}
    assert len({(row.objects, row.versions) for row in recorded.values()}) == 1


@pytest.mark.parametrize("which", ["recorded", "few"])
def test_counts_are_of_the_same_detections_and_a_repair_lowers_nothing(which, request):
    rows = request.getfixturevalue(which)
    for aligned in ("True", "False"):
        of = {m: [rows[aligned, m, k] for k in KINDS] for m in ("AP50", "AP75")}
        totals = {sum(row.count for row in found[:-1]) for found in of.values()}
        assert len(totals) == 1
        for start, *others in of.values():
            assert all(row.mask_ap >= start.mask_ap for row in others)
            assert all(row.sure <= row.count for row in (start, *others))
            assert start.count + others[-1].count <= start.objects


@pytest.mark.parametrize("which", ["recorded", "few"])
def test_without_the_half_cell_right_detections_become_misplaced(which, request):
    rows = request.getfixturevalue(which)
    right, misplaced = (
        [rows[aligned, "AP75", kind].count for aligned in ("True", "False")]
        for kind in (RIGHT, "misplaced")
    )
    assert right[1] < 0.6 * right[0]
    assert misplaced[1] > 2 * misplaced[0]
    costs = {k: rows["False", "AP75", k].mask_ap for k in KINDS}
    assert max(costs, key=costs.get) == "misplaced"
    assert costs["misplaced"] > costs[RIGHT] + 0.4


def scene_of(left, labels, scores=None):
    """Detections or an object of 8 x 8 pixels, each as many columns from the left edge."""
    masks = np.zeros((len(left), 8, 20), bool)
    for mask, start in zip(masks, left, strict=True):
        mask[:, start : start + 8] = True
    image = {"masks": masks, "labels": np.array(labels, int)}
    return image if scores is None else image | {"scores": np.array(scores, float)}


def test_an_object_becomes_misplaced_where_nothing_finds_it_any_more():
    target = scene_of([4], [1])
    right = scene_of([4, 5], [1, 1], [0.95, 0.3])
    moved = scene_of([8, 6, 7], [1, 1, 1], [0.2, 0.8, 0.5])
    still_found = scene_of([6, 4], [1, 1], [0.8, 0.1])
    other = scene_of([12], [1], [0.9])
    unsure = scene_of([4], [1], [0.85])
    before, after = [right, right, right, unsure], [moved, still_found, other, moved]
    found = error_kinds.became_misplaced(before, after, [target] * 4)
    assert list(found) == [(0, 0, 0, 1)]


def test_of_each_kind_the_highest_score_and_the_largest_missed_object():
    target = scene_of([0, 12], [1, 2])
    target["masks"][1, :, 18:] = False  # smaller than the other
    first = scene_of([0, 0, 1], [1, 2, 2], [0.9, 0.6, 0.7])
    second = scene_of([0], [2], [0.8])
    none = scene_of([], [], [])
    worst = error_kinds.plainest_errors([first, second, none], [target] * 3)
    assert worst == {"wrong class": (1, 0), "missed": (2, 0)}


def test_missed_objects_are_counted_once_and_sure_detections_have_a_high_score():
    box = np.array([[0, 0, 4, 4]])
    masks = np.zeros((1, 8, 8), bool)
    masks[:, :4, :4] = True
    target = {"boxes": box, "labels": np.array([1]), "masks": masks}
    found = {
        "boxes": np.repeat(box, 3, 0),
        "labels": np.array([1, 1, 2]),
        "masks": np.repeat(masks, 3, 0),
        "scores": np.array([0.9, 0.5, 0.4]),
    }
    none = {name: values[:0] for name, values in found.items()}
    every, sure = error_kinds.count_kinds([found, none], [target, target], 0.5)
    assert every == {"right": 1, "duplicate": 1, "wrong class": 1, "missed": 1}
    assert sure == {"right": 1, "duplicate": 1, "missed": 1}
