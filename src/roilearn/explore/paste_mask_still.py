"""Still picture of ``PasteMask``: the pasted pixels, and the wrong ones of each way to paste."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from roilearn import plot
from roilearn.explore.scene import HEIGHT, SHAPES, WIDTH, object_mask, scene_pixels
from roilearn.palette import CLASSES, COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WHOLE = (0, WIDTH, HEIGHT, 0)
"""Extent of the scene on the axes."""


def describe(half_pixels: bool, rounded: bool) -> str:
    """Put a way of pasting in words.

    Examples
    --------
    >>> describe(half_pixels=False, rounded=True)
    'half pixels off, box rounded'
    """
    box = "rounded" if rounded else "as given"
    return f"half pixels {'on' if half_pixels else 'off'}, box {box}"


def draw_pixels(axes: Axes, shape: str, numbers: dict[str, Any], pasted: np.ndarray) -> None:
    """Draw the pasted pixels over the scene, the wrong ones with their signs, and the box."""
    truth = object_mask(shape)
    axes.imshow(scene_pixels(), extent=WHOLE, alpha=0.6)
    tint(axes, pasted & truth, CLASSES[SHAPES.index(shape)], 0.6)
    tint(axes, truth & ~pasted, COLOURS["loss"], 1)
    tint(axes, pasted & ~truth, "#FFFFFF", 1)
    rows = np.flatnonzero(truth.any(1))
    size = 3600 / len(rows) ** 1.5  # of a sign, so that it fits its pixel
    for name, sign, colour in (("missing", "_", "white"), ("extra", "+", COLOURS["loss"])):
        if numbers[name]:
            y, x = np.transpose(numbers[name]) + 0.5
            axes.scatter(x, y, s=size, marker=sign, color=colour, linewidth=1)
    columns = [
        np.flatnonzero(truth[row])[[0, -1]] + [0, 1] for row in rows
    ]  # [start, stop) of each
    x = np.concatenate(
        [np.repeat(columns, 2, axis=0)[:, 1], np.repeat(columns, 2, axis=0)[::-1, 0]]
    )
    y = np.stack([rows, rows + 1], 1).ravel()
    axes.fill(x, [*y, *y[::-1]], fill=False, linewidth=1.4)
    x1, y1, x2, y2 = numbers["spread"]
    axes.plot([x1, x2, x2, x1, x1], [y1, y1, y2, y2, y1], "k--", linewidth=1.4)
    plot.draw_box(axes, numbers["box"])
    axes.patches[-1].set_clip_on(True)  # a box may reach outside the window
    axes.set(xlabel="x (image pixels)", ylabel="y (image pixels)")


def tint(axes: Axes, pixels: np.ndarray, colour: str, alpha: float) -> None:
    """Lay a colour over the chosen pixels of the scene."""
    red, green, blue = bytes.fromhex(colour[1:])
    layer = np.zeros((*pixels.shape, 4))
    layer[pixels] = red / 255, green / 255, blue / 255, alpha
    axes.imshow(layer, extent=WHOLE)


def draw_errors(
    axes: Axes, errors: dict[tuple[bool, bool], dict[str, Any]], here: tuple[bool, bool]
) -> None:
    """Draw the number of wrong pixels of each way to paste as a bar, with its IoU."""
    most = max(one["wrong"] for one in errors.values()) or 1
    for y, (rule, one) in enumerate(errors.items()):
        axes.barh(y, one["wrong"], height=0.6, color=COLOURS["loss"] if rule == here else "0.7")
        words = f"{one['wrong']} (IoU {one['iou']:.3f})"
        axes.text(one["wrong"] + 0.02 * most, y, words, va="center", fontsize=9)
    axes.set(xlim=(0, 1.6 * most), ylim=(3.5, -0.5), xlabel="wrong pixels")
    axes.set_yticks(range(4), [describe(*rule).replace(", ", ",\n") for rule in errors])
