"""Figures of chapter 4: the sampling points of RoIAlign."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from roilearn import reference
from roilearn.palette import COLOURS
from roilearn.plot.base import draw_box, draw_points, new_figure


def aligned_offset(box: tuple[float, float] = (2.0, 6.0), bins: int = 4, cells: int = 8) -> Figure:
    """Draw one row of cells and the centres of bins on it, with ``aligned`` true and false."""
    figure, axes = new_figure(width=7, height=2.9)
    for cell in range(cells):
        axes.add_patch(Rectangle((cell, 0), 1, 1, facecolor="#EDEDED", edgecolor="#8A8A8A"))
        axes.text(cell + 0.5, 0.5, str(cell), ha="center", va="center")
    draw_box(axes, (box[0], -0.08, box[1], 1.08))
    for i in range(bins):
        centre = box[0] + (i + 0.5) * (box[1] - box[0]) / bins
        for kind, start, moved, end in (("align", -0.8, 0.0, 0.3), ("loss", 1.8, 0.5, 0.7)):
            draw_points(axes, centre, start, kind="bin")
            _arrow(axes, (centre, start), (centre + moved, end), kind)
    note = {"va": "center", "ha": "right", "fontsize": 9}
    axes.text(-0.2, -0.8, "aligned=True:\nbin centre, own cell", color=COLOURS["align"], **note)
    axes.text(-0.2, 0.5, "index of the cell", **note)
    axes.text(-0.2, 1.8, "aligned=False:\nhalf a cell further", color=COLOURS["loss"], **note)
    axes.set(xlim=(-2.3, cells + 0.1), ylim=(2.1, -1.1), yticks=[], xticks=range(cells + 1))
    axes.set_xlabel("x (cells), continuous: whole numbers are edges")
    axes.spines[["left", "bottom"]].set_visible(False)
    return figure


def samples_in_a_bin(counts: Sequence[int] = (1, 2, 3), size: float = 2.6) -> Figure:
    """Draw one bin of ``size`` cells with 1, 2, 3 ... samples an axis, at their fractions."""
    figure, panels = new_figure(len(counts), width=7, height=2.7)
    for axes, count in zip(panels, counts, strict=True):
        positions = np.array(reference.sample_positions(0.0, 1.0, 1, count)[0])
        axes.add_patch(Rectangle((0, 0), 1, 1, facecolor="#EAF5FC", edgecolor=COLOURS["bin"], lw=2))
        for cut in np.arange(1, count) / count:
            axes.plot((cut, cut), (0, 1), (0, 1), (cut, cut), color=COLOURS["bin"], lw=1, ls=":")
        draw_points(axes, *np.meshgrid(positions, positions))
        labels = [f"{2 * s + 1}/{2 * count}" for s in range(count)]
        axes.set_xticks(positions, labels)
        axes.set_yticks(positions, labels)
        adaptive = f", ceil({size:g}) = {count}" if count == np.ceil(size) else ""
        axes.set(title=f"{count} x {count}{adaptive}", xlim=(-0.05, 1.05), ylim=(1.05, -0.05))
        axes.set_aspect("equal")
    panels[len(counts) // 2].set_xlabel("fraction of the bin's width")
    panels[0].set_ylabel("fraction of its height")
    return figure


def value_outside_map(size: int = 6) -> Figure:
    """Draw the value of one sample of a map of ones against its column, outside the map too."""
    positions = np.arange(-2 * 64, (size + 1) * 64 + 1) / 64
    counts = [float(reference.in_band(position, size)) for position in positions]
    figure, axes = new_figure(width=7, height=2.3)
    axes.axvspan(-0.5, size - 0.5, color="#EDEDED")
    axes.plot(positions, counts, color=COLOURS["align"], lw=2)
    axes.axvspan(-1, -0.5, color=COLOURS["sample"], alpha=0.35, lw=0)
    axes.axvspan(size - 0.5, size, color=COLOURS["sample"], alpha=0.35, lw=0)
    axes.text((size - 1) / 2, 0.5, "inside the map", ha="center")
    for x, side in ((-1.1, "right"), (size + 0.1, "left")):
        axes.text(x, 0.5, "nothing:\ncounted as 0", ha=side, va="center", fontsize=9)
    axes.set(xlabel="column of the sample (index; column = x - 0.5)", ylabel="value it reads")
    axes.set_xticks(range(-2, size + 2))
    axes.set_ylim(-0.08, 1.15)
    return figure


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], kind: str) -> None:
    style = {"arrowstyle": "->", "color": COLOURS[kind], "lw": 1.2}
    axes.annotate("", end, start, arrowprops=style)
