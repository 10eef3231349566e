"""Figures of chapter 11: a matrix of IoUs, labelled anchors and proposals, and mask targets."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike

from roilearn.palette import COLOURS
from roilearn.plot.base import GREYS, draw_box, draw_outlines, draw_pale, new_figure


def iou_matrix(iou: ArrayLike, names: Sequence[str], labels: Sequence[str]) -> Figure:
    """Draw a matrix of IoUs; the largest of each row is framed, a label stands below each column.

    Parameters
    ----------
    iou : (T, A) IoU of T objects with A anchors.
    names : of the objects.
    labels : of the anchors.
    """
    iou = np.asarray(iou)
    objects, anchors = iou.shape
    figure, axes = new_figure(width=7, height=2.4)
    axes.imshow(iou, GREYS, vmin=0, vmax=1, extent=(0, anchors, objects, 0), aspect="auto")
    for row, column in np.ndindex(objects, anchors):
        best = iou[row, column] == iou[row].max() > 0  # a row of zeros is left plain
        place = (column + 0.5, row + 0.5)
        weight = "bold" if best else "normal"
        axes.text(*place, f"{iou[row, column]:.1f}", ha="center", va="center", weight=weight)
        if best:
            frame = {"fill": False, "edgecolor": COLOURS["box"], "linewidth": 2}
            axes.add_patch(Rectangle((column + 0.06, row + 0.06), 0.88, 0.88, **frame))
    axes.set_xticks(np.arange(anchors) + 0.5, labels, rotation=40, ha="right")
    axes.set_yticks(np.arange(objects) + 0.5, names)
    above = axes.secondary_xaxis("top")
    above.set_xticks(np.arange(anchors) + 0.5, [str(number) for number in range(anchors)])
    above.set_xlabel("anchor")
    axes.tick_params(length=0)
    above.tick_params(length=0)
    axes.spines[:].set_visible(False)
    above.spines[:].set_visible(False)
    return figure


def labelled_anchors(image: ArrayLike, panels: Mapping[str, tuple[ArrayLike, str]]) -> Figure:
    """Draw the anchors of each label over the pale scene.

    Parameters
    ----------
    image : (H, W, 3) values from 0 to 1.
    panels : by the panel's title, (K, 4) boxes and the style of their lines.
    """
    figure, axes = new_figure(len(panels), width=7, height=2.2)
    for panel, (title, (boxes, style)) in zip(axes, panels.items(), strict=True):
        draw_pale(panel, image, margin=18)
        few = len(np.asarray(boxes)) < 9
        width, opacity = (2.0, 1.0) if few else (0.9, 0.6)
        draw_outlines(panel, boxes, linewidths=width, linestyles=style, alpha=opacity)
        panel.set_title(title)
    return figure


def labelled_proposals(
    image: ArrayLike, panels: Mapping[str, ArrayLike], followed: Sequence[float]
) -> Figure:
    """Draw the proposals of each class over the pale scene, in panels side by side, two a row.

    Parameters
    ----------
    image : (H, W, 3) values from 0 to 1.
    panels : by the panel's title, (K, 4) boxes.
    followed : one box that is drawn bold.
    """
    rows = -(-len(panels) // 2)
    figure, axes = new_figure(2, rows, width=7, height=2.6 * rows)
    for panel, (title, boxes) in zip(axes.flat, panels.items(), strict=True):
        draw_pale(panel, image, margin=4)
        for box in np.asarray(boxes):
            bold = np.allclose(box, followed)
            halo = [withStroke(linewidth=5 if bold else 1.8, foreground="white")]
            options: dict[str, Any] = {"linewidths": 3 if bold else 0.9}
            options |= {"path_effects": halo, "zorder": 4 if bold else 3}
            draw_outlines(panel, [box], colors="black" if bold else "#3A3A3A", **options)
        panel.set_title(title)
    return figure


def best_iou_of_objects(sizes: ArrayLike, best: ArrayLike, thresholds: Sequence[float]) -> Figure:
    """Draw the best IoU that each object has with any anchor, over the size of the object.

    Parameters
    ----------
    sizes : square roots of the objects' areas in image pixels.
    best : the best IoU of each.
    thresholds : IoUs that are marked by lines.
    """
    figure, axes = new_figure(width=7, height=2.8)
    axes.scatter(sizes, best, s=14, color=COLOURS["box"], alpha=0.5, linewidths=0)
    for threshold in thresholds:
        axes.axhline(threshold, color=COLOURS["loss"], lw=1.2)
    axes.set(xscale="log", ylabel="best IoU")
    axes.set_xlabel("size of the object (image pixels, logarithmic axis)")
    axes.set(ylim=(0, 1.02), yticks=[0, *thresholds, 1])
    ticks = [12, 24, 48, 96]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    return figure


def mask_targets(
    mask: ArrayLike, box: Sequence[float], targets: Mapping[str, ArrayLike], margin: int = 4
) -> Figure:
    """Draw a mask with a box in the image, and beside it mask targets of that box.

    Parameters
    ----------
    mask : (H, W) mask of an object, 1 inside.
    box : x1, y1, x2, y2 of the proposal in image pixels.
    targets : by the panel's title, (M, M) values from 0 to 1; -1 is drawn red, -2 blue.
    margin : image pixels that are shown around the box.
    """
    mask = np.asarray(mask)
    figure, axes = new_figure(1 + len(targets), width=7, height=2.5)
    scene = axes[0]
    height, width = mask.shape
    scene.imshow(mask, GREYS, extent=(0, width, height, 0), interpolation="nearest")
    draw_box(scene, box, dashed=True)
    x1, y1, x2, y2 = box
    scene.set(xlim=(x1 - margin, x2 + margin), ylim=(y2 + margin, y1 - margin))
    scene.set_xticks((x1, x2), [f"{edge:.1f}" for edge in (x1, x2)])
    scene.set_yticks((y1, y2), [f"{edge:.1f}" for edge in (y1, y2)])
    scene.set(title="mask, proposal", xlabel="x (image pixels)", ylabel="y (image pixels)")
    for panel, (title, values) in zip(axes[1:], targets.items(), strict=True):
        cells = np.asarray(values)
        panel.imshow(np.abs(cells), GREYS, vmin=0, vmax=1, interpolation="nearest")
        marked = np.zeros((*cells.shape, 4))
        marked[cells == -1] = to_rgba(COLOURS["loss"])
        marked[cells == -2] = to_rgba(COLOURS["align"])
        panel.imshow(marked, interpolation="nearest")
        panel.set(title=title, xticks=[], yticks=[])
        panel.spines[:].set_visible(True)
    return figure
