"""What the half cell is worth to the trained model: what was recorded, and that it holds."""

import pytest

from roilearn.bench.detectors.half_cell import (
    VALIDATION_IMAGES,
    format_rows,
    measure_all,
    model_with,
)
from roilearn.bench.recorded.half_cell import METRICS, read_half_cell


@pytest.fixture(scope="module")
def recorded():
    return {(row.iou_type, row.aligned): row for row in read_half_cell()}


def test_the_record_is_whole(recorded):
    assert set(recorded) == {(r, a) for r in ("boxes", "masks") for a in ("True", "False")}
    assert {row.images for row in recorded.values()} == {VALIDATION_IMAGES}
    assert format_rows(list(recorded.values())).count("AP75") == len(recorded)


def test_the_model_was_trained_with_the_half_cell():
    as_trained, changed = model_with(aligned=True), model_with(aligned=False)
    assert "aligned=False" not in repr(as_trained)
    assert repr(changed).count("aligned=False") == 2


def test_chapter_4_says_what_is_recorded(recorded):
    for regions in ("boxes", "masks"):
        right, wrong = recorded[regions, "True"], recorded[regions, "False"]
        losses = {name: getattr(right, name) - getattr(wrong, name) for name in METRICS}
        assert losses["AP75"] > 4 * losses["AP50"] > 0
    masks = [recorded["masks", aligned].AP for aligned in ("True", "False")]
    assert masks[1] < masks[0] / 2


def test_a_few_scenes_show_the_same():
    found = {(row.iou_type, row.aligned): row.AP75 for row in measure_all(images=8)}
    for regions in ("boxes", "masks"):
        assert found[regions, "False"] < 0.75 * found[regions, "True"]
