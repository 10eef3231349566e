"""Pictures of a batch: a panel an image, outlines on the edges of pixels, words by boxes."""

import numpy as np
import pytest
import torch
from matplotlib import font_manager
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex, to_rgb
from matplotlib.contour import QuadContourSet

from roilearn.data import draw_batch, draw_detections
from roilearn.data.visualisation import TINT
from roilearn.palette import CLASSES
from roilearn.plot.fonts import characters, drawable, font_families

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
    grounds = [text.get_bbox_patch().get_facecolor() for text in axes.texts]
    assert [to_hex(ground).upper() for ground in grounds] == list(CLASSES[:2])
    (axes,) = draw_batch([IMAGE], [target((0, 0, 5, 5))]).axes
    assert [text.get_text() for text in axes.texts] == ["1"]


def test_a_panel_for_each_image_and_the_rest_removed():
    figure = draw_batch([IMAGE] * 5, [target()] * 5)
    assert len(figure.axes) == 5
    detections = {**target((0, 0, 5, 5)), "masks": torch.rand(1, 1, 12, 16)}
    assert len(draw_batch([IMAGE], [detections]).axes) == 1
    boxes_alone = {name: target((0, 0, 5, 5))[name] for name in ("boxes", "labels")}
    assert len(draw_batch([IMAGE], [boxes_alone]).axes[0].lines) == 1


def luminance(colour):
    """WCAG 2's relative luminance."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return np.dot(linear, (0.2126, 0.7152, 0.0722))


@pytest.mark.parametrize("colour", CLASSES)
def test_words_are_read_on_every_colour(colour):
    """Black on it: WCAG 2 asks of small text a contrast of 4.5."""
    assert (luminance(colour) + 0.05) / 0.05 > 4.5


def test_a_mask_tints_its_pixels_and_no_others():
    found = target((2, 3, 6, 9))
    (axes,) = draw_batch([IMAGE], [{**found, "masks": found["masks"][:, None] * 0.51}]).axes
    drawn = axes.images[0].get_array()
    tinted = 0.5 + TINT * (np.array(to_rgb(CLASSES[0])) - 0.5)
    np.testing.assert_allclose(drawn[3:9, 2:6], np.broadcast_to(tinted, (6, 4, 3)), rtol=1e-6)
    drawn[3:9, 2:6] = 0.5
    np.testing.assert_array_equal(drawn, 0.5)
    assert (IMAGE == 0.5).all()  # the image itself is left alone
    empty = {**found, "masks": torch.zeros(1, 1, 12, 16)}
    assert len(draw_batch([IMAGE], [empty]).axes[0].lines) == 1


def test_words_stay_inside_the_picture():
    corners = target((0, 0, 5, 5), (11, 0, 16, 4), (11, 8, 16, 12), (0, 8, 5, 12))
    figure = draw_batch([IMAGE], [corners], names=["a long name"] * 4)
    figure.canvas.draw()
    (axes,) = figure.axes
    whole = axes.get_window_extent()
    for text in axes.texts:
        extent = text.get_window_extent()
        assert whole.x0 <= extent.x0 + 1
        assert extent.x1 - 1 <= whole.x1
        assert whole.y0 <= extent.y0 + 1
        assert extent.y1 - 1 <= whole.y1


def test_keypoints_that_are_marked_are_drawn():
    points = torch.tensor([[[1.0, 2, 2], [7, 8, 0], [5, 6, 1]]])
    (axes,) = draw_batch([IMAGE], [target((0, 0, 9, 9), keypoints=points)]).axes
    drawn = [c for c in axes.collections if not isinstance(c, QuadContourSet)]
    assert [c.get_offsets().tolist() for c in drawn] == [[[1, 2], [5, 6]]]


def test_a_class_without_a_name_is_written_as_a_number():
    (axes,) = draw_batch([IMAGE], [target(*[(0, 0, 5, 5)] * 3)], names=["", "square"]).axes
    assert [text.get_text() for text in axes.texts] == ["1", "square", "3"]


def test_truth_stands_above_detections():
    images = [torch.full((3, 12, 16), k / 8) for k in range(5)]
    detections = [target((0, 0, 5, 5), scores=torch.tensor([k / 8])) for k in range(5)]
    figure = draw_detections(images, detections, ["disc"], [target((0, 0, 4, 4))] * 5)
    places = {}
    for axes in figure.axes:
        place = axes.get_subplotspec()
        shade = axes.images[0].get_array()[11, 15, 0] * 8
        places[place.rowspan.start, place.colspan.start] = (shade, axes.texts[0].get_text())
    assert places == {
        (0, 0): (0, "disc"), (0, 1): (1, "disc"), (0, 2): (2, "disc"), (0, 3): (3, "disc"),
        (1, 0): (0, "disc 0.00"), (1, 1): (1, "disc 0.12"), (1, 2): (2, "disc 0.25"),
        (1, 3): (3, "disc 0.38"), (2, 0): (4, "disc"), (3, 0): (4, "disc 0.50"),
    }  # fmt: skip
    with pytest.raises(ValueError, match="images and truth must be lists of one length"):
        draw_detections(images, detections, truth=[target()])


@pytest.mark.parametrize("count", [0, 2])
def test_lists_of_different_lengths_are_refused(count):
    with pytest.raises(ValueError, match=f"one length, at least 1; got {count} and 1"):
        draw_batch([IMAGE] * count, [target()])


@pytest.mark.parametrize("name", ["US$ or CA^$", "$x_$", "100%_\\alpha", "{}^_"])
def test_names_of_classes_are_never_mathematics(name):
    (axes,) = (figure := draw_batch([IMAGE], [target((2, 3, 6, 9))], [name])).axes
    figure.draw_without_rendering()
    assert [text.get_text() for text in axes.texts] == [name]


def test_letters_come_from_a_font_that_has_them_or_a_line_says_how(caplog):
    here = characters(font_manager.findfont("DejaVu Sans"))
    other = characters(font_manager.findfont("STIXGeneral")) - here
    letter = chr(max(other))
    assert font_families(f"a{letter}")[0] == "DejaVu Sans"
    assert len(font_families(f"a{letter}")) == 2
    assert drawable(f"a{letter}") == f"a{letter}"
    assert not caplog.records
    nowhere = chr(0x10FFFD)  # the last code point, which is for private use
    figure = draw_batch([IMAGE], [target((2, 3, 6, 9))], [f"a {nowhere}"])
    figure.draw_without_rendering()
    assert figure.axes[0].texts[0].get_text() == "a ?"
    assert "no font on this machine" in caplog.text
    assert "Noto Sans CJK" in caplog.text
    for text in (f"{nowhere} 0.87", f"{nowhere} 0.91"):  # a label is drawn with each score
        assert drawable(text)[0] == "?"
    assert len(caplog.records) == 1
