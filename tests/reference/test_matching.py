"""Matching in both implementations: thresholds, low-quality matches and their ties."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from roilearn import models, reference
from roilearn.reference import BELOW_LOW_THRESHOLD, BETWEEN_THRESHOLDS, match

TABLES = arrays(
    np.float32,
    st.tuples(st.integers(0, 4), st.integers(0, 12)),
    elements=st.sampled_from([np.float32(tenth / 10) for tenth in range(11)]),
)
"""Overlaps in tenths: ties, and values on the very thresholds, are common."""


@given(TABLES, st.sampled_from([(0.7, 0.3), (0.5, 0.5), (1.0, 0.0)]), st.booleans())
def test_the_implementations_agree(iou, thresholds, allow):
    loop = match(iou, *thresholds, allow)
    assert models.match(torch.tensor(iou), *thresholds, allow).tolist() == loop.tolist()


@given(TABLES)
def test_without_the_rule_the_best_overlap_alone_decides(iou):
    matches = match(iou, 0.7, 0.3, allow_low_quality_matches=False)
    best = iou.max(0, initial=0)
    assert ((matches == BELOW_LOW_THRESHOLD) == (best < np.float32(0.3))).all()
    assert ((matches >= 0) == (best >= np.float32(0.7))).all()
    for anchor in np.flatnonzero(matches >= 0):
        assert matches[anchor] == iou[:, anchor].argmax()


@given(TABLES)
def test_the_rule_adds_the_best_anchors_of_each_object_and_nothing_else(iou):
    without, matches = match(iou, 0.7, 0.3, False), match(iou, 0.7, 0.3, True)
    needed = np.zeros(iou.shape[1], bool)
    for overlaps in iou:
        needed |= overlaps == overlaps.max(initial=0)
    assert (matches[needed] == iou[:, needed].argmax(0)).all() if len(iou) else not needed.any()
    assert (matches[~needed] == without[~needed]).all()


@pytest.fixture(params=["reference", "models"])
def either(request):
    if request.param == "reference":
        return lambda iou, *settings: reference.match(np.array(iou, "f"), *settings).tolist()
    return lambda iou, *settings: models.match(torch.tensor(iou), *settings).tolist()


def test_an_overlap_of_just_a_threshold(either):
    assert either([[0.7, 0.3]], 0.7, 0.3, False) == [0, BETWEEN_THRESHOLDS]
    below = float(np.nextafter(np.float32(0.7), np.float32(0)))
    assert either([[below, below - 0.4]], 0.7, 0.3, False) == [
        BETWEEN_THRESHOLDS,
        BELOW_LOW_THRESHOLD,
    ]


def test_all_anchors_that_tie_are_matched(either):
    assert either([[0.2, 0.1, 0.2, 0.0]], 0.7, 0.3) == [
        0,
        BELOW_LOW_THRESHOLD,
        0,
        BELOW_LOW_THRESHOLD,
    ]


def test_an_anchor_that_an_object_needs_may_go_to_another(either):
    """Object 1 overlaps anchor 0 best, but anchor 0 overlaps object 0 more: object 1 gets none."""
    assert either([[0.9, 0.0], [0.2, 0.1]], 0.7, 0.3) == [0, BELOW_LOW_THRESHOLD]
    assert either([[0.6, 0.65], [0.4, 0.1]], 0.7, 0.3) == [0, 0]


def test_of_equal_overlaps_the_first_object_counts(either):
    assert either([[0.8], [0.8]], 0.7, 0.3) == [0]


def test_an_object_that_meets_no_anchor_takes_all_that_do_not_touch_it(either):
    assert either([[0.0, 0.0], [0.8, 0.0]], 0.7, 0.3) == [1, 0]
    assert either([[0.0] * 4, [0.8, 0.1, 0.35, 0.0]], 0.7, 0.3) == [1, 1, 1, 0]
    assert either([[0.0, 0.0]], 0.7, 0.3, False) == [BELOW_LOW_THRESHOLD] * 2


def test_without_objects_all_is_background(either):
    assert either(np.zeros((0, 3), "f"), 0.7, 0.3) == [BELOW_LOW_THRESHOLD] * 3
    assert either(np.zeros((2, 0), "f"), 0.7, 0.3) == []


@pytest.mark.parametrize(
    ("iou", "thresholds", "message"),
    [
        ([0.5], (0.7, 0.3), r"iou must have shape \(T, A\).*got shape \(1,\)"),
        ([[0.5]], (0.3, 0.7), "low_threshold must be at most high_threshold; got 0.7 and 0.3"),
        ([[0.5]], (70, 30), "high_threshold must lie from 0 to 1; got 70"),
    ],
)
def test_what_is_refused(either, iou, thresholds, message):
    with pytest.raises(ValueError, match=message):
        either(iou, *thresholds)


def test_types_that_are_refused(either):
    with pytest.raises(TypeError, match="allow_low_quality_matches must be True or False"):
        either([[0.5]], 0.7, 0.3, "no")
    with pytest.raises(TypeError, match="iou must be a torch tensor"):
        models.match([[0.5]], 0.7, 0.3)
    with pytest.raises(TypeError, match="iou must be floating point"):
        match([[1]], 0.7, 0.3)
