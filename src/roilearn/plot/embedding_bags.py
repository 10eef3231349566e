"""Figures of chapter 6: embedding bags as a sparse matrix, their entries, and bytes moved."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from roilearn.palette import COLOURS
from roilearn.plot.base import draw_box, new_figure

WEIGHTS = LinearSegmentedColormap.from_list("weights", ["#FFFFFF", COLOURS["sample"]])


def draw_matrix(
    axes: Axes, matrix: ArrayLike, *, bag: int | None = None, cell: int | None = None
) -> None:
    """Draw a matrix of bags, a row for each, with one row or one column outlined.

    Parameters
    ----------
    matrix : (bags, cells) weights.
    bag, cell : row and column to outline.
    """
    matrix = np.asarray(matrix)
    bags, cells = matrix.shape
    axes.pcolormesh(matrix, cmap=WEIGHTS, vmin=0, edgecolors="#DDDDDD", linewidth=0.4)
    look: dict[str, Any] = {"fill": False, "linewidth": 2, "clip_on": False}
    if bag is not None:
        axes.add_patch(Rectangle((0, bag), cells, 1, edgecolor=COLOURS["box"], **look))
    if cell is not None:
        axes.add_patch(Rectangle((cell, 0), 1, bags, edgecolor=COLOURS["gradient"], **look))
    axes.set(ylim=(bags, 0), xlabel="cell of the map (row of the table)", ylabel="bag (output)")
    axes.set_yticks(np.arange(bags) + 0.5, [str(b) for b in range(bags)])
    shown = range(0, cells, max(cells // 8, 1))
    axes.set_xticks(np.array(shown) + 0.5, [str(n) for n in shown])


def matrix_and_transpose(matrix: ArrayLike) -> Figure:
    """Draw where the entries of a matrix of bags are, and those of its transpose.

    Parameters
    ----------
    matrix : (bags, cells) weights; larger than a reader could count.
    """
    matrix = np.asarray(matrix)
    figure, panels = new_figure(2, width=7, height=3.2)
    labels = (("bags: what each output reads", "cell", "bag"), ("sorted by cell", "bag", "cell"))
    for axes, shown, (title, x, y) in zip(panels, (matrix, matrix.T), labels, strict=True):
        rows, columns = np.nonzero(shown)
        axes.scatter(columns, rows, s=3, marker="s", color=COLOURS["sample"], linewidths=0)
        axes.set(
            title=title, xlabel=x, ylabel=y, xlim=(0, shown.shape[1]), ylim=(shown.shape[0], 0)
        )
    return figure


def entries_by_size(sizes: ArrayLike, counts: Mapping[str, ArrayLike]) -> Figure:
    """Draw the number of entries of a box's bags against the side of the box.

    Parameters
    ----------
    sizes : (S,) sides of a square box, in cells.
    counts : (S,) entries by label.
    """
    figure, axes = new_figure(width=7, height=2.8)
    for (label, count), look in zip(counts.items(), ("--", "-", ":"), strict=False):
        axes.plot(sizes, np.asarray(count), look, color=COLOURS["sample"], label=label, lw=1.8)
    axes.set(xlabel="side of the box (cells)", ylabel="entries of one box", ylim=(0, None))
    axes.legend(fontsize=9)
    return figure


def megabytes(moved: Mapping[str, float]) -> Figure:
    """Draw the megabytes that each way of pooling moves, as bars."""
    figure, axes = new_figure(width=7, height=0.5 + 0.42 * len(moved))
    places = np.arange(len(moved))[::-1]
    axes.barh(places, list(moved.values()), 0.6, color=COLOURS["align"], alpha=0.75)
    for place, amount in zip(places, moved.values(), strict=True):
        digits = 0 if amount >= 10 else 1
        axes.text(amount, place, f" {amount:,.{digits}f}", va="center", fontsize=9)
    axes.set_yticks(places, list(moved))
    axes.set(xlabel="megabytes")
    axes.margins(x=0.12)
    return figure


def memory_layouts(channels: int, cells: int, chosen: int, line: int) -> Figure:
    """Draw two memory formats, map by map and cell by cell: one cell's numbers, and cache lines.

    Parameters
    ----------
    channels, cells : of one image.
    chosen : the cell whose numbers are filled.
    line : numbers in a cache line; lines that have to be fetched are shaded.
    """
    figure, rows = new_figure(1, 2, width=7, height=1.9)
    places = np.arange(channels)
    layouts = {
        "map by map": places * cells + chosen,
        "table: cell by cell": chosen * channels + places,
    }
    for axes, (title, wanted) in zip(rows, layouts.items(), strict=True):
        for first in sorted({place // line * line for place in wanted}):
            axes.axvspan(first, first + line, color=COLOURS["bin"], alpha=0.35, linewidth=0)
        axes.bar(wanted + 0.5, 1, 1, color=COLOURS["sample"])
        axes.set_xticks(np.arange(0, channels * cells + 1, line))
        axes.grid(axis="x", color="#8A8A8A", linewidth=0.6)
        axes.set(title=title, yticks=[], xlim=(0, channels * cells), ylim=(0, 1))
    rows[1].set_xlabel("place in memory (numbers)")
    return figure


def gradient_per_cell(photo: ArrayLike, boxes: ArrayLike, amounts: ArrayLike) -> Figure:
    """Draw boxes on a photograph, and the gradient that each cell of its map receives from them.

    Parameters
    ----------
    photo : (H, W, 3) bytes.
    boxes : (K, 4) in image pixels.
    amounts : (h, w) sums of the weights with which each cell is read.
    """
    photo, amounts = np.asarray(photo), np.asarray(amounts)
    figure, (left, right) = new_figure(2, width=7, height=3.4)
    left.imshow(photo)
    colours = LinearSegmentedColormap.from_list("gradient", ["#FFFFFF", COLOURS["gradient"]])
    sides = (0, photo.shape[1], photo.shape[0], 0)
    # A square root, or one small box would leave the large ones white.
    look: dict[str, Any] = {"cmap": colours, "norm": PowerNorm(0.5), "interpolation": "nearest"}
    tinted = right.imshow(amounts, extent=sides, **look)
    figure.colorbar(tinted, ax=right, label="gradient", shrink=0.8)
    for axes in (left, right):
        for box in np.asarray(boxes):
            draw_box(axes, box)
        axes.set(xlabel="x (image pixels)")
    left.set_ylabel("y (image pixels)")
    return figure
