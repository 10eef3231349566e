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
