"""The answers of chapter 6's page on GPUs are right by another road: the counts, and our NMS."""

import numpy as np

from roilearn import exercises, reference
from roilearn.bench import workloads
from roilearn.bench.gpu import roofline
from roilearn.exercises import chapter6b


def test_the_sectors_are_those_counted_for_step_1():
    shape = workloads.PoolingWorkload("one", (1, 1, 20, 24), 1, (9, 10), 1, 3, "")
    others = (1 + roofline.BOX) * roofline.SECTOR  # the number stored, the box loaded
    assert roofline.bytes_requested(roofline.STEPS[0], shape) - others == chapter6b.SECTORS.answer


def test_the_bits_settle_as_boxes_that_overlap_so_do():
    """Boxes on a line, by falling score: each overlaps those that its word names, by a third."""
    x = np.array([0.0, 2, 4, 6, 2, 4]) + np.array([0, 0, 0, 0, 100, 100])
    boxes = np.stack([x, 0 * x, x + 4, 0 * x + 1], 1)
    over = reference.box_iou(boxes, boxes) > 0.3
    words = np.array([sum(1 << j for j in range(i + 1, 6) if over[i, j]) for i in range(6)])
    kept = reference.nms(boxes, np.arange(6, 0, -1.0), 0.3)
    assert np.flatnonzero(chapter6b.survivors(words)).tolist() == sorted(kept)
    assert len(kept) < 6


def test_unsigned_words_and_a_list_of_answers_pass_too():
    assert exercises.check(
        "6b.4", lambda words: [bool(stay) for stay in chapter6b.survivors(words)]
    )


def test_the_folded_answer_about_half_precision_prints_true_numbers(monkeypatch):
    shape = workloads.WORKLOADS["roi_align"][0]
    steps = roofline.STEPS
    counts = [roofline.bytes_requested(step, shape) for step in steps]
    needed = roofline.bytes_needed(shape)
    monkeypatch.setattr(roofline, "NUMBER", 2)
    halves = [roofline.bytes_requested(step, shape) for step in steps]
    shares = [round(half / count, 2) for half, count in zip(halves, counts, strict=True)]
    assert shares == [1.0, 0.51, 0.5, 0.66, 0.5]
    assert round(roofline.bytes_needed(shape) / needed, 2) == 0.5


def test_a_rate_in_operations_a_second_is_told_its_unit():
    assert exercises.check("6b.3", 4.853e11).mistake == "operations a second"
