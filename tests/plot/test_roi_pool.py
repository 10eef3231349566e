"""Figures of chapter 3 show the operator's own numbers."""

import numpy as np
from matplotlib import pyplot as plt

from roilearn import plot, reference
from roilearn.plot.roi_pool import argmax_cells

DIGITS = np.array([[3, 1, 4, 1], [5, 9, 2, 6], [5, 3, 5, 8], [9, 7, 9, 3.0]])
BOX = (0.7, 0.2, 2.6, 2.4)


def test_the_output_panel_prints_what_roi_pool_returns():
    figure = plot.pooled_box(DIGITS, BOX, (2, 2))
    printed = [float(text.get_text()) for text in figure.axes[1].texts]
    pooled = reference.roi_pool(DIGITS[None, None], np.array([[0, *BOX]]), 2)
    np.testing.assert_array_equal(printed, pooled.ravel())
    plt.close(figure)


def test_winners_are_the_cells_that_hold_the_pooled_values():
    cells = argmax_cells(DIGITS, np.array([0, *BOX]), (2, 2))
    assert cells == {(1, 1), (3, 1), (3, 2)}


def test_each_bin_is_a_bar_from_its_start_to_its_stop():
    edges = reference.bin_edges(0, 11, 7, limit=38)
    figure = plot.bins_along_an_axis(edges, cells=12)
    bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in figure.axes[0].patches]
    assert bars == edges
    plt.close(figure)


def test_only_cells_with_gradient_are_shaded():
    spread = np.zeros((3, 4))
    spread[1, 2] = 2
    figure = plot.cells_with_gradient(np.ones((3, 4)), {"one": spread}, (0, 0, 4, 3))
    shaded = [patch.get_xy() for patch in figure.axes[0].patches if patch.get_fill()]
    assert shaded == [(2, 1)]
    plt.close(figure)


def test_a_line_for_each_operator():
    figure = plot.output_by_shift([0, 1], {"pool": [0, 1], "align": [0, 2]}, "shift")
    assert [line.get_label() for line in figure.axes[0].lines] == ["RoIPool", "RoIAlign"]
    plt.close(figure)
