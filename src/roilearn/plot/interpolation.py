"""Figures of chapter 1 on linear interpolation: weights, error, derivative, adjoint.

Axes that say "index" are index coordinates: the value of index i stands at i.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from roilearn.palette import COLOURS
from roilearn.plot.base import GREYS, new_figure
from roilearn.reference import (
    bilinear,
    bilinear_weights,
    linear,
    linear_adjoint,
    linear_gradient,
    neighbours,
)

GREY = "#6E6E6E"


def line_between(values: Sequence[float], position: float) -> Figure:
    """Draw a signal, the lines between its values, and one interpolated value with its weights."""
    figure, axes = new_figure(width=6.0, height=2.8)
    low, high, fraction = neighbours(position, len(values))
    axes.plot(range(len(values)), values, color=GREY, marker="o", markerfacecolor="black")
    axes.axvline(position, color=COLOURS["sample"], linestyle=":")
    _reading(axes, position, float(linear(values, position)))
    for index, weight, side in ((low, 1 - fraction, "right"), (high, fraction, "left")):
        shift = (-9 if side == "right" else 9, -4)
        _note(axes, f"{values[index]:g}, weight {weight:g}", (index, values[index]), shift, side)
    axes.set(xlabel="position (index)", ylabel="value", ylim=(0, 1.4 * max(values)))
    axes.set(xticks=range(len(values)), xlim=(-0.9, len(values) - 0.6))
    return figure


def three_lines(image: ArrayLike, row: float, column: float) -> Figure:
    """Draw bilinear interpolation: a line along each of two rows, a third between their results."""
    image = np.asarray(image, dtype=float)
    top, bottom, _ = neighbours(row, image.shape[0])
    ends = [float(linear(image[index], column)) for index in (top, bottom)]
    figure, (along, between) = new_figure(2, width=7.0, height=2.8)
    for index, style, end in ((top, "-", ends[0]), (bottom, "--", ends[1])):
        _along_row(along, image[index], index, style, column)
        _reading(along, column, end)
    between.plot([top, bottom], ends, color=GREY, marker="o")
    _reading(between, row, float(bilinear(image, row, column)))
    along.set(xlabel="column (index)", ylabel="value", title="1 and 2: along each row")
    between.set(xlabel="row (index)", title=f"3: down column {column:g}")
    between.set_xticks([top, row, bottom])
    return figure


def opposite_areas(row: float, column: float, height: int, width: int) -> Figure:
    """Draw the square between four cell centres, and for each its weight as the opposite area."""
    figure, panels = new_figure(4, width=7.4, height=2.9, sharex=True, sharey=True)
    weights = bilinear_weights(row, column, height, width)
    for axes, (i, j, weight) in zip(panels, weights, strict=True):
        cells = {(m, n) for m, n, _ in weights}
        _opposite_rectangle(axes, (row, column), (i, j), cells)
        axes.set_title(f"cell ({i}, {j})\nweight {weight:g}")
    panels[0].set_ylabel("row (index)")
    panels[0].invert_yaxis()
    return figure


def chords(signal: Callable[[ArrayLike], ArrayLike], end: float, steps: Sequence[float]) -> Figure:
    """Draw a curved signal and the lines between its samples, a panel for each spacing."""
    figure, panels = new_figure(len(steps), width=7.0, height=2.4, sharey=True)
    fine = np.linspace(0, end, 400)
    curve = np.asarray(signal(fine))
    for axes, step in zip(panels, steps, strict=True):
        knots = np.arange(0, end + step / 2, step)
        line = np.array([linear(signal(knots), x / step) for x in fine])
        axes.plot(fine, curve, color=COLOURS["box"], label="signal")
        axes.plot(knots, signal(knots), color=GREY, marker="o", markersize=4, label="lines")
        axes.fill_between(fine, curve, line, color=COLOURS["loss"], alpha=0.45, label="error")
        axes.set(title=f"h = {step:.2f}: error {np.abs(curve - line).max():.3f}", xlabel="x")
    panels[0].set_ylabel("value")
    panels[-1].legend(fontsize=8)
    return figure


def surface(image: ArrayLike, levels: Sequence[float]) -> Figure:
    """Draw a map cell by cell, and lines of equal value of its bilinear surface.

    Parameters
    ----------
    image : (H, W) map.
    levels : values of the lines. A line at the value of a saddle between four centres crosses
        itself there, inside the cell; choose others.
    """
    image = np.asarray(image, dtype=float)
    height, width = image.shape
    rows, columns = np.linspace(0, height - 1, 41), np.linspace(0, width - 1, 41)
    dense = [[bilinear(image, row, column) for column in columns] for row in rows]
    figure, panels = new_figure(2, width=7.0, height=3.5, sharey=True)
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    panels[0].imshow(image, cmap=GREYS, extent=extent)
    panels[1].imshow(image, cmap=GREYS, extent=extent, alpha=0.3)
    for crease in range(1, height - 1):
        panels[1].plot([0, width - 1], [crease, crease], ":", color=GREY, linewidth=1)
    for crease in range(1, width - 1):
        panels[1].plot([crease, crease], [0, height - 1], ":", color=GREY, linewidth=1)
    lines = panels[1].contour(columns, rows, dense, levels=levels, colors="black", linewidths=1)
    places = [_off_the_creases(line) for level in lines.allsegs for line in level if len(line) > 8]
    panels[1].clabel(lines, fontsize=8, fmt="%g", inline_spacing=2, manual=places)
    for axes, title in zip(panels, ("the cells", "lines of equal value"), strict=True):
        axes.set(title=title, xlabel="column (index)", xticks=range(width), yticks=range(height))
    panels[0].set_ylabel("row (index)")
    return figure


def value_and_slope(values: Sequence[float]) -> Figure:
    """Draw a clamped, linearly interpolated signal, and below it the derivative with its jumps."""
    figure, (upper, lower) = new_figure(1, 2, width=6.0, height=3.6, sharex=True)
    knots = [-0.8, *range(len(values)), len(values) - 0.2]
    upper.plot(knots, [linear(values, p) for p in knots], color=GREY)
    upper.plot(range(len(values)), values, "o", color="black")
    lower.axhline(0, color=GREY, linewidth=0.8, zorder=0)
    for start, stop in pairwise(knots):
        slope = linear_gradient(values, (start + stop) / 2)
        lower.plot([start, stop], [slope, slope], color=COLOURS["gradient"], linewidth=2.5)
    upper.set_ylabel("value")
    lower.set(xlabel="position (index)", ylabel="d value / d position")
    lower.set_xticks(range(len(values)))
    return figure


def reading_and_adjoint(values: Sequence[float], position: float) -> Figure:
    """Draw an interpolated value as arrows from two values, and its adjoint as arrows to them."""
    figure, (forward, backward) = new_figure(2, width=7.0, height=2.4)
    weights = linear_adjoint(1.0, position, len(values))
    _arrows(forward, position, float(linear(values, position)), np.asarray(values), weights)
    _arrows(backward, position, 1.0, weights, weights, back=True)
    forward.set_title("from the values to a reading")
    backward.set_title("adjoint: from a gradient to the values")
    return figure


def _off_the_creases(line: np.ndarray) -> tuple[float, float]:
    """Point of a line farthest from whole columns and rows, where a label hides no turn."""
    column, row = line[np.abs(line % 1 - 0.5).max(axis=1).argmin()]
    return float(column), float(row)


def _note(
    axes: Axes, text: str, at: tuple[float, float], shift: tuple[float, float], ha: str = "center"
) -> None:
    axes.annotate(text, at, shift, textcoords="offset points", ha=ha)


def _reading(axes: Axes, position: float, value: float) -> None:
    axes.scatter([position], [value], s=60, color=COLOURS["sample"], edgecolors="black", zorder=4)
    _note(axes, f"{value:g}", (position, value), (9, -4), ha="left")


def _along_row(axes: Axes, values: np.ndarray, index: int, style: str, column: float) -> None:
    left, right, _ = neighbours(column, len(values))
    ends = values[[left, right]]
    axes.plot([left, right], ends, style, color=GREY, marker="o")
    _note(axes, f"row {index}", ((left + right) / 2, ends.mean()), (-4, 8), ha="right")
    axes.set_xticks([left, column, right])


def _opposite_rectangle(
    axes: Axes, point: tuple[float, float], cell: tuple[int, int], cells: set[tuple[int, int]]
) -> None:
    (row, column), (i, j) = point, cell
    far_row, far_column = next(c for c in cells if c[0] != i and c[1] != j)
    corner = min(far_column, column), min(far_row, row)
    size = abs(far_column - column), abs(far_row - row)
    axes.add_patch(Rectangle(corner, *size, color=COLOURS["bin"], alpha=0.65))
    axes.axhline(row, color=GREY, linewidth=0.8)
    axes.axvline(column, color=GREY, linewidth=0.8)
    axes.scatter([column], [row], s=36, color=COLOURS["sample"], edgecolors="black", zorder=3)
    for m, n in sorted(cells):
        axes.scatter([n], [m], s=26, color=GREY, zorder=4)
    axes.scatter([j], [i], s=90, color="black", zorder=5)
    axes.set(xticks=sorted({j, far_column}), yticks=sorted({i, far_row}), xlabel="column")
    axes.set(aspect="equal")
    axes.margins(0.15)


def _arrows(
    axes: Axes,
    position: float,
    upper: float,
    lower: np.ndarray,
    weights: np.ndarray,
    *,
    back: bool = False,
) -> None:
    colour = COLOURS["gradient" if back else "sample"]
    for index in np.flatnonzero(weights):
        tail, tip = ((position, 1), (index, 0)) if back else ((index, 0), (position, 1))
        style = {"arrowstyle": "->", "color": colour, "linewidth": 1 + 3 * weights[index]}
        axes.annotate("", tip, tail, arrowprops={**style, "shrinkA": 18, "shrinkB": 18})
        shift, side = ((9, 0), "left") if index > position else ((-9, 0), "right")
        _note(axes, f"{weights[index]:g}", ((position + index) / 2, 0.5), shift, side)
    axes.scatter([position], [1], s=800, color="white", edgecolors=colour, linewidths=2)
    _note(axes, f"{upper:g}", (position, 1), (0, -4))
    for index, value in enumerate(lower):
        axes.scatter([index], [0], s=1150, marker="s", color="white", edgecolors=GREY)
        _note(axes, f"{value:g}", (index, 0), (0, -4))
    axes.set(xticks=range(len(lower)), yticks=[], xlabel="position (index)")
    axes.set(ylim=(-0.35, 1.35), xlim=(-0.5, len(lower) - 0.5))
