"""Box coding: numbers by hand, and the laws of deltas."""

import math

import numpy as np
import pytest
from boxes import draw
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from roilearn import reference

HEADS = (10.0, 10.0, 5.0, 5.0)
ANCHOR = [[0, 5, 10, 15]]


@pytest.mark.parametrize(
    ("box", "deltas"),
    [
        ([0, 5, 10, 15], [0, 0, 0, 0]),
        ([3, 5, 13, 15], [0.3, 0, 0, 0]),
        ([0, 1, 10, 11], [0, -0.4, 0, 0]),
        ([-5, 5, 15, 15], [0, 0, math.log(2), 0]),
        ([0, 7.5, 10, 12.5], [0, 0, 0, -math.log(2)]),
        ([0, 5, 20, 15], [0.5, 0, math.log(2), 0]),
    ],
)
def test_one_move_at_a_time(box, deltas):
    assert_allclose(reference.encode_boxes([box], ANCHOR), [deltas])
    assert_allclose(reference.encode_boxes([box], ANCHOR, HEADS), [np.multiply(deltas, HEADS)])
    assert_allclose(reference.decode_boxes(np.array([deltas], float), ANCHOR), [box])


seeds = st.integers(0, 999)


def pairs(seed):
    return [draw("inside", 6, (1, 1, 40, 60), seed=seed + k)[:, 1:].astype(float) for k in (0, 1)]


@given(seeds, st.sampled_from([(1, 1, 1, 1), HEADS, (2.0, 3.0, 0.5, 7.0)]))
def test_decoding_undoes_encoding(seed, weights):
    boxes, anchors = pairs(seed)
    deltas = reference.encode_boxes(boxes, anchors, weights)
    assert_allclose(reference.decode_boxes(deltas, anchors, weights), boxes, atol=1e-9)


@given(seeds, st.floats(0.25, 8), st.floats(-99, 99), st.floats(-99, 99))
def test_deltas_do_not_know_where_or_how_large_the_pair_is(seed, scale, right, down):
    boxes, anchors = pairs(seed)
    moved = [scale * rows + [right, down, right, down] for rows in (boxes, anchors)]
    before = reference.encode_boxes(boxes, anchors)
    assert_allclose(reference.encode_boxes(*moved), before, atol=1e-9)


def test_a_side_grows_by_62_and_a_half_at_most():
    deltas = np.array([[0, 0, 99.0, -99.0]])
    x1, y1, x2, y2 = reference.decode_boxes(deltas, ANCHOR)[0]
    assert_allclose([x2 - x1, y2 - y1], [625, 0], atol=1e-12)
    x1, y1, x2, y2 = reference.decode_boxes(deltas / 10, ANCHOR, scale_clamp=math.inf)[0]
    assert_allclose([x2 - x1, y2 - y1], [10 * math.exp(9.9), 10 * math.exp(-9.9)])


def test_a_row_for_each_class_moves_the_same_anchor():
    deltas = np.random.RandomState(0).randn(6, 3, 4)
    _, anchors = pairs(0)
    decoded = reference.decode_boxes(deltas, anchors)
    for c in range(3):
        assert_array_equal(decoded[:, c], reference.decode_boxes(deltas[:, c], anchors))


def test_no_boxes():
    nothing = np.zeros((0, 4))
    assert reference.encode_boxes(nothing, nothing).shape == (0, 4)
    assert reference.decode_boxes(np.zeros((0, 3, 4)), nothing).shape == (0, 3, 4)
