"""Visualisation: images with the boxes, masks and labels of targets or detections.

Every line has a dark rim, so that it is seen on light and on dark photographs. Colours stand for
classes, whose names are written too, so that nobody has to tell colours apart.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import colors
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from torch import Tensor

from roilearn.palette import CLASSES
from roilearn.plot import new_figure
from roilearn.plot.fonts import drawable, font_families

MAX_COLUMNS = 4
"""Maximum number of images in a row."""
WIDTH = 7.0
"""Width of a row in inches."""
RIM = withStroke(linewidth=2.4, foreground="black")
TINT = 0.35
"""Opacity of a class's colour over the pixels of a mask."""

Target = Mapping[str, Any]


def draw_batch(
    images: Sequence[Tensor], targets: Sequence[Target], names: Sequence[str] | None = None
) -> Figure:
    """Draw each image with its boxes, masks and labels.

    Parameters
    ----------
    images : (3, H, W) tensors from 0 to 1, at least one.
    targets : for each image ``boxes`` and ``labels``, and if there are any ``masks``, ``keypoints``
        and ``scores``.
    names : class names, that of label 1 first; a label without a name is written as a number.

    Returns
    -------
    A figure with up to four images per row.

    Raises
    ------
    ValueError: no image; another number of targets than of images.

    Examples
    --------
    >>> from roilearn.data import ShapeScenes
    >>> figure = draw_batch(*zip(*[ShapeScenes(2)[i] for i in range(2)]))
    >>> len(figure.axes)
    2
    """
    return draw_rows(images, {"targets": targets}, names)


def draw_detections(
    images: Sequence[Tensor],
    detections: Sequence[Target],
    names: Sequence[str] | None = None,
    truth: Sequence[Target] | None = None,
) -> Figure:
    """Draw the detections of a model, with the ground truth above them if it is given.

    Parameters
    ----------
    images, names : as in ``draw_batch``.
    detections : for each image what a model or ``roilearn.train.predict`` returns.
    truth : a target for each image.

    Returns
    -------
    A figure with up to four images per row; with ``truth``, a row of targets above each row.

    Raises
    ------
    ValueError: no image; another number of entries than of images.
    """
    rows = {"detections": detections}
    return draw_rows(images, rows if truth is None else {"truth": truth, **rows}, names)


def draw_rows(
    images: Sequence[Tensor],
    targets_by_row: Mapping[str, Sequence[Target]],
    names: Sequence[str] | None = None,
) -> Figure:
    """Draw up to four images once with each list of targets, in rows; then the next images."""
    for name, targets in targets_by_row.items():
        if not images or len(images) != len(targets):
            raise ValueError(
                f"images and {name} must be lists of one length, at least 1; got "
                f"{len(images)} and {len(targets)}."
            )
    columns = min(len(images), MAX_COLUMNS)
    rows = math.ceil(len(images) / columns) * len(targets_by_row)
    tallest = max(image.shape[-2] / image.shape[-1] for image in images)
    height = WIDTH / columns * rows * min(max(tallest, 0.25), 1)
    figure, panels = new_figure(columns, rows, width=WIDTH, height=height, squeeze=False)
    for number, image in enumerate(images):
        row, column = divmod(number, columns)
        for below, (name, targets) in enumerate(targets_by_row.items()):
            axes = panels[row * len(targets_by_row) + below, column]
            draw_image(axes, image, targets[number], names, fontsize=7 if columns < 3 else 5.5)
            if len(targets_by_row) > 1 and column == 0:
                axes.set_title(name, loc="left")
    for axes in panels.flat:
        if not axes.images:
            axes.remove()
    return figure


def draw_image(
    axes: Axes,
    image: Tensor,
    target: Target,
    names: Sequence[str] | None = None,
    fontsize: float = 7,
) -> None:
    """Draw an image with its boxes, masks and labels, in image pixels, a colour per class."""
    height, width = image.shape[-2:]
    pixels = image.permute(1, 2, 0).clamp(0, 1).numpy().copy()
    labels = [int(label) for label in target["labels"]]
    hues = [CLASSES[(label - 1) % len(CLASSES)] for label in labels]
    masks = np.asarray(target.get("masks", np.zeros((0, height, width))))
    for mask, hue in zip(masks.reshape(-1, height, width), hues, strict=False):
        pixels[mask > 0.5] += TINT * (np.asarray(colors.to_rgb(hue)) - pixels[mask > 0.5])
        draw_mask(axes, mask, hue)
    axes.imshow(pixels, extent=(0, width, height, 0))
    axes.set_axis_off()
    for row, (box, label, hue) in enumerate(
        zip(target["boxes"].tolist(), labels, hues, strict=True)
    ):
        text = (names[label - 1] if names and label <= len(names) else "") or str(label)
        if "scores" in target:
            text += f" {float(target['scores'][row]):.2f}"
        draw_labelled_box(axes, box, text, hue, fontsize)
    for points, hue in zip(target.get("keypoints", ()), hues, strict=False):
        x, y = np.asarray(points)[np.asarray(points)[:, 2] > 0, :2].T
        axes.scatter(x, y, s=12, color=hue, edgecolors="black", linewidths=0.8, zorder=3)


def draw_mask(axes: Axes, mask: np.ndarray, colour: str) -> None:
    """Draw the outline of a mask: its contour of 0.5, between the centres of pixels."""
    rows, columns = (np.flatnonzero((mask > 0.5).any(axis)) for axis in (1, 0))
    if not len(rows):
        return
    top, left = rows[0], columns[0]  # only the part of the image that holds the mask
    window = mask[top : rows[-1] + 1, left : columns[-1] + 1].astype(float)
    window = np.pad(window, 1)  # so that an outline at the edge of the image is closed
    height, width = window.shape
    outline = axes.contour(
        np.arange(width) + left - 0.5,
        np.arange(height) + top - 0.5,
        window,
        levels=[0.5],
        colors=[colour],
        linewidths=1.4,
    )
    outline.set(path_effects=[RIM])


def draw_labelled_box(
    axes: Axes, box: Sequence[float], text: str, colour: str, fontsize: float = 7
) -> None:
    """Draw a thin box with a label at its upper left corner, or where there is room."""
    x1, y1, x2, y2 = box
    axes.plot(
        [x1, x2, x2, x1, x1],
        [y1, y1, y2, y2, y1],
        color=colour,
        linewidth=0.8,
        path_effects=[withStroke(linewidth=1.8, foreground="black")],
    )
    (_, right), (bottom, _) = axes.get_xlim(), axes.get_ylim()
    near_top, near_right = y1 < 0.08 * bottom, x1 > 0.6 * right
    axes.text(
        x2 if near_right else x1,
        y1,
        drawable(text),
        color="black",
        fontsize=fontsize,
        fontfamily=list(font_families(text)),
        parse_math=False,  # a dollar sign in a name is no mathematics
        ha="right" if near_right else "left",
        va="top" if near_top else "bottom",
        clip_on=True,
        bbox={"facecolor": colour, "edgecolor": "black", "linewidth": 0.5, "pad": 1.2},
    )
