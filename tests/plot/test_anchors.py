"""Figures of chapter 9 show the boxes that they are given."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from roilearn import plot, reference


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_the_arrows_lead_from_centre_to_centre():
    axes = plot.anchor_and_object([40, 30, 120, 90], [52, 36, 118, 108]).axes[0]
    (start, corner), (again, end) = ((note.xyann, note.xy) for note in axes.texts[:2])
    assert (start, corner) == ((80, 60), (85, 60))
    assert (again, end) == ((85, 60), (85, 72))


def outlined(axes, boxes):
    """Whether the boxes are the panel's outlines, and none touches the panel's border."""
    (outlines,) = axes.collections
    corners = np.array([path.vertices for path in outlines.get_paths()])  # [A, 5, 2]
    np.testing.assert_allclose(np.hstack([corners.min(axis=1), corners.max(axis=1)]), boxes)
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    first, last = corners.min(axis=(0, 1)), corners.max(axis=(0, 1))
    return bool((first > (left, top)).all() and (last < (right, bottom)).all())


def test_every_anchor_is_outlined_and_lies_within_its_panel():
    anchors = reference.base_anchors((8, 16)) + 10  # some reach beyond the image
    (axes,) = plot.anchors_on_one_map(anchors, (32, 40)).axes
    assert outlined(axes, anchors)
    panels = {"one": anchors, "two": anchors[:3]}
    figure = plot.anchors_by_level(np.zeros((32, 40, 3)), panels, [5, 6, 12, 13])
    for axes, (title, boxes) in zip(figure.axes, panels.items(), strict=True):
        assert outlined(axes, boxes)
        assert axes.get_title() == title
        assert axes.patches[0].get_xy() == (5, 6)


def test_scores_are_drawn_from_0_to_1_on_every_level():
    scores = {f"P{level}": np.full((2, 3), level / 10) for level in (2, 3, 4, 5)}
    figure = plot.objectness_by_level(np.zeros((16, 24, 3)), scores, [[0, 0, 8, 8]])
    *panels, scale = figure.axes
    assert scale.get_ylim() == (0, 1)
    for axes, (title, values) in zip(panels, scores.items(), strict=True):
        _, over = axes.images
        assert axes.get_title() == title
        assert over.get_clim() == (0, 1)
        np.testing.assert_array_equal(over.get_array(), values)


def test_the_object_is_solid_and_the_other_box_dashed():
    boxes = {"before": [4, 4, 10, 10], "after": [5, 5, 12, 12]}
    figure = plot.boxes_on_scene(np.zeros((40, 60, 3)), boxes, [5, 6, 12, 13])
    for axes, (x1, y1, *_) in zip(figure.axes, boxes.values(), strict=True):
        true, other = axes.patches
        assert (true.get_xy(), true.get_linestyle()) == ((5, 6), "-")
        assert (other.get_xy(), other.get_linestyle()) == ((x1, y1), "--")


def test_a_curve_for_each_set_of_anchors():
    figure = plot.best_iou_by_size([12, 24], {"a": [1, 0.5], "b": [1, 0.9]}, 0.7)
    assert [line.get_label() for line in figure.axes[0].lines[:2]] == ["a", "b"]
