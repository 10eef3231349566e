"""Pictures of a batch: a panel an image, outlines on the edges of pixels, words by boxes."""

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.contour import QuadContourSet

from roilearn.data import draw_batch
from roilearn.palette import CLASSES

IMAGE = torch.full((3, 12, 16), 0.5)


def target(*boxes, **more):
    masks = torch.zeros(len(boxes), 12, 16)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes, strict=True):
        mask[y1:y2, x1:x2] = 1
    labels = torch.arange(len(boxes)) + 1
    return {
        "boxes": torch.tensor(boxes).float().reshape(-1, 4),
        "labels": labels,
        "masks": masks,
        **more,
    }


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


def test_outlines_of_boxes_and_masks_lie_on_the_same_edges():
    """Also at the image's edge, where a mask has no neighbour."""
    boxes = [(2, 3, 6, 9), (10, 0, 16, 12)]
    (axes,) = draw_batch([IMAGE], [target(*boxes)]).axes
    contours = [artist for artist in axes.get_children() if isinstance(artist, QuadContourSet)]
    for box, line, contour in zip(boxes, axes.lines, contours, strict=True):
        corners = np.vstack([path.vertices for path in contour.get_paths()])
        for points in (line.get_xydata(), corners):
            assert [*points.min(0), *points.max(0)] == list(box)


def test_words_and_colours_follow_labels_and_scores():
    scores = torch.tensor([0.914, 0.5])
    batch = [target((0, 0, 5, 5), (4, 4, 9, 9), scores=scores)]
    (axes,) = draw_batch([IMAGE], batch, names=["disc", "square"]).axes
    assert [text.get_text() for text in axes.texts] == ["disc 0.91", "square 0.50"]
    assert [text.get_color() for text in axes.texts] == list(CLASSES[:2])
    (axes,) = draw_batch([IMAGE], [target((0, 0, 5, 5))]).axes
    assert [text.get_text() for text in axes.texts] == ["1"]


def test_a_panel_for_each_image_and_the_rest_removed():
    figure = draw_batch([IMAGE] * 5, [target()] * 5)
    assert len(figure.axes) == 5
    detections = {**target((0, 0, 5, 5)), "masks": torch.rand(1, 1, 12, 16)}
    assert len(draw_batch([IMAGE], [detections]).axes) == 1
    boxes_alone = {name: target((0, 0, 5, 5))[name] for name in ("boxes", "labels")}
    assert len(draw_batch([IMAGE], [boxes_alone]).axes[0].lines) == 1


@pytest.mark.parametrize("count", [0, 2])
def test_lists_of_different_lengths_are_refused(count):
    with pytest.raises(ValueError, match=f"one length, at least 1; got {count} and 1"):
        draw_batch([IMAGE] * count, [target()])
