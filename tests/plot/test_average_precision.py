"""Figures of chapter 14 show the curves and boxes that they are given."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from roilearn import plot


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_every_curve_has_a_panel_with_its_right_and_wrong_detections():
    curve = ([1, 0.5, 2 / 3], [1, 2 / 3, 2 / 3], [0.5, 0.5, 1])
    left, right = plot.precision_recall_curves({"one": curve, "two": curve}).axes
    assert [left.get_title(), right.get_title()] == ["one", "two"]
    filled, hollow = left.lines[2:]
    assert filled.get_xdata().tolist() == [0.5, 1]
    assert hollow.get_ydata().tolist() == [0.5]


def test_detections_have_their_letters():
    curve = ([1, 0.5], [1, 0.5], [0.5, 0.5])
    named, plain = plot.precision_recall_curves({"a": curve, "b": curve}, {"a": "GB"}).axes
    assert [(text.get_text(), text.xy) for text in named.texts] == [
        ("G", (0.5, 1)),
        ("B", (0.5, 0.5)),
    ]
    assert not plain.texts


def test_wrong_detections_are_dashed_and_objects_thin():
    box = [2.0, 3.0, 8.0, 9.0]
    found = [("0.9", box, 1, True), ("0.8", [1, 1, 4, 4], 2, False)]
    (axes,) = plot.right_and_wrong([np.ones((12, 12, 3))], [[box]], [found]).axes
    assert [line.get_linestyle() for line in axes.lines] == ["-", "-", "-", "--", "--"]
    assert axes.lines[0].get_linewidth() == 1
    assert [text.get_text() for text in axes.texts] == ["0.9", "0.8"]


def test_words_do_not_lie_on_each_other():
    boxes = [[2.0, 3.0, 30.0, 30.0], [3.0, 4.0, 30.0, 30.0], [2.0, 40.0, 30.0, 60.0]]
    found = [(name, box, 1, True) for name, box in zip("abc", boxes, strict=True)]
    (axes,) = plot.right_and_wrong([np.ones((64, 64, 3))], [[]], [found], margin=2).axes
    assert [text.get_position() for text in axes.texts] == [(3, 4), (4, 9), (3, 41)]
    assert axes.get_xlim() == (-2, 66)


def test_a_line_has_a_value_for_each_threshold():
    (axes,) = plot.over_a_threshold([0.5, 0.75], {"boxes": [0.9, 0.8]}, "IoU threshold").axes
    assert axes.lines[0].get_ydata().tolist() == [0.9, 0.8]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("IoU threshold", "AP")
