"""AP by size: the ranges of COCO give COCO's numbers, and the record shows what the page says."""

from itertools import pairwise

import pytest

from roilearn import reference
from roilearn.bench.detectors import ap_by_size
from roilearn.bench.detectors.error_kinds import detect
from roilearn.bench.detectors.half_cell import model_with
from roilearn.bench.recorded.ap_by_size import SIZES, read_ap_by_size
from roilearn.data import ShapeScenes


def test_the_ranges_of_coco_give_its_numbers():
    scenes = ShapeScenes(6, seed=3, photographs="held out")
    detections, targets = detect(model_with(aligned=True), scenes)
    coco = reference.average_precision(detections, targets, "masks")
    for name, limits in {"APs": (0, 32), "APm": (32, 96), "AP": (0, 1e5)}.items():
        objects, found = ap_by_size.average_precisions(detections, targets, *limits)
        assert objects > 0
        assert found.mean() == pytest.approx(coco[name])
    assert found[0] == pytest.approx(coco["AP50"])
    assert found[5] == pytest.approx(coco["AP75"])


def test_the_ranges_part_the_objects_and_an_empty_one_has_no_number():
    scenes = ShapeScenes(4, seed=3, photographs="held out")
    detections, targets = detect(model_with(aligned=True), scenes)
    counts = [
        ap_by_size.average_precisions(detections, targets, *limits)[0] for limits in pairwise(SIZES)
    ]
    assert sum(counts) >= sum(len(target["labels"]) for target in targets)
    objects, found = ap_by_size.average_precisions(detections, targets, 200, 300)
    assert objects == 0
    assert all(value != value for value in found)  # noqa: PLR0124 - NaN


def test_the_record_is_whole_and_small_objects_lose_most():
    rows = {(r.aligned, r.smallest): r for r in read_ap_by_size()}
    assert list(rows) == [(a, low) for a in ("True", "False") for low in SIZES[:-1]]
    assert {r.images for r in rows.values()} == {ap_by_size.VALIDATION_IMAGES}
    lost = [rows["True", low].AP75 - rows["False", low].AP75 for low in SIZES[:-1]]
    assert min(lost) == lost[-1] > 0
    kept = [rows["False", low].AP75 / rows["True", low].AP75 for low in SIZES[:-1]]
    assert kept == sorted(kept)
