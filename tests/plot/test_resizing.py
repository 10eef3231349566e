"""Figures of chapter 1 on resizing draw the positions and weights of each grid rule."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from roilearn import plot, reference


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_displacement_shows_how_far_from_half_pixel_each_rule_reads():
    axes = plot.displacement(8, 2).axes[0]
    shifts = {line.get_label(): line.get_ydata() for line in axes.lines}
    assert tuple(shifts) == reference.GRID_RULES
    np.testing.assert_allclose(shifts["corner"], 0.375)
    np.testing.assert_allclose(shifts["half_pixel"], 0)
    np.testing.assert_allclose(shifts["align_corners"][[0, -1]], [0.375, -0.375])
    assert shifts["corner_truncated"].mean() == pytest.approx(0)
    assert {text.get_text(): text.xy for text in axes.texts} == {
        "corner": (1.875, 0.375),
        "corner_truncated": (0.875, -0.375),
        "half_pixel": (1.875, 0),
        "align_corners": (1.875, -0.375),
    }


def test_pictures_fill_their_panels_whatever_their_size():
    small, large = np.zeros((2, 3)), np.zeros((8, 12))
    figure = plot.image_grid({"small": small, "large": large}, columns=2, marks=(0.5, 0.25))
    assert [axes.get_title() for axes in figure.axes] == ["small", "large"]
    assert [axes.images[0].get_extent() for axes in figure.axes] == [[0, 3, 2, 0], [0, 12, 8, 0]]
    across = [axes.lines[0].get_xdata()[0] for axes in figure.axes]
    assert across == [1.5, 6]


def test_profiles_lie_over_each_other_in_pixels_of_the_input():
    rows = {"input": [0, 1], "corner_truncated": [0, 0, 1, 1]}
    axes = plot.edge_profiles(rows, 0.5, (0, 2)).axes[0]
    first, second, level = axes.lines
    assert list(first.get_xdata()) == [0.5, 1.5]
    assert list(second.get_xdata()) == [0.25, 0.75, 1.25, 1.75]
    assert second.get_drawstyle() == "steps-mid"
    assert set(level.get_ydata()) == {0.5}
    assert [text.get_text() for text in axes.texts] == ["0.5"]


def test_bars_are_the_column_sums_of_the_resize():
    figure = plot.weight_sums(8, 5)
    for axes, rule in zip(figure.axes, reference.GRID_RULES, strict=True):
        heights = [bar.get_height() for bar in axes.patches]
        ramp = reference.resize_linear(np.arange(5.0), 8, rule)
        assert sum(heights) == pytest.approx(8)
        assert np.dot(heights, np.arange(5)) == pytest.approx(ramp.sum())
