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
    bags, cells = plot.matrix_and_transposed(MATRIX).axes
    wanted = {(0, 0), (1, 0), (1, 1), (2, 1)}
    assert {tuple(at) for at in bags.collections[0].get_offsets()} == wanted
    assert {tuple(at)[::-1] for at in cells.collections[0].get_offsets()} == wanted


def test_each_count_has_its_line_and_each_amount_its_bar():
    (axes,) = plot.entries_by_size([1, 2], {"samples": [4, 9], "merged": [3, 5]}).axes
    assert [line.get_label() for line in axes.lines] == ["samples", "merged"]
    assert axes.lines[1].get_ydata().tolist() == [3, 5]
    (axes,) = plot.megabytes({"gather": 1204.2, "bag": 100}).axes
    assert [bar.get_width() for bar in axes.patches] == [1204.2, 100]
    assert [text.get_text().strip() for text in axes.texts] == ["1,204", "100"]
