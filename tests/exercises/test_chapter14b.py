"""The answers of the page on errors are right by another road: the reference and statistics."""

import statistics

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from roilearn import bench, exercises, reference
from roilearn.bench.recorded.ablation import ALIGN, POOL
from roilearn.exercises import chapter14b

NUMBERS = {"right": 0, "misplaced": 1, "wrong class": 2, "both": 3, "duplicate": 4, "background": 5}
sides = st.integers(0, 30)
squares = st.tuples(sides, sides, st.integers(3, 14), st.integers(3, 14)).map(
    lambda s: [s[0], s[1], s[0] + s[2], s[1] + s[3]]
)
labelled = st.tuples(squares, st.integers(1, 2))


def test_the_five_detections_have_the_kinds_that_the_loop_gives():
    ious = [[0.45, 0], [0.8, 0], [0.7, 0], [0.6, 0.2], [0.05, 0.15]]
    found = chapter14b.kinds_of(ious, [1, 1, 1, 2, 2], [1, 2], 0.5)
    assert [found.count(kind) for kind in range(6)] == chapter14b.COUNTS.answer


@given(
    st.lists(labelled, max_size=6), st.lists(labelled, max_size=3, unique_by=lambda o: tuple(o[0]))
)
def test_the_loop_gives_the_kinds_of_the_reference(detected, there):
    boxes, labels = [d[0] for d in detected], [d[1] for d in detected]
    objects, classes = [t[0] for t in there], [t[1] for t in there]
    ious = reference.box_iou(np.reshape(boxes, (-1, 4)), np.reshape(objects, (-1, 4)))
    if any(len({*row[row > 0]}) < (row > 0).sum() for row in ious):
        return  # equal IoUs, which the exercise leaves out
    scores = np.arange(len(boxes), 0, -1) / 10
    found = {"boxes": np.reshape(boxes, (-1, 4)), "labels": labels, "scores": scores}
    truth = {"boxes": np.reshape(objects, (-1, 4)), "labels": classes}
    kinds = reference.detection_errors(found, truth).kinds
    numbers = chapter14b.kinds_of(ious.tolist(), labels, classes, 0.5)
    assert numbers == [NUMBERS[kind] for kind in kinds]


def test_the_paired_differences():
    gains = [b - a for a, b in zip([30, 33, 36], [33, 35, 40], strict=True)]
    assert [statistics.mean(gains), statistics.stdev(gains)] == chapter14b.PAIRED.answer


def test_the_table_to_read_is_the_recorded_one():
    here = [r for r in bench.select_table("operators", bench.read_ablation()) if r.stride == 4]
    for metric in ("AP50", "AP75"):
        for gain in bench.gains(here, metric, ALIGN, POOL):
            assert f"{100 * gain:+.1f}" in chapter14b.SENTENCE.task
    assert exercises.check("14b.4", "b")
