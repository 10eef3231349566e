"""Laws of linear and bilinear interpolation, their gradients and their adjoint."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from roilearn import reference

numbers = st.floats(-100, 100, width=32)
signals = arrays(float, st.integers(1, 7), elements=numbers)
images = arrays(float, st.tuples(st.integers(1, 6), st.integers(1, 7)), elements=numbers)
positions = st.floats(-3, 9)


@given(signals, positions)
def test_value_lies_between_the_two_neighbours(values, position):
    low, high, _ = reference.neighbours(position, len(values))
    smallest, largest = sorted([values[low], values[high]])
    assert smallest - 1e-9 <= reference.linear(values, position) <= largest + 1e-9


@given(signals)
def test_whole_positions_give_the_values_themselves(values):
    assert_allclose([reference.linear(values, i) for i in range(len(values))], values)


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(0, 6))
def test_a_straight_line_is_reproduced_between_its_values(slope, start, position):
    line = start + slope * np.arange(7)
    assert_allclose(reference.linear(line, position), start + slope * position, atol=1e-9)


def test_beyond_the_ends_the_value_is_that_of_the_end():
    assert reference.linear([3, 5, 9], -7.0) == 3
    assert reference.linear([3, 5, 9], 2.5) == 9


def test_slope_on_a_curve_is_the_difference_of_the_neighbours_and_right_of_a_value():
    squares = np.arange(6.0) ** 2
    assert reference.linear_gradient(squares, 2.4) == 5
    assert reference.linear_gradient(squares, 2.0) == 5
    assert reference.linear_gradient(squares, 0.0) == 1
    assert reference.linear_gradient(squares, -0.1) == 0
    assert reference.linear_gradient(squares, 5.0) == 0


@given(signals, positions, numbers)
def test_linear_adjoint_is_the_transpose(values, position, gradient):
    spread = reference.linear_adjoint(gradient, position, len(values))
    gathered = gradient * reference.linear(values, position)
    assert_allclose((values * spread).sum(), gathered, atol=1e-6)


@given(st.floats(-2, 7), st.floats(-2, 8))
def test_weights_are_the_opposite_areas_and_sum_to_one(row, column):
    weights = reference.bilinear_weights(row, column, 5, 6)
    row, column = np.clip(row, 0, 4), np.clip(column, 0, 5)
    assert_allclose(sum(weight for *_, weight in weights), 1)
    for i, j, weight in weights:
        opposite = (1 - abs(row - i)) * (1 - abs(column - j))
        on_the_last_cell = i == 4 or j == 5
        assert weight == pytest.approx(opposite) or on_the_last_cell


def test_nearest_cell_weighs_most():
    weights = reference.bilinear_weights(1.1, 2.8, 5, 6)
    assert max(weights, key=lambda w: w[2])[:2] == (1, 3)


@given(images, positions, positions)
def test_bilinear_is_three_linear_interpolations(image, row, column):
    along_rows = [reference.linear(line, column) for line in image]
    assert_allclose(
        reference.bilinear(image, row, column), reference.linear(along_rows, row), atol=1e-9
    )


def test_channels_are_read_at_the_same_place():
    image = np.random.RandomState(0).randn(2, 3, 4, 5)
    together = reference.bilinear(image, 1.3, 2.6)
    apart = [[reference.bilinear(channel, 1.3, 2.6) for channel in pair] for pair in image]
    assert_allclose(together, apart)


@given(images, st.floats(-2, 7), st.floats(-2, 7))
def test_position_gradient_is_the_slope_of_the_surface(image, row, column):
    step = 1e-4
    for position in (row, column):
        if abs(position - round(position)) < 2 * step:
            return  # a kink: the slope from the left is another
    by_row, by_column = reference.bilinear_gradient(image, row, column)
    rise = [
        reference.bilinear(image, row + a * step, column + b * step)
        for a, b in ((1, 0), (-1, 0), (0, 1), (0, -1))
    ]
    assert_allclose(by_row, (rise[0] - rise[1]) / (2 * step), atol=1e-6)
    assert_allclose(by_column, (rise[2] - rise[3]) / (2 * step), atol=1e-6)


@given(images, positions, positions, numbers)
def test_bilinear_adjoint_is_the_transpose(image, row, column, gradient):
    spread = reference.bilinear_adjoint(gradient, row, column, *image.shape)
    gathered = gradient * reference.bilinear(image, row, column)
    assert_allclose((image * spread).sum(), gathered, atol=1e-6)


def test_adjoint_pays_at_most_four_cells_and_pays_each_channel_its_own():
    spread = reference.bilinear_adjoint(np.array([1.0, 10.0]), 1.25, 2.5, 4, 5)
    assert (spread != 0).sum() == 8
    assert_allclose(spread[1], 10 * spread[0])


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_position_that_is_no_place_raises(bad):
    with pytest.raises(ValueError, match="row must be a finite index coordinate"):
        reference.bilinear(np.ones((2, 2)), bad, 0)
    with pytest.raises(ValueError, match="position must be a finite index coordinate"):
        reference.linear([1, 2], bad)


@pytest.mark.parametrize("bad", [np.ones(3), np.ones((0, 3)), np.ones((2, 0))])
def test_an_image_without_cells_raises(bad):
    with pytest.raises(ValueError, match="image must have 2 dimensions"):
        reference.bilinear(bad, 0, 0)


def test_a_signal_must_have_one_dimension_and_a_value():
    with pytest.raises(ValueError, match=r"values must have 1 dimension; got shape \(2, 2\)"):
        reference.linear(np.ones((2, 2)), 0)
    with pytest.raises(ValueError, match="values must have 1 dimension"):
        reference.linear([], 0)
