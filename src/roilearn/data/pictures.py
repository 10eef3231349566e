"""Pictures of images with what a target, or a model, says is in them."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from torch import Tensor

from roilearn.palette import CLASSES
from roilearn.plot import new_figure

PANELS = 4
"""Pictures in a row, at most."""


def draw_batch(
    images: Sequence[Tensor], targets: Sequence[dict[str, Any]], names: Sequence[str] | None = None
) -> Figure:
    """Draw each image with its boxes, masks and labels.

    Parameters
    ----------
    images : (3, H, W) tensors from 0 to 1, at least one.
    targets : for each image ``boxes`` and ``labels``, and if there are any ``masks`` and
        ``scores``; detections of a model will do.
    names : names of the classes, that of label 1 first; without them, numbers are written.

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
    if not images or len(images) != len(targets):
        raise ValueError(
            "images and targets must be lists of one length, at least 1; got "
            f"{len(images)} and {len(targets)}."
        )
    columns = min(len(images), PANELS)
    rows = math.ceil(len(images) / columns)
    figure, panels = new_figure(
        columns, rows, width=1.75 * PANELS, height=1.75 * rows * PANELS / columns, squeeze=False
    )
    for axes, image, target in zip(panels.flat, images, targets, strict=False):
        draw_image(axes, image, target, names)
    for axes in panels.flat[len(images) :]:
        axes.remove()
    return figure


def draw_image(
    axes: Axes, image: Tensor, target: dict[str, Any], names: Sequence[str] | None = None
) -> None:
    """Draw one image and what is in it, in image pixels, a colour for each class."""
    height, width = image.shape[-2:]
    axes.imshow(image.permute(1, 2, 0).clamp(0, 1).numpy(), extent=(0, width, height, 0))
    axes.set_axis_off()
    masks = target.get("masks", [None] * len(target["boxes"]))
    for row, (box, label, mask) in enumerate(
        zip(target["boxes"].tolist(), target["labels"].tolist(), masks, strict=True)
    ):
        colour = CLASSES[(label - 1) % len(CLASSES)]
        if mask is not None:
            draw_mask(axes, np.asarray(mask).reshape(height, width), colour)
        text = names[int(label) - 1] if names else str(label)
        if "scores" in target:
            text += f" {float(target['scores'][row]):.2f}"
        draw_labelled_box(axes, box, text, colour)


def draw_mask(axes: Axes, mask: np.ndarray, colour: str) -> None:
    """Outline a mask where it passes 0.5, between the centres of pixels."""
    height, width = mask.shape
    padded = np.pad(mask.astype(float), 1)  # an outline at the image's edge is closed
    axes.contour(
        np.arange(-1, width + 1) + 0.5,
        np.arange(-1, height + 1) + 0.5,
        padded,
        levels=[0.5],
        colors=[colour],
        linewidths=1.5,
    )


def draw_labelled_box(axes: Axes, box: Sequence[float], text: str, colour: str) -> None:
    """Draw a thin box and write what is in it above its upper left corner."""
    x1, y1, x2, y2 = box
    outline = axes.plot([x1, x2, x2, x1, x1], [y1, y1, y2, y2, y1], color=colour, linewidth=0.8)
    written = axes.text(x1, y1, text, color=colour, fontsize=7, va="bottom", clip_on=True)
    for artist in (*outline, written):
        artist.set_path_effects([withStroke(linewidth=1.8, foreground="black")])
