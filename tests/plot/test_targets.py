"""Figures of chapter 11 show the numbers, boxes and cells that they are given."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from roilearn import plot

IMAGE = np.full((32, 40, 3), 0.5)
BOXES = np.array([[2.0, 3, 12, 15], [20, 8, 39, 30]])


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def outlines(axes):
    """Boxes that are drawn as lines, in the order of drawing."""
    paths = [path.vertices for lines in axes.collections for path in lines.get_paths()]
    return np.array([[*corners.min(axis=0), *corners.max(axis=0)] for corners in paths])


def test_every_best_iou_of_a_row_is_framed_and_no_zero():
    iou = np.array([[0.2, 0.5, 0.5], [0.1, 0.0, 0.4], [0.0, 0.0, 0.0]])
    (axes,) = plot.iou_matrix(iou, "ABC", ["A", "A", "A"]).axes
    assert [text.get_text() for text in axes.texts] == [f"{one:.1f}" for one in iou.ravel()]
    framed = {(int(frame.get_x()), int(frame.get_y())) for frame in axes.patches}
    assert framed == {(1, 0), (2, 0), (2, 1)}


def test_anchors_are_outlined_where_they_lie():
    panels = {"one": (BOXES, "-"), "two": (BOXES[:1], ":")}
    for axes, (boxes, _) in zip(
        plot.labelled_anchors(IMAGE, panels).axes, panels.values(), strict=True
    ):
        np.testing.assert_allclose(outlines(axes), boxes)


def test_proposals_lie_in_their_panels_and_the_followed_one_is_bold():
    figure = plot.labelled_proposals(IMAGE, {"a": BOXES, "b": BOXES[:1]}, BOXES[1])
    first, second = figure.axes
    np.testing.assert_allclose(outlines(first), BOXES)
    np.testing.assert_allclose(outlines(second), BOXES[:1])
    assert [line.get_linewidths()[0] for line in first.collections] == [0.9, 3]


def test_objects_lie_at_their_size_and_iou():
    (axes,) = plot.best_iou_of_objects([12, 40], [0.8, 0.5], (0.3, 0.7)).axes
    np.testing.assert_allclose(axes.collections[0].get_offsets(), [[12, 0.8], [40, 0.5]])
    assert [line.get_ydata()[0] for line in axes.lines] == [0.3, 0.7]


def test_cells_below_0_are_red_or_blue_and_the_others_keep_their_value():
    mask, cells = np.zeros((32, 40)), np.array([[0.0, 0.5], [-2, -1]])
    figure = plot.mask_targets(mask, BOXES[0], {"target": cells})
    grey, marked = (image.get_array() for image in figure.axes[1].images)
    np.testing.assert_allclose(grey, np.abs(cells))
    np.testing.assert_array_equal(marked[..., 3], cells < 0)
    assert marked[1, 0, 2] > marked[1, 0, 0]  # -2 is blue, -1 red
    assert marked[1, 1, 0] > marked[1, 1, 2]
