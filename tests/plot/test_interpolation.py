"""Figures of chapter 1 on linear interpolation draw the reference's own numbers."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from roilearn import plot

MAP = np.array([[0, 16, 64, 5], [32, 96, 48, 9], [16, 0, 80, 7.0]])


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def texts(axes):
    return {text.get_text() for text in axes.texts}


def points(axes):
    return {tuple(place) for marks in axes.collections for place in marks.get_offsets().tolist()}


def test_the_reading_lies_on_the_line_and_the_nearer_value_weighs_more():
    axes = plot.line_between([32, 96, 48], 0.75).axes[0]
    assert (0.75, 80.0) in points(axes)
    assert texts(axes) == {"80", "32, weight 0.25", "96, weight 0.75"}


def test_three_lines_read_two_rows_and_then_between_them():
    along, between = plot.three_lines(MAP, 1.5, 0.75).axes
    assert {(0.75, 80.0), (0.75, 4.0)} <= points(along)
    assert (1.5, 42.0) in points(between)


@pytest.mark.parametrize("place", [(1.5, 0.75), (0.2, 2.6)])
def test_the_weight_of_a_cell_is_the_area_that_is_filled(place):
    figure = plot.opposite_areas(*place, *MAP.shape)
    for axes in figure.axes:
        (rectangle,) = axes.patches
        weight = float(axes.get_title().split()[-1])
        assert rectangle.get_width() * rectangle.get_height() == pytest.approx(weight)


def test_a_filled_rectangle_does_not_touch_its_own_cell():
    axes = plot.opposite_areas(1.5, 0.75, *MAP.shape).axes[1]
    assert axes.get_title().startswith("cell (1, 1)")
    corners = axes.patches[0].get_corners()
    assert corners.min(axis=0).tolist() == [0, 1.5]
    assert corners.max(axis=0).tolist() == [0.75, 2]


def test_the_titles_of_chords_state_the_error_of_each_panel():
    figure = plot.chords(np.square, 2, (2, 1))
    assert [axes.get_title() for axes in figure.axes] == [
        "h = 2.00: error 1.000",
        "h = 1.00: error 0.250",
    ]


def test_slopes_are_level_between_whole_positions_and_0_beyond():
    lower = plot.value_and_slope([32, 96, 48]).axes[1]
    steps = [line.get_ydata() for line in lower.lines[1:]]
    assert [list(step) for step in steps] == [[0, 0], [64, 64], [-48, -48], [0, 0]]


def test_a_reading_and_its_adjoint_have_the_same_weights():
    forward, backward = plot.reading_and_adjoint([32, 96, 48], 0.75).axes
    assert {"0.25", "0.75", "80", "32", "96", "48"} == texts(forward) - {""}
    assert {"0.25", "0.75", "1", "0"} == texts(backward) - {""}


def test_the_surface_has_the_cells_in_their_places():
    cells, lines = plot.surface(MAP, (10, 30, 50)).axes
    np.testing.assert_array_equal(cells.images[0].get_array(), MAP)
    assert cells.images[0].get_extent() == [-0.5, 3.5, 2.5, -0.5]
    assert lines.get_title() == "lines of equal value"
    assert [list(line.get_xdata()) for line in lines.lines] == [[0, 3], [1, 1], [2, 2]]
    assert {"10", "30", "50"} >= texts(lines)
