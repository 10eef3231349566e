"""Figures of chapter 3, RoIPool: bins along an axis, the output, and the gradient."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from roilearn import reference
from roilearn.palette import COLOURS
from roilearn.plot.base import draw_box, draw_map, new_figure


def bins_along_an_axis(edges: Sequence[tuple[int, int]], cells: int) -> Figure:
    """Draw each bin as a bar over the cells that it reads.

    Parameters
    ----------
    edges : (start, stop) of each bin, as ``reference.bin_edges`` gives them.
    cells : cells of the box along this axis.
    """
    figure, axes = new_figure(height=0.35 * len(edges) + 0.9)
    for i, (start, stop) in enumerate(edges):
        axes.barh(i, stop - start, left=start, height=0.6, color=COLOURS["bin"])
        axes.text((start + stop) / 2, i, f"{stop - start} cells", ha="center", va="center")
        exact = np.array([i, i + 1]) * cells / len(edges)
        axes.plot(exact, [i + 0.42, i + 0.42], color=COLOURS["box"], linewidth=2)
    axes.set(xticks=range(cells + 1), yticks=range(len(edges)), xlabel="cell edge", ylabel="bin")
    axes.grid(axis="x", linewidth=0.4)
    axes.invert_yaxis()
    return figure


def pooled_box(values: ArrayLike, box: Sequence[float], bins: tuple[int, int]) -> Figure:
    """Draw the box as given, the cells it is rounded to, each bin's maximum, and the output.

    Parameters
    ----------
    values : (H, W) map.
    box : x1, y1, x2, y2 in cells.
    bins : (height, width) of the output.
    """
    values = np.asarray(values, dtype=float)
    roi = np.array([0, *box], dtype=float)
    figure, (left, right) = new_figure(2, height=3.2)
    draw_map(left, values)
    x1, y1, x2, y2 = reference.quantize_box(box, 1.0)
    draw_box(left, (x1, y1, x2 + 1, y2 + 1), kind="pool", label="cells that RoIPool reads")
    draw_box(left, box, dashed=True, label="the box as given")
    for place in argmax_cells(values, roi, bins):
        left.add_patch(Rectangle(place, 1, 1, color=COLOURS["pool"], alpha=0.35, zorder=0.5))
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), fontsize=8)
    draw_map(right, reference.roi_pool(values[None, None], roi[None], bins)[0, 0])
    right.set(xlabel="bin", ylabel="bin", title="output")
    return figure


def argmax_cells(
    values: np.ndarray, roi: np.ndarray, bins: tuple[int, int]
) -> set[tuple[int, int]]:
    """Cells (column, row) that are the maximum of some bin of the box."""
    ones = np.ones((1, 1, *bins))
    spread = reference.roi_pool_backward(ones, values[None, None], roi[None])[0, 0]
    return {(int(column), int(row)) for row, column in np.argwhere(spread)}


def photograph_and_map(
    photo: ArrayLike, values: ArrayLike, stride: int, boxes: Mapping[str, Sequence[float]]
) -> Figure:
    """Draw boxes on a photograph in pixels, and beside it on its feature map in cells.

    Parameters
    ----------
    photo : (H, W, 3) picture.
    values : (H // stride, W // stride), one channel of its feature map.
    boxes : x1, y1, x2, y2 in image pixels, by name.
    """
    figure, (left, right) = new_figure(2, height=2.9)
    left.imshow(photo)
    left.set(xlabel="x (image pixels)", ylabel="y (image pixels)")
    draw_map(right, values, numbers=False)
    right.set(xticks=range(0, np.shape(values)[1], 4), yticks=range(0, np.shape(values)[0], 4))
    for dashed, (name, box) in enumerate(boxes.items()):
        draw_box(left, box, dashed=bool(dashed))
        draw_box(right, np.divide(box, stride), dashed=bool(dashed), label=name)
    right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.25), fontsize=8, ncols=2)
    return figure


def output_by_shift(shifts: ArrayLike, responses: Mapping[str, ArrayLike], unit: str) -> Figure:
    """Draw an output against the shift of the box: a line for each key of ``palette.COLOURS``.

    Parameters
    ----------
    shifts : (S,) how far the box has been moved.
    responses : the (S,) output, by key of ``palette.COLOURS``.
    unit : what the x axis says.
    """
    figure, axes = new_figure(height=2.8)
    names = {"pool": "RoIPool", "align": "RoIAlign", "exact": "exact integral"}
    for kind, values in responses.items():
        axes.plot(shifts, values, color=COLOURS[kind], marker=".", label=names.get(kind, kind))
    axes.set(xlabel=unit, ylabel="value of one bin")
    axes.legend()
    return figure


def cells_with_gradient(
    values: ArrayLike, spreads: Mapping[str, ArrayLike], box: Sequence[float]
) -> Figure:
    """Shade the cells that receive gradient from a box, panel by panel.

    Parameters
    ----------
    values : (H, W) map.
    spreads : (H, W) gradient to the map, by the title of its panel.
    box : x1, y1, x2, y2 in cells.
    """
    figure, panels = new_figure(len(spreads), height=1.9, squeeze=False)
    for axes, (title, spread) in zip(panels[0], spreads.items(), strict=True):
        draw_map(axes, values, numbers=False)
        shade(axes, np.asarray(spread))
        draw_box(axes, box, dashed=True)
        axes.set(title=title, xticks=[], yticks=[], xlabel="", ylabel="")
    return figure


def shade(axes: Axes, spread: np.ndarray) -> None:
    """Cover each cell with the gradient's colour, the more gradient the more opaque."""
    strongest = np.abs(spread).max() or 1.0
    for row, column in np.argwhere(spread):
        opacity = 0.25 + 0.75 * abs(spread[row, column]) / strongest
        axes.add_patch(
            Rectangle((column, row), 1, 1, color=COLOURS["gradient"], alpha=opacity, linewidth=0)
        )
