"""Figures of chapter 12 show the boxes, scores and pixels that they are given."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex

from roilearn import plot

IMAGE = np.full((20, 30, 3), 0.5)
BOX = [6.0, 4.0, 18.0, 16.0]


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_every_loss_has_a_curve_in_its_panel():
    x = np.linspace(-1, 1, 5)
    left, right = plot.loss_curves(x, {"one": x, "two": -x}, x, {"three": x**2}).axes
    assert [len(axes.lines) for axes in (left, right)] == [2, 1]
    np.testing.assert_array_equal(right.lines[0].get_ydata(), x**2)


def test_scores_are_bars_and_every_class_has_its_box():
    scores = {"background": 0.1, "disc": 0.7, "square": 0.2}
    boxes = [BOX, [1, 2, 8, 9]]
    bars, *scenes = plot.classes_of_proposal(IMAGE, scores, boxes, BOX).axes
    assert [patch.get_width() for patch in bars.patches] == [0.1, 0.7, 0.2]
    assert [axes.get_title() for axes in scenes] == ["disc", "square"]
    lines = [axes.lines[-1] for axes in scenes]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in lines] == [(6, 4), (1, 2)]
    assert [line.get_color() for line in lines] == [
        to_hex(patch.get_facecolor()).upper() for patch in bars.patches[1:]
    ]


def test_boxes_have_the_colours_of_their_classes():
    steps = {"before": ([BOX, BOX, BOX], [1, 2, 2]), "after": ([BOX], [2])}
    figure = plot.detection_steps(IMAGE, steps, ["disc", "square"])
    before, after = figure.axes
    colours = [line.get_color() for line in before.lines[1::2]]
    assert colours[0] == colours[1] != colours[2]  # the first box is drawn last
    assert after.lines[1].get_color() == colours[1]
    assert len(after.lines) == 2
    keys = {line.get_label(): line.get_color() for line in figure.legends[0].get_lines()}
    assert keys == {"disc": colours[2], "square": colours[1]}


def test_maps_stand_in_rows_of_rules_and_columns_of_classes():
    maps = {name: np.full((4, 4), value) for name, value in (("disc", 0.2), ("square", 0.9))}
    panels = plot.maps_of_classes({"sigmoid": maps, "softmax": maps}).axes
    assert [axes.get_title() for axes in panels] == ["disc", "square"] * 2
    assert panels[2].get_ylabel() == "softmax"
    assert panels[1].images[0].get_array().max() == 0.9


def test_missing_pixels_and_those_too_many_are_told_apart():
    truth, pasted = np.zeros((20, 30), bool), np.zeros((20, 30), bool)
    truth[4:16, 6:18], pasted[4:16, 7:20] = True, True
    (axes,) = plot.paste_errors(truth, {"moved": pasted, "right": truth}, BOX).axes[:1]
    shown = [int(image.get_array().count()) for image in axes.images]
    assert shown == [12 * 11, 12, 24]


def test_the_mask_lies_in_the_last_panel():
    mask = np.zeros((20, 30), bool)
    mask[5:9, 7:12] = True
    *first, last = plot.life_of_an_anchor(IMAGE, {"anchor": BOX, "mask": BOX}, mask).axes
    assert len(last.images) == len(first[0].images) + 1
    assert last.images[-1].get_array().count() == 20
