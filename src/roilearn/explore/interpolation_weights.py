"""Live figure: bilinear weights as opposite areas, for a point that can be dragged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from roilearn import plot, reference
from roilearn.explore import checks
from roilearn.explore.explorable import Checked, Explorable
from roilearn.explore.maps import FOUR_BY_FOUR
from roilearn.palette import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


SEEN = {
    "value": "The point cuts the square between four cell centres into four rectangles; each cell "
    "weighs as much as the rectangle across the point",
    "gradient": "An arrow shows the way uphill; of a gradient of 1 each cell receives its weight, "
    "shown by a square",
}


class InterpolationWeights(Explorable):
    """Interpolate between four cells: the weight of each is the area opposite to it.

    Parameters
    ----------
    values : (H, W) map, 2 to 8 cells a side.
    x, y : the point in continuous coordinates; the centre of cell i is at i + 0.5.
    show : ``"value"`` for the weights, ``"gradient"`` for the gradient of each cell and the
        direction of steepest ascent.
    """

    modules = ("operators.mjs", "interpolation_weights.mjs")
    stylesheets = ("interpolation_weights.css",)

    values = Checked(FOUR_BY_FOUR, checks.feature_map(2, 8))
    x = Checked(2.1, checks.number(0, 8))
    y = Checked(1.8, checks.number(0, 8))
    show = Checked("value", checks.one_of("value", "gradient"))

    def numbers(self) -> dict[str, Any]:
        """Every number that the figure shows, computed by ``roilearn.reference``."""
        values = np.array(self.values, dtype=np.float64)
        row, column = self.y - 0.5, self.x - 0.5
        slope_row, slope_column = reference.bilinear_gradient(values, row, column)
        return {
            "x": self.x,
            "y": self.y,
            "row": row,
            "column": column,
            "inside": {
                "row": float(np.clip(row, 0, values.shape[0] - 1)),
                "column": float(np.clip(column, 0, values.shape[1] - 1)),
            },
            "cells": weighed_cells(values, row, column),
            "value": float(reference.bilinear(values, row, column)),
            "slope": {"row": float(slope_row), "column": float(slope_column)},
            "gradient": reference.bilinear_adjoint(1.0, row, column, *values.shape).tolist(),
        }

    @property
    def alt(self) -> str:
        """What is to be seen in the figure's present state."""
        numbers = self.numbers()
        terms = "; ".join(
            f"row {cell['row']}, column {cell['column']} holds {cell['value']:g} and weighs "
            f"{cell['weight']:.3f}"
            for cell in numbers["cells"]
        )
        return (
            f"A map of {len(self.values)} by {len(self.values[0])} numbers with a point at "
            f"x = {self.x:.2f}, y = {self.y:.2f}, which is column {numbers['column']:.2f}, row "
            f"{numbers['row']:.2f}. {SEEN[self.show]}: {terms}. "
            f"The value at the point is {numbers['value']:.3f}."
        )

    def draw(self) -> Figure:
        """Draw the present state with matplotlib, in the live figure's visual language."""
        numbers = self.numbers()
        figure, (left, right) = plot.new_figure(2, width=8.0, height=3.9)
        plot.draw_map(left, self.values)
        if self.show == "gradient":
            draw_received(left, numbers)
        else:
            draw_areas(left, numbers)
        plot.draw_points(left, [self.x], [self.y])
        left.set(xlabel="x", ylabel="y")
        write_sum(right, numbers)
        return figure


def weighed_cells(values: np.ndarray, row: float, column: float) -> list[dict[str, Any]]:
    """Each of the four cells with its weight, value, product and the sides of its rectangle."""
    _, _, down = reference.neighbours(row, values.shape[0])
    _, _, across = reference.neighbours(column, values.shape[1])
    sides = [(tall, wide) for tall in (1 - down, down) for wide in (1 - across, across)]
    weights = reference.bilinear_weights(row, column, *values.shape)
    return [
        {
            "row": i,
            "column": j,
            "weight": float(weight),
            "value": float(values[i, j]),
            "product": float(weight * values[i, j]),
            "height": float(tall),
            "width": float(wide),
        }
        for (i, j, weight), (tall, wide) in zip(weights, sides, strict=True)
    ]


def draw_areas(axes: Axes, numbers: dict[str, Any]) -> None:
    """Shade each rectangle by its weight, and name it after the cell opposite to it."""
    x, y = numbers["inside"]["column"] + 0.5, numbers["inside"]["row"] + 0.5
    cells = numbers["cells"]
    for name, cell, opposite in zip("ABCD", cells, cells[::-1], strict=True):
        far_x, far_y = opposite["column"] + 0.5, opposite["row"] + 0.5
        shade = {"color": COLOURS["sample"], "alpha": 0.2 + 0.6 * cell["weight"]}
        axes.fill_between(sorted((x, far_x)), min(y, far_y), max(y, far_y), **shade)
        middle: dict[str, Any] = {"ha": "center", "va": "center", "fontweight": "bold"}
        axes.text((x + far_x) / 2, (y + far_y) / 2, name, **middle)
        left, above = cell["column"] < opposite["column"], cell["row"] < opposite["row"]
        at = (cell["column"] + (0.15 if left else 0.85), cell["row"] + (0.2 if above else 0.8))
        axes.text(*at, name, **middle)


def draw_received(axes: Axes, numbers: dict[str, Any]) -> None:
    """Mark the gradient of each cell, and the direction of steepest ascent at the point."""
    amounts = np.array(numbers["gradient"])
    rows, columns = np.nonzero(amounts)
    square = {"marker": "s", "s": 3000 * amounts[rows, columns], "alpha": 0.6}
    axes.scatter(columns + 0.5, rows + 0.5, color=COLOURS["gradient"], **square)
    slope = np.array([numbers["slope"]["column"], numbers["slope"]["row"]])
    start = np.array([numbers["inside"]["column"], numbers["inside"]["row"]]) + 0.5
    if slope.any():
        tip = start + 0.8 * slope / np.hypot(*slope)
        axes.annotate("", tuple(tip), tuple(start), arrowprops={"arrowstyle": "->", "linewidth": 2})


def write_sum(axes: Axes, numbers: dict[str, Any]) -> None:
    """Write the four products and their sum."""
    lines = [
        f"{name}   {cell['height']:.2f} $\\times$ {cell['width']:.2f} = {cell['weight']:.3f}"
        f"   $\\times$ {cell['value']:g} = {cell['product']:.3f}"
        for name, cell in zip("ABCD", numbers["cells"], strict=True)
    ]
    lines += [
        "",
        f"value   {numbers['value']:.3f}",
        "",
        f"continuous   x = {numbers['x']:.2f}, y = {numbers['y']:.2f}",
        f"index   column = {numbers['column']:.2f}, row = {numbers['row']:.2f}",
        f"slope   {numbers['slope']['column']:.2f} right, {numbers['slope']['row']:.2f} down",
    ]
    axes.text(0, 0.5, "\n".join(lines), va="center", linespacing=1.7, transform=axes.transAxes)
    axes.set_axis_off()
