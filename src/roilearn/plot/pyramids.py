"""Figures of chapter 8: a sum by hand, the steps of a feature pyramid, and what a box reads."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from roilearn.plot.base import GREYS, draw_box, draw_map, new_figure


def double_and_add(coarse: ArrayLike, fine: ArrayLike, total: ArrayLike) -> Figure:
    """Draw a coarse map, the same map enlarged, the finer map and the sum, cell by cell.

    Parameters
    ----------
    coarse : (rows, columns) map.
    fine : (2 * rows, 2 * columns) map.
    total : of the size of ``fine``.
    """
    coarse, fine, total = np.asarray(coarse), np.asarray(fine), np.asarray(total)
    enlarged = coarse.repeat(2, axis=0).repeat(2, axis=1)
    panels = {"coarse map": coarse, "enlarged": enlarged, "finer map": fine, "sum": total}
    figure, axes = new_figure(4, width=7, height=2.1)
    for panel, (title, values) in zip(axes, panels.items(), strict=True):
        draw_map(panel, values)
        panel.set(title=title, xlabel="", ylabel="", xticks=[], yticks=[])
        rows, columns = values.shape
        for step in range(1, columns):
            panel.axvline(step, color="white", lw=1)
        for step in range(1, rows):
            panel.axhline(step, color="white", lw=1)
    for panel, sign in zip(axes[1:], ("→", "+", "="), strict=True):
        panel.text(
            -0.12, 0.5, sign, transform=panel.transAxes, ha="center", va="center", fontsize=14
        )
    return figure


def pyramid_steps(
    steps: Mapping[str, Sequence[ArrayLike]], size: tuple[int, int], box: Sequence[float]
) -> Figure:
    """Draw the maps of every step, a column for each step and a row for each level.

    Parameters
    ----------
    steps : by the step's name, (rows, columns) maps, finest first; the finest is drawn lowest.
    size : (height, width) of the image in pixels.
    box : x1, y1, x2, y2 of an object in image pixels.
    """
    height, width = size
    levels = len(next(iter(steps.values())))
    figure, panels = new_figure(len(steps), levels, width=7, height=1.45 * levels)
    for column, (step, maps) in enumerate(steps.items()):
        for row, values in enumerate(reversed(maps)):
            axes = panels[row, column]
            axes.imshow(np.asarray(values), GREYS, extent=(0, width, height, 0))
            draw_box(axes, box)
            axes.set(xticks=[], yticks=[])
        panels[0, column].set_title(step)
    for row in range(levels):
        panels[row, 0].set_ylabel(f"stride {4 * 2 ** (levels - 1 - row)}")
    return figure


def pooled_from_levels(
    maps: Mapping[str, ArrayLike],
    pooled: Mapping[str, ArrayLike],
    size: tuple[int, int],
    box: Sequence[float],
) -> Figure:
    """Draw a box on one channel of several maps, and below each what is pooled from it.

    Parameters
    ----------
    maps : by the panel's title, (rows, columns) of one channel.
    pooled : by the same titles, the bins of the box on that map.
    size : (height, width) of the image in pixels.
    box : x1, y1, x2, y2 in image pixels.
    """
    height, width = size
    everything = [np.asarray(values) for values in (*maps.values(), *pooled.values())]
    limits = (
        min(float(values.min()) for values in everything),
        max(float(values.max()) for values in everything),
    )
    figure, panels = new_figure(len(maps), 2, width=7, height=4.2)
    for column, (title, values) in enumerate(maps.items()):
        above, below = panels[:, column]
        image = above.imshow(np.asarray(values), GREYS, extent=(0, width, height, 0))
        image.set_clim(limits)
        draw_box(above, box)
        above.set(title=title, xticks=(0, width), yticks=(0, height))
        draw_bins(below, np.asarray(pooled[title]), limits)
    panels[0, 0].set(xlabel="x (image pixels)", ylabel="y")
    panels[1, 0].set_ylabel("bins")
    return figure


def draw_bins(axes: Axes, values: np.ndarray, limits: tuple[float, float]) -> None:
    """Draw the bins of one box with their values, between the values of white and dark grey."""
    rows, columns = values.shape
    axes.imshow(values, GREYS, extent=(0, columns, rows, 0)).set_clim(limits)
    for row, column in np.ndindex(rows, columns):
        number = f"{values[row, column]:.1f}"
        axes.text(column + 0.5, row + 0.5, number, ha="center", va="center", fontsize=7)
    axes.set(xticks=[], yticks=[])
