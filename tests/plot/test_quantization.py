"""Figures of chapter 2 show the numbers that they are given, each in its own unit."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from roilearn import plot, reference
from roilearn.palette import COLOURS


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_the_ruler_prints_how_far_each_answer_lies_from_the_true_end():
    figure = plot.box_end_on_ruler(665, 32, {"floor": 20, "nearest": 21, "with its end": 22})
    printed = [text.get_text() for text in figure.axes[0].texts]
    assert [text for text in printed if text[0] in "+-"] == ["-25 px", "+7 px", "+39 px"]


def test_each_rule_has_a_panel_with_its_answers_at_the_halves():
    values = np.linspace(-2.5, 3, 1101)
    rules = {rule: reference.quantize(values, rule) for rule in reference.ROUNDING_RULES}
    figure = plot.rounding_rules(values, rules)
    for axes, rule in zip(figure.axes, rules, strict=True):
        dots = axes.collections[0].get_offsets()
        np.testing.assert_allclose(dots[:, 0], [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5], atol=1e-12)
        np.testing.assert_array_equal(dots[:, 1], reference.quantize(dots[:, 0].round(1), rule))
        assert axes.get_title() == rule


def test_bins_are_filled_bars_and_equal_parts_of_the_box_outlined_ones():
    bins = reference.bin_edges(0, 21, 7, limit=25)
    figure = plot.bins_and_equal_parts(bins, 0, 20.78125)
    bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in figure.axes[0].patches]
    assert bars[::2] == bins
    np.testing.assert_allclose(bars[1::2], [(2.96875 * i, 2.96875 * (i + 1)) for i in range(7)])


def test_a_box_far_from_the_map_s_border_is_drawn_without_the_cells_before_it():
    figure = plot.bins_and_equal_parts([(4, 7), (6, 9)], 4, 8)
    assert figure.axes[0].get_xlim()[0] == 4
    assert list(figure.axes[0].get_xticks()) == [4, 5, 6, 7, 8, 9]


def test_evenly_spread_moves_give_a_flat_histogram_in_percent():
    moves = np.arange(-7.75, 8.25, 0.25)
    figure = plot.edge_displacements({"left": moves, "right": moves + 16}, 16)
    for axes in figure.axes:
        heights = np.array([bar.get_height() for bar in axes.patches])
        assert heights.sum() == pytest.approx(100)
        np.testing.assert_allclose(heights[heights > 0], 100 / 16)


def test_histograms_of_moves_stand_one_below_the_other_on_one_axis():
    figure = plot.edge_displacements({"left": [-1.0, 1.0], "right": [15.0, 17.0]}, 16)
    left, right = (axes.get_position() for axes in figure.axes)
    assert left.x0 == right.x0
    assert left.y0 > right.y1
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()


def test_the_sliding_box_shows_true_edges_and_what_is_read():
    x1, read = np.arange(3), np.array([[0, 64], [0, 64], [16, 64]])
    figure = plot.sliding_edges(x1, 40, read, [0.6, 0.6, 0.8])
    lines = [line.get_ydata().tolist() for line in figure.axes[0].lines]
    assert lines == [[0, 0, 16], [64, 64, 64], [0, 1, 2], [40, 41, 42]]
    assert figure.axes[1].lines[0].get_ydata().tolist() == [0.6, 0.6, 0.8]


def test_iou_is_drawn_over_pixels_and_over_cells():
    sides, curves = np.array([32, 64]), {8: [0.5, 0.7], 16: [0.3, 0.5]}
    figure = plot.iou_by_size(sides, curves, {8: [0.8, 0.9], 16: [0.6, 0.8]})
    pixels, cells = figure.axes
    assert [line.get_xdata().tolist() for line in pixels.lines] == [[32, 64], [32, 64]]
    assert [line.get_xdata().tolist() for line in cells.lines[::2]] == [[4, 8], [2, 4]]
    assert [line.get_ydata().tolist() for line in cells.lines] == [
        [0.5, 0.7],
        [0.8, 0.9],
        [0.3, 0.5],
        [0.6, 0.8],
    ]


def test_the_photograph_is_tinted_where_box_and_region_differ():
    photo = np.ones((40, 60, 3))
    figure = plot.regions_on_photograph(photo, (10, 10, 30, 30), {8: (16, 8, 40, 32)})
    picture = figure.axes[0].images[0].get_array()
    tinted = {kind: 0.5 + 0.5 * np.array(to_rgb(COLOURS[kind])) for kind in ("pool", "loss")}
    area = {kind: np.isclose(picture, colour).all(axis=2).sum() for kind, colour in tinted.items()}
    shared = (30 - 16) * (30 - 10)
    assert area == {"pool": 24 * 24 - shared, "loss": 20 * 20 - shared}


def test_crops_have_the_size_of_their_regions():
    photo = np.zeros((40, 60, 3))
    figure = plot.crops(photo, {"box": (10, 10, 30, 25), "read": (8, 8, 40, 32)})
    assert [axes.images[0].get_array().shape[:2] for axes in figure.axes] == [(15, 20), (24, 32)]


@pytest.mark.parametrize(("count", "rows"), [(1, 1), (2, 1), (3, 2), (4, 2)])
def test_crops_stand_two_a_row(count, rows):
    figure = plot.crops(np.zeros((8, 8, 3)), {str(i): (0, 0, 4, 4) for i in range(count)})
    figure.draw_without_rendering()
    places = [axes.get_subplotspec() for axes in figure.axes]
    assert len(places) == count
    assert {place.rowspan.start for place in places} == set(range(rows))


def test_only_what_does_not_overlap_has_the_colour_of_loss():
    mask, moved = np.eye(28, dtype=bool), np.eye(28, k=1, dtype=bool)
    figure = plot.shifted_masks(mask, {"same": mask, "moved": moved})
    pictures = [axes.images[0].get_array() for axes in figure.axes]
    red = [np.isclose(picture, to_rgb(COLOURS["loss"])).all(axis=2).sum() for picture in pictures]
    assert red == [0, 28 + 27]
