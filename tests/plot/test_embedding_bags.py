"""Figures of chapter 6 show the entries and the bytes that they are given."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from roilearn import plot

MATRIX = np.array([[0.5, 0.5, 0, 0], [0, 0.25, 0.75, 0], [0, 0, 0, 0]])


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_a_row_or_a_column_of_the_matrix_is_outlined():
    _, (left, right) = plot.new_figure(2)
    plot.draw_matrix(left, MATRIX, bag=1)
    plot.draw_matrix(right, MATRIX, cell=2)
    assert left.patches[0].get_bbox().bounds == (0, 1, 4, 1)
    assert right.patches[0].get_bbox().bounds == (2, 0, 1, 3)
    assert left.collections[0].get_array().tolist() == MATRIX.tolist()


def test_the_same_entries_stand_in_both_orders():
    bags, cells = plot.matrix_and_transpose(MATRIX).axes
    wanted = {(0, 0), (1, 0), (1, 1), (2, 1)}
    assert {tuple(at) for at in bags.collections[0].get_offsets()} == wanted
    assert {tuple(at)[::-1] for at in cells.collections[0].get_offsets()} == wanted


def test_each_count_has_its_line_and_each_amount_its_bar():
    (axes,) = plot.entries_by_size([1, 2], {"samples": [4, 9], "merged": [3, 5]}).axes
    assert [line.get_label() for line in axes.lines] == ["samples", "merged"]
    assert axes.lines[1].get_ydata().tolist() == [3, 5]
    (axes,) = plot.megabytes({"gather": 1204.2, "lists": 6.468}).axes
    assert [bar.get_width() for bar in axes.patches] == [1204.2, 6.468]
    assert [text.get_text().strip() for text in axes.texts] == ["1,204", "6.5"]


def test_a_cell_lies_in_as_many_lines_as_it_has_channels_or_in_few():
    by_map, by_cell = plot.memory_layouts(channels=4, cells=8, chosen=3, line=4).axes
    assert [bar.get_x() for bar in by_map.containers[0]] == [3, 11, 19, 27]
    assert [bar.get_x() for bar in by_cell.containers[0]] == [12, 13, 14, 15]
    shaded = [len(axes.patches) - 4 for axes in (by_map, by_cell)]
    assert shaded == [4, 1]


def test_the_gradient_of_each_cell_is_drawn_over_the_photograph_s_pixels():
    amounts = np.arange(6.0).reshape(2, 3)
    figure = plot.gradient_per_cell(np.zeros((32, 48, 3), np.uint8), [(1, 2, 30, 31)], amounts)
    left, right, bar = figure.axes
    assert bar.get_ylabel() == "gradient"
    assert right.images[0].get_extent() == [0, 48, 32, 0]
    assert right.images[0].get_array().tolist() == amounts.tolist()
    for axes in (left, right):
        assert axes.patches[0].get_bbox().bounds == (1, 2, 29, 29)
