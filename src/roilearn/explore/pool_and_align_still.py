"""The still picture of ``PoolAndAlign``: its two panels, drawn with matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from roilearn import plot
from roilearn.palette import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def grid_text(output: list[list[float]]) -> str:
    """Write an output grid as text, its rows separated by semicolons."""
    return "; ".join(", ".join(f"{value:.2f}" for value in line) for line in output)


def draw_pool(axes: Axes, numbers: dict[str, Any], show: str) -> None:
    """Draw the panel of RoIPool: rounded box, overlapping bins, and maxima or gradient."""
    pool = numbers["pool"]
    x1, y1, x2, y2 = pool["corners"]
    for i, (top, bottom) in enumerate(pool["rows"]):
        for j, (left, right) in enumerate(pool["columns"]):
            inset = 0.08 + 0.06 * ((i + j) % 2)
            sides = (left + inset, top + inset, right - inset, bottom - inset)
            draw_bin(axes, sides, chosen=[i, j] == numbers["selected"])
    plot.draw_box(axes, (x1, y1, x2 + 1, y2 + 1), kind="pool", dashed=True)
    if show == "gradient":
        draw_gradient(axes, pool["gradient"])
    else:
        places = np.array([place for line in pool["winners"] for place in line if place])
        ring = {"s": 210, "facecolors": "none", "edgecolors": COLOURS["pool"], "linewidths": 2}
        axes.scatter(*(places.reshape(-1, 2).T[::-1] + 0.5), **ring)
    axes.set(title=f"RoIPool: {grid_text(pool['output'])}", xlabel="x (cells)", ylabel="y (cells)")


def draw_align(axes: Axes, numbers: dict[str, Any], show: str) -> None:
    """Draw the panel of RoIAlign: bins, and samples with weights or gradient."""
    align = numbers["align"]
    left, top, right, bottom = np.array(align["region"]) + 0.5
    down = np.linspace(top, bottom, len(align["rows"]) + 1)
    across = np.linspace(left, right, len(align["columns"]) + 1)
    for i, j in np.ndindex(len(down) - 1, len(across) - 1):
        sides = (across[j], down[i], across[j + 1], down[i + 1])
        draw_bin(axes, sides, chosen=[i, j] == numbers["selected"])
    if show == "gradient":
        draw_gradient(axes, align["gradient"])
    else:
        weights = np.array(align["bin"]["weights"])
        rows, columns = np.nonzero(weights)
        disc = {"s": 900 * weights[rows, columns], "color": COLOURS["sample"], "alpha": 0.4}
        axes.scatter(columns + 0.5, rows + 0.5, **disc)
        x, y = np.meshgrid(np.concatenate(align["columns"]), np.concatenate(align["rows"]))
        plot.draw_points(axes, x + 0.5, y + 0.5)
    axes.set(title=f"RoIAlign: {grid_text(align['output'])}", xlabel="x (cells)", ylabel="")


def draw_bin(axes: Axes, sides: tuple[float, ...], *, chosen: bool) -> None:
    """Outline one bin; the selected one is filled."""
    left, top, right, bottom = sides
    outline = {"color": COLOURS["bin"], "linewidth": 1.3}
    axes.plot([left, right, right, left, left], [top, top, bottom, bottom, top], **outline)
    if chosen:
        axes.fill_between([left, right], top, bottom, color=COLOURS["bin"], alpha=0.3, linewidth=0)


def draw_gradient(axes: Axes, gradient: list[list[float]]) -> None:
    """Mark the gradient of each cell by a square of proportional area."""
    amounts = np.array(gradient)
    rows, columns = np.nonzero(amounts)
    marks = {"s": 340 * np.minimum(amounts[rows, columns], 1), "color": COLOURS["gradient"]}
    axes.scatter(columns + 0.5, rows + 0.5, marker="s", alpha=0.75, **marks)
