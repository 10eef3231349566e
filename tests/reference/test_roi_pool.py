"""RoIPool: its bins, its maxima and its gradient."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from roilearn import reference

cells = st.integers(-4, 20)


@given(cells, cells, st.integers(1, 9))
def test_bins_cover_every_cell_of_the_box_that_lies_on_the_map(first, last, bins):
    limit = 16
    edges = reference.bin_edges(first, last, bins, limit)
    read = {i for start, stop in edges for i in range(start, stop)}
    inside = set(range(max(first, 0), min(max(last, first) + 1, limit)))
    assert read == inside


@given(st.integers(1, 40), st.integers(1, 9))
def test_bins_round_outwards_so_neighbours_share_at_most_one_cell(length, bins):
    edges = reference.bin_edges(0, length - 1, bins, limit=40)
    for (start, stop), (following, _) in pairwise(edges):
        assert start < stop
        assert following in (stop, stop - 1)


def test_five_cells_in_two_bins_share_the_middle_one():
    assert reference.bin_edges(3, 7, 2, limit=10) == [(3, 6), (5, 8)]


def test_the_99_in_the_middle_wins_all_four_bins():
    """A partition of the 3 x 3 cells, as often drawn, would give 99 to one bin only."""
    features = np.arange(9.0).reshape(1, 1, 3, 3)
    features[0, 0, 1, 1] = 99
    pooled = reference.roi_pool(features, np.array([[0.0, 0, 0, 2, 2]]), 2)
    assert_array_equal(pooled[0, 0], [[99, 99], [99, 99]])


def test_corners_round_half_away_and_the_last_cell_is_read():
    ramp = np.broadcast_to(np.arange(10.0), (1, 1, 10, 10))
    pooled = reference.roi_pool(ramp, np.array([[0.0, 2.5, 0, 4.5, 4]]), (1, 1))
    assert pooled.item() == 5
    smallest = -reference.roi_pool(-ramp, np.array([[0.0, 2.5, 0, 4.5, 4]]), (1, 1))
    assert smallest.item() == 3


def test_average_is_the_mean_of_the_cells_that_max_looks_at():
    features = np.random.RandomState(1).randn(2, 3, 7, 9)
    box = np.array([[1, 2.2, 1.4, 6.9, 5.1]])
    rows, columns = reference.bin_edges(1, 5, 2, 7), reference.bin_edges(2, 7, 3, 9)
    pooled = reference.roi_pool(features, box, (2, 3), mode="average")
    for i, (top, bottom) in enumerate(rows):
        for j, (left, right) in enumerate(columns):
            mean = features[1, :, top:bottom, left:right].mean(axis=(1, 2))
            assert_allclose(pooled[0, :, i, j], mean)


def test_a_bin_outside_the_map_is_zero_even_where_all_features_are_negative():
    features = np.full((1, 1, 4, 4), -5.0)
    pooled = reference.roi_pool(features, np.array([[0.0, 2, 2, 9, 9]]), 4)
    assert_array_equal(pooled[0, 0], [[-5, 0, 0, 0]] + [[0, 0, 0, 0]] * 3)


def test_nan_cells_are_passed_over_unless_there_is_nothing_else():
    features = np.array([[[[np.nan, 1.0], [np.nan, np.nan]]]])
    pooled = reference.roi_pool(features, np.array([[0.0, 0, 0, 1, 1]]), (2, 1))
    assert_array_equal(pooled[0, 0], [[1], [np.nan]])


def test_gradient_goes_to_the_first_of_equal_winners_and_adds_up():
    features = np.zeros((1, 1, 3, 3))
    box = np.array([[0.0, 0, 0, 2, 2]])
    spread = reference.roi_pool_backward(np.ones((1, 1, 2, 2)), features, box)
    assert_array_equal(spread[0, 0], [[1, 1, 0], [1, 1, 0], [0, 0, 0]])


def test_minus_infinity_wins_over_nan_and_is_paid():
    features = np.array([[[[np.nan, -np.inf], [-np.inf, np.nan]]]])
    box, one = np.array([[0.0, 0, 0, 1, 1]]), np.ones((1, 1, 1, 1))
    assert_array_equal(reference.roi_pool(features, box, 1), -np.inf * one)
    assert_array_equal(reference.roi_pool_backward(one, features, box)[0, 0], [[0, 1], [0, 0]])


@pytest.mark.parametrize("mode", ["max", "average"])
def test_gradient_is_the_slope_of_the_output(mode):
    state = np.random.RandomState(2)
    features, gradient = state.randn(2, 2, 6, 8), state.randn(2, 2, 2, 3)
    boxes = np.array([[0, 1.2, 0.4, 6.3, 4.8], [1, 3.0, 2.0, 9.0, 9.0]])
    step = 1e-6 * state.randn(*features.shape)
    spread = reference.roi_pool_backward(gradient, features, boxes, mode=mode)
    above = reference.roi_pool(features + step, boxes, (2, 3), mode=mode)
    below = reference.roi_pool(features - step, boxes, (2, 3), mode=mode)
    assert_allclose((spread * step).sum(), (gradient * (above - below)).sum() / 2, rtol=1e-6)


def test_an_unknown_mode_is_named():
    with pytest.raises(ValueError, match="mode must be one of 'max', 'average'; got 'mean'"):
        reference.roi_pool(np.ones((1, 1, 2, 2)), np.zeros((1, 5)), 1, mode="mean")
