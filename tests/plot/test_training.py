"""Figures of chapter 13 show what they are given."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from roilearn import plot
from roilearn.palette import CLASSES, COLOURS


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def test_pictures_have_masks_boxes_and_names():
    image = np.full((20, 30, 3), 0.5)
    masks = np.zeros((2, 20, 30))
    masks[0, 4:8, 5:15], masks[1, 10:15, 20:25] = 1, 1
    target = {"boxes": [[5, 4, 15, 8], [20, 10, 25, 15]], "labels": [2, 1], "masks": masks}
    empty = {"boxes": np.zeros((0, 4)), "labels": [], "masks": np.zeros((0, 20, 30))}
    figure = plot.pictures_with_targets({"one": image, "none": image}, [target, empty], "ab")
    first, second = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["one", "none"]
    assert [text.get_text() for text in first.texts] == ["b", "a"]
    assert [patch.get_bbox().extents.tolist() for patch in first.patches] == target["boxes"]
    shown = first.images[0].get_array()
    assert (shown[0, 0] == 0.5).all()
    assert (image == 0.5).all()  # the picture itself is left as it is
    hue = [int(CLASSES[1][n : n + 2], 16) / 255 for n in (1, 3, 5)]
    np.testing.assert_allclose(shown[5, 6], 0.55 * 0.5 + 0.45 * np.array(hue))
    assert not second.patches


def test_each_schedule_is_a_line():
    axes = plot.learning_rates({"one": [0, 1, 2], "other": [2, 1, 0]}).axes[0]
    assert [line.get_label() for line in axes.lines] == ["one", "other"]
    assert list(axes.lines[1].get_ydata()) == [2, 1, 0]
    assert axes.lines[0].get_linestyle() != axes.lines[1].get_linestyle()


def test_losses_of_a_run_are_drawn_raw_and_smoothed():
    losses = {"a": [4, 2, 4, 2], "b": [1, 1, 1, 1], "c": [0, 0, 0, 0]}
    first, second, third = plot.losses_of_run([1, 2, 3, 4], losses, 2, {"b": 1.5}).axes
    assert list(first.lines[0].get_ydata()) == losses["a"]
    assert list(first.lines[1].get_xdata()) == [1.5, 2.5, 3.5]
    assert list(first.lines[1].get_ydata()) == [3, 3, 3]
    assert (len(first.lines), len(second.lines)) == (2, 3)
    assert second.lines[2].get_ydata()[0] == 1.5
    assert second.get_ylim()[1] > 1.5
    assert third.get_title(loc="left") == "c"


def test_charts_show_each_run_beside_the_healthy_one():
    healthy = {"loss_a": [3, 2], "loss_b": [1, 1]}
    runs = {"1": {"loss_a": [3, 3], "loss_b": [5, 4]}, "2": healthy}
    figure = plot.charts_of_runs([1, 10], healthy, runs)
    assert len(figure.axes) == 4
    ours, theirs = figure.axes[1].lines
    assert list(ours.get_ydata()) == [1, 1]
    assert list(theirs.get_ydata()) == [5, 4]
    assert theirs.get_color() == COLOURS["loss"]
    assert [figure.axes[n].get_title() for n in (0, 1)] == ["a", "b"]
    assert [figure.axes[n].get_ylabel() for n in (0, 2)] == ["1", "2"]
