"""Figures of chapter 9: deltas by hand, anchors at one place, objectness, and a moved anchor."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from roilearn.palette import COLOURS
from roilearn.plot.backbones import HEAT, arrow
from roilearn.plot.base import draw_box, draw_outlines, draw_pale, draw_points, new_figure


def anchor_and_object(anchor: Sequence[float], box: Sequence[float]) -> Figure:
    """Draw an anchor, the box of an object, and the way between their centres.

    Parameters
    ----------
    anchor, box : x1, y1, x2, y2 in image pixels.
    """
    figure, axes = new_figure(width=4.2, height=3.2)
    draw_box(axes, anchor, dashed=True)
    draw_box(axes, box)
    (start_x, start_y), (end_x, end_y) = (
        ((x1 + x2) / 2, (y1 + y2) / 2) for x1, y1, x2, y2 in (anchor, box)
    )
    for centre in ((start_x, start_y), (end_x, end_y)):
        draw_points(axes, *centre)
    arrow(axes, (start_x, start_y), (end_x, start_y))
    arrow(axes, (end_x, start_y), (end_x, end_y))
    axes.text(anchor[0] + 1.5, anchor[1] - 1.5, "anchor", va="bottom")
    axes.text(box[0] + 1.5, box[3] - 1.5, "object", va="bottom")
    axes.set(xlabel="x (image pixels)", ylabel="y (image pixels)", aspect="equal")
    (left, top, right, bottom), (first, upper, last, lower) = anchor, box
    axes.set(xlim=(min(left, first) - 8, max(right, last) + 8))
    axes.set(ylim=(max(bottom, lower) + 8, min(top, upper) - 8))
    axes.set(xticks=(first, last), yticks=(upper, lower))  # the object's below and on the left
    axes.secondary_xaxis("top").set_xticks((left, right))
    axes.secondary_yaxis("right").set_yticks((top, bottom))
    return figure


def anchors_on_one_map(anchors: ArrayLike, image_size: tuple[int, int]) -> Figure:
    """Draw the anchors of one cell over the area of the image.

    Parameters
    ----------
    anchors : (A, 4) boxes in image pixels.
    image_size : (height, width) of the image in pixels.
    """
    height, width = image_size
    figure, axes = new_figure(width=4.2, height=3.2)
    axes.fill([0, width, width, 0], [0, 0, height, height], color="#E8E8E8")
    draw_outlines(axes, anchors, linewidths=1, linestyles="--")
    corners = np.asarray(anchors, float).reshape(-1, 2)  # [2 A, 2]
    margin = 0.04 * width
    left, top = np.minimum(corners.min(axis=0), 0) - margin
    right, bottom = np.maximum(corners.max(axis=0), (width, height)) + margin
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    axes.set(xlabel="x (image pixels)", xticks=(0, width), ylabel="y", yticks=(0, height))
    return figure


def anchors_by_level(
    image: ArrayLike, anchors: Mapping[str, ArrayLike], true_box: Sequence[float]
) -> Figure:
    """Draw over a pale image, a panel for each level, the anchors of one cell and an object.

    Parameters
    ----------
    image : (H, W, 3) with values from 0 to 1.
    anchors : by the panel's title, (A, 4) boxes in image pixels, dashed; an even number of panels.
    true_box : that of the object, solid on every panel.
    """
    corners = np.concatenate(
        [np.asarray(boxes, float).reshape(-1, 2) for boxes in anchors.values()]
    )
    height, width = np.asarray(image).shape[:2]
    left, top = np.minimum(corners.min(axis=0), 0) - 2
    right, bottom = np.maximum(corners.max(axis=0), (width, height)) + 2
    figure, panels = new_figure(2, len(anchors) // 2, width=7, height=1.25 * len(anchors))
    for axes, (title, boxes) in zip(panels.flat, anchors.items(), strict=True):
        draw_pale(axes, image)
        draw_box(axes, true_box)
        draw_outlines(axes, boxes, linewidths=1, linestyles=[(0, (3, 1.5))])
        axes.set(title=title, xlim=(left, right), ylim=(bottom, top))
    return figure


def objectness_by_level(
    image: ArrayLike, scores: Mapping[str, ArrayLike], boxes: ArrayLike
) -> Figure:
    """Draw over a pale image, for each of four levels, the highest score of each cell.

    Parameters
    ----------
    image : (H, W, 3) with values from 0 to 1.
    scores : by the panel's title, (rows, columns) from 0 to 1: from the image alone to dark.
    boxes : (n, 4) objects in image pixels, drawn on every panel.
    """
    image = np.asarray(image)
    height, width = image.shape[:2]
    pale = 0.55 + 0.45 * image.mean(axis=2)
    figure, panels = new_figure(2, 2, width=7, height=5.4, sharex=True, sharey=True)
    for axes, (title, values) in zip(panels.flat, scores.items(), strict=True):
        extent = (0, width, height, 0)
        axes.imshow(pale, "gray", vmin=0, vmax=1, extent=extent)
        tinted = axes.imshow(np.asarray(values), HEAT, vmin=0, vmax=1, extent=extent)
        draw_outlines(axes, boxes, linewidths=1)
        axes.set(title=title, xticks=(0, width), yticks=(0, height))
    for axes in panels[1]:
        axes.set_xlabel("x (image pixels)")
    for axes in panels[:, 0]:
        axes.set_ylabel("y")
    figure.colorbar(tinted, ax=panels, label="highest score of the cell", shrink=0.6)
    return figure


def boxes_on_scene(
    image: ArrayLike, boxes: Mapping[str, Sequence[float]], true_box: Sequence[float]
) -> Figure:
    """Draw an object on the image, and in each panel another box, dashed.

    Parameters
    ----------
    image : (H, W, 3) with values from 0 to 1.
    boxes : by the panel's title, x1, y1, x2, y2 in image pixels.
    true_box : that of the object; its surroundings are shown.
    """
    image = np.asarray(image)
    height, width = image.shape[:2]
    x1, y1, x2, y2 = true_box
    figure, panels = new_figure(len(boxes), width=7, height=3.3, sharey=True)
    for axes, (title, box) in zip(panels, boxes.items(), strict=True):
        axes.imshow(image, extent=(0, width, height, 0))
        draw_box(axes, true_box)
        draw_box(axes, box, dashed=True)
        axes.set(title=title, xlabel="x (image pixels)")
        axes.set(xlim=(max(x1 - 18, 0), x2 + 40), ylim=(min(y2 + 18, height), y1 - 18))
        axes.set(xticks=sorted({x1, x2}), yticks=sorted({y1, y2}))
    panels[0].set_ylabel("y")
    return figure


def best_iou_by_size(sizes: ArrayLike, best: Mapping[str, ArrayLike], threshold: float) -> Figure:
    """Draw the largest IoU that any anchor of the same centre and shape has, over an object's size.

    Parameters
    ----------
    sizes : square roots of the objects' areas, in image pixels.
    best : by the name of a set of anchors, an IoU for each size.
    threshold : an IoU that is marked by a line.
    """
    figure, axes = new_figure(width=7, height=2.7)
    for (name, values), style in zip(best.items(), ("-", "--"), strict=True):
        axes.plot(sizes, values, style, color=COLOURS["box"], lw=1.8, label=name)
    axes.axhline(threshold, color=COLOURS["loss"], lw=1.2)
    axes.set(xscale="log", xlabel="size of the object (image pixels)", ylabel="best IoU")
    ticks = [12, 24, 48, 96]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return figure
