"""Pictures of images with what a target, or a model, says is in them.

Every colour has a dark rim or ground, so that it is seen on light and on dark photographs; colours
stand for classes, which are also written, so that nobody has to tell colours apart.
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

PANELS = 4
"""Pictures in a row, at most."""
WIDTH = 7.0
"""Inches of a row."""
RIM = withStroke(linewidth=2.4, foreground="black")
TINT = 0.35
"""Share of a class's colour in the pixels of a mask."""

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
    names : names of the classes, that of label 1 first; without one, the number is written.

    Returns
    -------
    A figure of up to four pictures a row.

    Raises
    ------
    ValueError: no image; not a target for each image.

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
    """Draw what a model detects, and above it what is there, if that is known.

    Parameters
    ----------
    images, names : as in ``draw_batch``.
    detections : for each image what a model gives, or ``roilearn.train.predict``.
    truth : a target for each image.

    Returns
    -------
    A figure of up to four images a row; with ``truth``, a row of targets above each row.

    Raises
    ------
    ValueError: no image; not one entry for each image.
    """
    told = {"detections": detections}
    return draw_rows(images, told if truth is None else {"truth": truth, **told}, names)


def draw_rows(
    images: Sequence[Tensor],
    told: Mapping[str, Sequence[Target]],
    names: Sequence[str] | None = None,
) -> Figure:
    """Draw a row of images once for each thing told of them; then the next images."""
    for name, targets in told.items():
        if not images or len(images) != len(targets):
            raise ValueError(
                f"images and {name} must be lists of one length, at least 1; got "
                f"{len(images)} and {len(targets)}."
            )
    columns = min(len(images), PANELS)
    rows = math.ceil(len(images) / columns) * len(told)
    tallest = max(image.shape[-2] / image.shape[-1] for image in images)
    height = WIDTH / columns * rows * min(max(tallest, 0.25), 1)
    figure, panels = new_figure(columns, rows, width=WIDTH, height=height, squeeze=False)
    for number, image in enumerate(images):
        row, column = divmod(number, columns)
        for below, (name, targets) in enumerate(told.items()):
            axes = panels[row * len(told) + below, column]
            draw_image(axes, image, targets[number], names, fontsize=7 if columns < 3 else 5.5)
            if len(told) > 1 and column == 0:
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
    """Draw one image and what is in it, in image pixels, a colour for each class."""
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
    """Outline a mask where it passes 0.5, between the centres of pixels."""
    rows, columns = (np.flatnonzero((mask > 0.5).any(axis)) for axis in (1, 0))
    if not len(rows):
        return
    top, left = rows[0], columns[0]  # what lies around the mask need not be looked at
    window = mask[top : rows[-1] + 1, left : columns[-1] + 1].astype(float)
    window = np.pad(window, 1)  # an outline at the image's edge is closed
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
    """Draw a thin box, and at its upper left corner write what is in it, where there is room."""
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
        text,
        color="black",
        fontsize=fontsize,
        ha="right" if near_right else "left",
        va="top" if near_top else "bottom",
        clip_on=True,
        bbox={"facecolor": colour, "edgecolor": "black", "linewidth": 0.5, "pad": 1.2},
    )
