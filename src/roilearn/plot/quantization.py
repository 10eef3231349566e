"""Figures of chapter 2: quantization of a box's edges and bins, and its error."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import ArrayLike

from roilearn.palette import COLOURS
from roilearn.plot.base import draw_box, new_figure

Box = tuple[float, float, float, float]
NARROW = 3.4
"""Inches of a figure that a phone shows whole."""


def box_end_on_ruler(end: float, stride: int, ends: Mapping[str, float]) -> Figure:
    """Draw the end of a box on a ruler of cells, and the end after each rounding rule.

    Parameters
    ----------
    end : x2 of the box in image pixels.
    stride : pixels a cell.
    ends : end in cells by rounding rule.
    """
    figure, axes = new_figure(height=2.3)
    for row, (label, cell) in enumerate(ends.items()):
        colour = COLOURS["loss" if cell * stride < end else "pool"]
        axes.plot([end / stride, cell], [row, row], color=colour, linewidth=6)
        axes.plot(cell, row, "o", color=colour)
        side, place = ("right", -0.1) if cell * stride < end else ("left", 0.1)
        axes.text(cell + place, row, f"{cell * stride - end:+.0f} px", va="center", ha=side)
        axes.text(18.1, row, label, va="center")
    axes.axvline(end / stride, color=COLOURS["box"], linewidth=2)
    axes.text(end / stride + 0.1, -0.75, f"true end, {end:g} px")
    cells = np.arange(18, 24)
    axes.set(xlim=(18, 23), ylim=(len(ends) - 0.4, -1.1), xticks=cells, yticks=[])
    axes.set_xticklabels([f"{cell}\n{cell * stride} px" for cell in cells])
    axes.grid(axis="x", color="#C8C8C8")
    axes.set_xlabel("x (cells, and the same in image pixels)")
    return figure


def rounding_rules(values: ArrayLike, rounded: Mapping[str, ArrayLike]) -> Figure:
    """Draw each rounding rule as a staircase over ``values`` in cells, with dots at the halves."""
    values = np.asarray(values)
    halves = np.flatnonzero(values % 1 == 0.5)
    figure, panels = _row_of_panels(len(rounded), height=2.7, sharey=True)
    for axes, (rule, whole_values) in zip(panels, rounded.items(), strict=True):
        whole = np.asarray(whole_values)
        steps = np.where(np.diff(whole, prepend=whole[0]) == 0, whole, np.nan)
        axes.plot(values, values, color=COLOURS["box"], linewidth=1)
        axes.plot(values, steps, color=COLOURS["pool"], linewidth=2.5)
        axes.scatter(values[halves], whole[halves], s=32, color=COLOURS["pool"], zorder=3)
        axes.set(title=rule, xlabel="x (cells)", xticks=range(-2, 4), yticks=range(-3, 4))
        axes.grid(color="#E4E4E4")
    panels[0].set_ylabel("rounded (cells)")
    return figure


def bins_and_equal_parts(bins: Sequence[tuple[int, int]], start: float, end: float) -> Figure:
    """Draw the cells of each bin, and beside them the equal part of the true box.

    Parameters
    ----------
    bins : (start, stop) of each bin in cells, stop excluded.
    start, end : the true box along the same axis, in cells.
    """
    figure, axes = new_figure(height=1.05 + 0.25 * len(bins))
    part = (end - start) / len(bins)
    for i, (first, stop) in enumerate(bins):
        axes.barh(i, stop - first, left=first, height=0.8, color=COLOURS["bin"])
        axes.barh(
            i, part, left=start + i * part, height=0.4, fill=False, edgecolor=COLOURS["box"], lw=2
        )
    axes.axvline(end, color=COLOURS["box"], linestyle=":")
    left, right = int(start), bins[-1][1]
    axes.set(xticks=range(left, right + 1), yticks=range(len(bins)), xlabel="x (cells)")
    axes.set(ylabel="bin", xlim=(left, right + 0.3), ylim=(len(bins) - 0.4, -0.6))
    axes.grid(axis="x", color="#C8C8C8")
    axes.set_axisbelow(True)
    return figure


def edge_displacements(moves: Mapping[str, ArrayLike], stride: int) -> Figure:
    """Draw histograms of the displacement of edges in image pixels, one below the other."""
    figure, panels = _narrow_grid(len(moves), 1, height=1.5, sharex=True, sharey=True)
    bins = np.linspace(-stride, 1.5 * stride, 41) + 1e-9  # a move of half a stride is in, not out
    for axes, (title, move) in zip(panels, moves.items(), strict=True):
        pixels = np.asarray(move)
        axes.hist(pixels, bins, weights=np.full(len(pixels), 100 / len(pixels)), color="#8A8A8A")
        axes.axvline(0, color=COLOURS["box"], linewidth=2)
        axes.axvline(np.mean(pixels), color=COLOURS["loss"], linestyle="--", linewidth=2)
        axes.set(title=title, ylabel="% of places", xticks=bins[::8])
    panels[-1].set_xlabel("move (image px)")
    return figure


def sliding_edges(x1: ArrayLike, size: float, read: ArrayLike, iou: ArrayLike) -> Figure:
    """Draw a box that slides, the pixels that RoIPool reads for it, and their IoU.

    Parameters
    ----------
    x1 : (K,) left edges in image pixels.
    size : width of the box in image pixels.
    read : (K, 2) first and last edge of what is read, in image pixels.
    iou : (K,) IoU of the two intervals.
    """
    figure, (above, below) = new_figure(
        rows=2, height=4.4, sharex=True, gridspec_kw={"height_ratios": [3, 1]}
    )
    x1, read = np.asarray(x1), np.asarray(read)
    above.fill_between(x1, *read.T, step="mid", color=COLOURS["pool"], alpha=0.35, label="read")
    above.step(x1, read, where="mid", color=COLOURS["pool"])
    above.plot(x1, x1, color=COLOURS["box"], label="true edges")
    above.plot(x1, x1 + size, color=COLOURS["box"])
    above.legend(loc="upper left")
    above.set_ylabel("x of the edges (px)")
    below.step(x1, iou, where="mid", color=COLOURS["loss"])
    below.set(ylim=(0, 1), ylabel="IoU", xlabel="x1 of the box (image pixels)")
    return figure


def iou_by_size(
    sizes: ArrayLike, curves: Mapping[int, ArrayLike], shifts: Mapping[int, ArrayLike]
) -> Figure:
    """Draw mean IoU against object size, in pixels for each stride and then in cells.

    Parameters
    ----------
    sizes : (K,) sides of a square object in image pixels.
    curves : for each stride, mean IoU of the object with the cells that are read.
    shifts : the same where the corners are only rounded.
    """
    figure, (pixels, cells) = new_figure(2, height=3.3, sharey=True)
    sizes, styles = np.asarray(sizes), ["-", "--", "-.", ":"]
    for (stride, iou), style in zip(curves.items(), styles, strict=False):
        pixels.plot(sizes, iou, style, color=COLOURS["pool"], label=f"stride {stride}")
        cells.plot(sizes / stride, iou, style, color=COLOURS["pool"])
        cells.plot(sizes / stride, shifts[stride], style, color=COLOURS["loss"])
    cells.text(6, 0.5, "cells read,\nend included", color=COLOURS["pool"])
    cells.text(1.1, 0.86, "corners rounded,\nno more", color=COLOURS["loss"])
    for axes, label in ((pixels, "side (image pixels)"), (cells, "side (cells)")):
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set(xlabel=label, ylim=(0, 1))
        axes.grid(color="#E4E4E4")
    cells.set_xlim(left=1)
    pixels.set_ylabel("mean IoU with the true box")
    pixels.legend()
    return figure


def regions_on_photograph(image: ArrayLike, box: Box, read: Mapping[int, Box]) -> Figure:
    """Draw a box on a photograph, in grey; tint the pixels that are read or left out by mistake.

    Parameters
    ----------
    image : (H, W, 3) photograph with values from 0 to 1.
    box : x1, y1, x2, y2 in whole image pixels.
    read : the region that is read at each stride, in image pixels.
    """
    grey = 0.3 + 0.7 * np.asarray(image).mean(axis=2)
    x1, y1, x2, y2 = np.array([box, *read.values()]).T
    figure, panels = _row_of_panels(len(read), height=2.8, sharey=True)
    for axes, (stride, region) in zip(panels, read.items(), strict=True):
        picture = np.repeat(grey[..., None], 3, axis=2)
        for place, kind in (
            (_inside(region, grey) & ~_inside(box, grey), "pool"),
            (_inside(box, grey) & ~_inside(region, grey), "loss"),
        ):
            picture[place] = 0.5 * picture[place] + 0.5 * np.array(to_rgb(COLOURS[kind]))
        axes.imshow(picture, extent=(0, grey.shape[1], grey.shape[0], 0))
        draw_box(axes, box)
        window = {"xlim": (min(x1) - 20, max(x2) + 20), "ylim": (max(y2) + 20, min(y1) - 20)}
        axes.set(title=f"stride {stride}", xlabel="x (image px)", **window)
        lines = range(0, max(grey.shape), stride)
        axes.vlines(lines, 0, grey.shape[0], color="white", linewidth=0.5)
        axes.hlines(lines, 0, grey.shape[1], color="white", linewidth=0.5)
    panels[0].set_ylabel("y (image px)")
    return figure


def crops(image: ArrayLike, regions: Mapping[str, Box]) -> Figure:
    """Cut regions with whole-pixel edges out of a photograph, all at one scale."""
    figure, panels = _narrow_grid(len(regions), 2, height=1.5)
    width = max(x2 - x1 for x1, _, x2, _ in regions.values())
    height = max(y2 - y1 for _, y1, _, y2 in regions.values())
    for axes, (title, region) in zip(panels, regions.items(), strict=True):
        x1, y1, x2, y2 = (int(edge) for edge in region)
        axes.imshow(np.asarray(image)[y1:y2, x1:x2], extent=(0, x2 - x1, y2 - y1, 0))
        axes.set(xlim=(0, width), ylim=(height, 0), title=title, xticks=[], yticks=[])
        axes.axis("off")
    return figure


def shifted_masks(mask: ArrayLike, shifted: Mapping[str, ArrayLike]) -> Figure:
    """Draw a mask's outline over shifted copies of it; what does not overlap in the loss colour."""
    mask = np.asarray(mask, dtype=bool)
    size = len(mask)
    figure, panels = _narrow_grid(len(shifted), 2, height=1.9)
    for axes, (title, copy) in zip(panels, shifted.items(), strict=True):
        other = np.asarray(copy, dtype=bool)
        picture = np.ones((*mask.shape, 3))
        picture[mask & other] = 0.55
        picture[mask ^ other] = to_rgb(COLOURS["loss"])
        axes.imshow(picture, extent=(0, size, size, 0), interpolation="nearest")
        axes.set(title=title, xticks=[0, size], yticks=[0, size])
    panels[0].set_ylabel("mask cells")
    return figure


def _row_of_panels(count: int, **options: Any) -> tuple[Figure, np.ndarray]:
    figure, panels = new_figure(count, **options)
    return figure, np.atleast_1d(panels)


def _narrow_grid(
    count: int, columns: int, height: float, **options: Any
) -> tuple[Figure, np.ndarray]:
    """Panels in rows of ``height`` inches, no wider than a phone; places left over stay empty."""
    rows = -(-count // columns)
    options |= {"width": NARROW, "height": height * rows, "squeeze": False}
    figure, panels = new_figure(columns, rows, **options)
    for axes in panels.flat[count:]:
        axes.remove()
    return figure, panels.flatten()[:count]


def _inside(box: Box, image: np.ndarray) -> np.ndarray:
    x1, y1, x2, y2 = (int(edge) for edge in box)
    inside = np.zeros(image.shape, dtype=bool)
    inside[y1:y2, x1:x2] = True
    return inside
