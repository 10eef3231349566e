"""Figures of chapter 5 show the operators' own numbers."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection

from roilearn import plot, reference


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_the_dashed_mean_and_the_weights_are_those_of_the_exact_integral():
    row = np.array([1.0, 2, 9, 3, 1, 6])
    above, below = plot.hats_under_a_bin(row, 1.25, 4.5).axes
    lines = [part for part in above.collections if part.get_linestyle()[0][1]]
    (mean,) = {y for part in lines for path in part.get_paths() for y in path.vertices[:, 1]}
    cells, box = np.broadcast_to(row, (1, 1, 3, 6)), np.array([[0.0, 1.25, 1, 4.5, 2]])
    assert mean == pytest.approx(reference.prroi_pool(cells, box, 1, aligned=True).item())
    written = [float(text.get_text()) for text in below.texts]
    assert written == pytest.approx(reference.bin_weights(0.75, 4.0, 6), abs=0.005)


def test_each_curve_has_its_label_and_shares_become_per_cent():
    (axes,) = plot.coverage_by_bin_size([1, 2], {"1 sample": [1, 0.5], "adaptive": [1, 1]}).axes
    assert [line.get_label() for line in axes.lines[:2]] == ["1 sample", "adaptive"]
    assert axes.lines[0].get_ydata().tolist() == [100, 50]


def test_each_rule_has_a_panel_or_a_bar_at_each_stride():
    figure = plot.loss_by_shift([0, 1], {"1 sample": [1, 2], "exact": [0, 1]})
    assert [axes.get_title() for axes in figure.axes] == ["1 sample", "exact"]
    assert [axes.lines[0].get_markevery() for axes in figure.axes] == [[], []]
    figure = plot.errors_by_stride((4, 8), {"2 samples": [0.1, 0.2], "exact": [0.3, 0.4]})
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert heights == [0.1, 0.2, 0.3, 0.4]


def test_valleys_are_marked_in_their_own_panel():
    curves = {"1 sample": [1, 0, 1], "exact": [2, 1, 0]}
    one, exact = plot.loss_by_shift([0, 1, 2], curves, {"1 sample": np.array([1])}).axes
    assert one.lines[0].get_markevery() == [1]
    assert exact.lines[0].get_markevery() == []


def test_points_are_those_of_the_two_operators():
    ruler = np.broadcast_to(np.arange(12) + 0.5, (1, 1, 12, 12))
    box = np.array([[0.0, 2, 2, 8, 8]])
    bins, corners = plot.bin_centres_and_corner_grid(box[0, 1:], 4).axes
    read = reference.roi_align(ruler, box, (1, 4), 1.0, 1, aligned=True)[0, 0, 0]
    assert sorted({x for x, _ in points(bins)}) == pytest.approx(read)
    read = reference.crop_and_resize(ruler, box, (1, 4), aligned=True)[0, 0, 0]
    assert sorted({x for x, _ in points(corners)}) == pytest.approx(read)


def points(axes):
    return np.concatenate([part.get_offsets() for part in axes.collections])


def test_the_filled_bin_is_the_one_whose_channel_the_panel_shows():
    figure = plot.maps_by_position(np.zeros((2, 2, 6, 8)), (1, 1, 5, 3), np.zeros((2, 2)))
    panel = next(axes for axes in figure.axes if axes.get_title() == "channel 1")
    assert panel.patches[-1].get_bbox().bounds == (3, 1, 2, 1)


def test_a_rotated_box_has_the_corners_that_its_grid_reads():
    box = (6.0, 5.0, 4.0, 2.0, 30.0)
    x, y = np.meshgrid(np.arange(12) + 0.5, np.arange(12) + 0.5)
    rulers, fine = np.stack([x, y])[None], 40
    read = reference.roi_align_rotated(rulers, np.array([[0.0, *box]]), fine, 1.0, 1)[0]
    ends = read[:, [0, 0, -1, -1], [0, -1, -1, 0]].T
    assert np.abs(plot.rotated_box_corners(box) - ends).max() < 4 / fine
    figure = plot.rotated_box(np.zeros((12, 12)), box, {"one": np.zeros((2, 4))})
    outline = figure.axes[0].patches[0].get_xy()[:4]
    np.testing.assert_allclose(outline, plot.rotated_box_corners(box))


def test_a_moved_window_has_its_points_at_the_centres_of_their_cells():
    before, after = np.array([[1, 2], [3, 4.0]]), np.array([[1.5, 2], [3, 3.0]])
    left, right = plot.moved_window(np.zeros((6, 7)), before, after).axes
    assert left.collections[-1].get_offsets().tolist() == [[2.5, 1.5], [4.5, 3.5]]
    assert right.collections[-1].get_offsets().tolist() == [[2.5, 2], [3.5, 3.5]]
    (lines,) = (part for part in right.collections if isinstance(part, LineCollection))
    assert [line.tolist() for line in lines.get_segments()] == [
        [[2.5, 1.5], [2.5, 2]],
        [[4.5, 3.5], [3.5, 3.5]],
    ]


def test_each_rule_has_a_line_of_per_cent_over_the_sizes_of_a_bin():
    figure = plot.learned_boxes_by_bin_size(
        [2, 8], {"1 sample": [1, 0.5], "exact": [1, 1]}, ["2", "8"]
    )
    (axes,) = figure.axes
    assert [line.get_label() for line in axes.lines] == ["1 sample", "exact"]
    assert axes.lines[0].get_ydata().tolist() == [100, 50]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["2", "8"]
