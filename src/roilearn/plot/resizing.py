"""Figures of chapter 1 on resizing: the shift of each grid rule, and the weight of each input.

The live figure ``explore.ResizeGrids`` draws the source position of each output.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from roilearn.palette import COLOURS
from roilearn.plot.base import new_figure
from roilearn.plot.interpolation import GREY
from roilearn.reference import GRID_RULES, resize_linear, source_positions

LINES = {
    "corner": "-",
    "corner_truncated": (0, (1, 1.5)),
    "half_pixel": (0, (6, 2.5)),
    "align_corners": (0, (8, 2, 1.5, 2)),
}
INPUT_GREY = "#949494"


def displacement(out_size: int, in_size: int) -> Figure:
    """Draw the displacement of each rule's source positions from those of the half-pixel rule."""
    figure, axes = new_figure(width=6.4, height=2.8)
    centres = (np.arange(out_size) + 0.5) * in_size / out_size
    straight = source_positions(out_size, in_size, "half_pixel")
    for rule in GRID_RULES:
        shift = source_positions(out_size, in_size, rule) - straight
        axes.plot(centres, shift, linestyle=LINES[rule], color="black", label=rule)
        _name_line(axes, rule, centres, shift)
    axes.set_xlabel("x in the input (pixels, centres at +0.5)")
    axes.set_ylabel("reads too far right\n(input pixels)")
    axes.margins(y=0.12)
    return figure


def image_grid(
    named: Mapping[str, ArrayLike], *, columns: int = 4, marks: Sequence[float] = ()
) -> Figure:
    """Draw grey images side by side under their names, each filling its panel.

    Parameters
    ----------
    named : pictures with values from 0 to 1, by title.
    columns : pictures in a row.
    marks : (x, y) of a crosshair as fractions of the width and the height; none when empty.
    """
    rows = -(-len(named) // columns)
    side = min(2.6, 7.4 / columns)
    size = {"width": side * columns, "height": (side + 0.4) * rows}
    figure, panels = new_figure(columns, rows, **size, squeeze=False)
    for axes, (title, picture) in zip(panels.flat, named.items(), strict=True):
        height, width = np.shape(picture)
        axes.imshow(picture, cmap="gray", vmin=0, vmax=1, extent=(0, width, height, 0))
        if len(marks):
            axes.axvline(marks[0] * width, color=COLOURS["sample"], linewidth=1)
            axes.axhline(marks[1] * height, color=COLOURS["sample"], linewidth=1)
        axes.set(title=title, xticks=[0, width], yticks=[0, height])
        axes.tick_params(labelsize=8)
    return figure


def edge_profiles(
    lines: Mapping[str, ArrayLike], level: float, span: tuple[float, float]
) -> Figure:
    """Draw one row of a picture, resized under each rule, where it crosses an edge.

    Parameters
    ----------
    lines : rows of values by rule; each fills the same width, and the first is the input.
    level : value at which the edge is read off.
    span : part of the width to show, in pixels of the input.
    """
    figure, axes = new_figure(width=6.4, height=2.8)
    full = len(np.asarray(next(iter(lines.values()))))
    for rule, line in lines.items():
        count = len(np.asarray(line))
        x = (np.arange(count) + 0.5) * full / count
        axes.plot(x, line, **_line_style(rule))
    axes.axhline(level, color=GREY, linewidth=0.8)
    axes.annotate(f"{level:g}", (1, level), (4, -4), ("axes fraction", "data"), "offset points")
    axes.set(xlim=span, xlabel="x (input pixels, centres at +0.5)", ylabel="brightness")
    place = {"loc": "lower center", "bbox_to_anchor": (0.5, 1.0), "ncols": len(lines)}
    axes.legend(fontsize=8, handlelength=3.2, **place)
    return figure


def weight_sums(out_size: int, in_size: int) -> Figure:
    """Draw, for each rule, the sum of the weights with which every input value is read."""
    figure, panels = new_figure(len(GRID_RULES), width=7.4, height=2.2, sharey=True)
    for axes, rule in zip(panels, GRID_RULES, strict=True):
        weights = [resize_linear(unit, out_size, rule).sum() for unit in np.eye(in_size)]
        axes.bar(range(in_size), weights, color=COLOURS["gradient"], edgecolor="black")
        axes.axhline(out_size / in_size, color=GREY, linewidth=0.8)
        axes.set(title=rule, xlabel="input (index)", xticks=range(in_size))
    panels[0].set_ylabel("sum of its weights")
    return figure


def _name_line(axes: Axes, rule: str, x: np.ndarray, y: np.ndarray) -> None:
    """Write a rule's name at the right end of its line, or below the first trough of a saw."""
    saw = rule == "corner_truncated"
    at = int(np.argmin(y)) if saw else -1
    shift = (0, -12) if saw else (6, -3)
    options = {"textcoords": "offset points", "fontsize": 9, "ha": "center" if saw else "left"}
    axes.annotate(rule, (x[at], y[at]), shift, **options)


def _line_style(rule: str) -> dict[str, object]:
    if rule not in LINES:
        return {"color": INPUT_GREY, "linewidth": 4, "label": rule}
    steps = "steps-mid" if rule == "corner_truncated" else "default"
    return {"color": "black", "linestyle": LINES[rule], "drawstyle": steps, "label": rule}
