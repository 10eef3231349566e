"""Figures of chapter 4: the outputs, weights and gradients of RoIAlign."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from roilearn import reference
from roilearn.palette import COLOURS
from roilearn.plot.base import draw_box, draw_points, new_figure

WEIGHTS = LinearSegmentedColormap.from_list("weights", ["#F3DCE9", COLOURS["gradient"], "#6B2A50"])
GRIDS = {"1/4, 3/4": (1 / 4, 3 / 4), "1/3, 2/3": (1 / 3, 2 / 3)}


def cell_weights(
    weights: Mapping[str, ArrayLike], box: Sequence[float], bins: tuple[int, int]
) -> Figure:
    """Draw the weight of each cell in the output; cells of weight 0 stay white.

    Parameters
    ----------
    weights : by the panel's title, the (H, W) gradient of the output's sum to the map.
    box : x1, y1, x2, y2 in cells.
    bins : (height, width) of the output.
    """
    figure, panels = new_figure(len(weights), width=7, height=3.1, sharey=True)
    for axes, (title, weight) in zip(panels, weights.items(), strict=True):
        weight = np.asarray(weight)  # noqa: PLW2901 - the same thing as an array
        height, width = weight.shape
        seen = np.ma.masked_equal(weight, 0)
        axes.imshow(seen, cmap=WEIGHTS, vmin=0, vmax=weight.max(), extent=(0, width, height, 0))
        for x in np.linspace(box[0], box[2], bins[1] + 1):
            axes.plot((x, x), (box[1], box[3]), color=COLOURS["bin"], lw=1)
        for y in np.linspace(box[1], box[3], bins[0] + 1):
            axes.plot((box[0], box[2]), (y, y), color=COLOURS["bin"], lw=1)
        draw_box(axes, box)
        axes.set(title=title, xlabel="x (cells)")
    panels[0].set_ylabel("y (cells)")
    return figure


def growing_box(
    lengths: ArrayLike, curves: Mapping[str, ArrayLike], marks: Sequence[float]
) -> Figure:
    """Draw the value of one bin against the width of its box.

    Parameters
    ----------
    lengths : (S,) widths of the bin in cells.
    curves : (S,) values of the bin, by label.
    marks : widths at which a sample is added.
    """
    figure, axes = new_figure(width=7, height=2.8)
    styles = (
        {"color": COLOURS["align"]},
        {"color": COLOURS["sample"]},
        {"color": COLOURS["exact"]},
    )
    broken_at = np.searchsorted(lengths, marks, side="right")
    for (label, values), style in zip(curves.items(), styles, strict=False):
        broken = np.insert(np.asarray(values, dtype=float), broken_at, np.nan)
        axes.plot(np.insert(lengths, broken_at, marks), broken, label=label, lw=1.8, **style)
    for mark in marks:
        axes.axvline(mark, color="#8A8A8A", lw=0.8, ls=":")
    axes.set(xlabel="width of the bin (cells)", ylabel="value of the bin")
    axes.legend(frameon=False, fontsize=9)
    return figure


def thirds_on_two_maps(maps: Mapping[str, ArrayLike], box: tuple[float, float]) -> Figure:
    """Draw samples at quarters and at thirds of one bin, and their means as lines.

    Parameters
    ----------
    maps : a row of cells by the panel's title.
    box : x1, x2 of the bin in cells.
    """
    figure, panels = new_figure(len(maps), width=7, height=3.0)
    for axes, (title, values) in zip(panels, maps.items(), strict=True):
        row = np.asarray(values)
        axes.plot(np.arange(len(row)) + 0.5, row, color="#8A8A8A", marker="s", ms=4)
        for (label, fractions), kind in zip(GRIDS.items(), ("align", "loss"), strict=True):
            x = box[0] + np.array(fractions) * (box[1] - box[0])
            read = [reference.linear(row, place - 0.5) for place in x]
            draw_points(axes, x, read, kind=kind, label=label)
            axes.hlines(np.mean(read), *box, color=COLOURS[kind], linestyles="--", lw=1.4)
        axes.axvspan(*box, color=COLOURS["bin"], alpha=0.15, lw=0)
        axes.set(title=title, xlabel="x (cells)")
    panels[0].set_ylabel("value")
    panels[0].legend(frameon=False, fontsize=9)
    return figure


def edge_slope(edges: ArrayLike, values: ArrayLike, at: float, slope: float) -> Figure:
    """Draw the output against the place of one edge of the box, and the gradient as its tangent.

    Parameters
    ----------
    edges, values : (S,) place of the edge in image pixels, and the output there.
    at, slope : where the gradient was taken, and what it was.
    """
    edges, values = np.asarray(edges), np.asarray(values)
    figure, axes = new_figure(width=7, height=2.6)
    axes.plot(edges, values, color=COLOURS["align"], lw=2, label="sum of the output")
    here = np.interp(at, edges, values)
    reach = np.array([-1, 1]) * (edges[-1] - edges[0]) / 6
    axes.plot(
        at + reach, here + slope * reach, color=COLOURS["gradient"], lw=2.5, label="gradient to x1"
    )
    draw_points(axes, at, here, kind="gradient")
    axes.set(xlabel="x1 (image pixels)", ylabel="sum of the output")
    axes.legend(frameon=False, fontsize=9)
    return figure


def crops_of_operators(
    photo: ArrayLike, box: Sequence[float], outputs: Mapping[str, ArrayLike]
) -> Figure:
    """Show a box on its photograph, and beside it the output of each operator.

    Parameters
    ----------
    photo : (H, W) or (H, W, 3) picture.
    box : x1, y1, x2, y2 in image pixels.
    outputs : (P, P) outputs by title.
    """
    figure, panels = new_figure(len(outputs) + 1, width=7, height=1.9)
    width, height = box[2] - box[0], box[3] - box[1]
    panels[0].imshow(photo, cmap="gray")
    draw_box(panels[0], box)
    panels[0].set(xlim=(box[0] - width / 3, box[2] + width / 3), title="photograph")
    panels[0].set_ylim(box[3] + height / 4, max(box[1] - height / 4, 0))
    for axes, (title, values) in zip(panels[1:], outputs.items(), strict=True):
        axes.imshow(values, cmap="gray", vmin=0, vmax=1, extent=(0, width, height, 0))
        axes.set_title(title)
    for axes in panels:
        axes.set(xticks=[], yticks=[])
        axes.title.set_fontsize(8)
    return figure


def error_by_shift(shifts: ArrayLike, errors: Mapping[str, ArrayLike], stride: int) -> Figure:
    """Draw the mean error of a bin against the shift of the box; dotted lines a stride apart.

    Parameters
    ----------
    shifts : (S,) image pixels.
    errors : (S,) errors by label: RoIPool twice, then RoIAlign without and with the half cell.
    """
    figure, axes = new_figure(width=7, height=2.9)
    looks = (("pool", "-"), ("pool", "--"), ("align", "--"), ("align", "-"))
    for (label, error), (kind, line) in zip(errors.items(), looks, strict=True):
        axes.plot(shifts, error, color=COLOURS[kind], ls=line, lw=1.8, label=label)
    for mark in range(0, int(np.max(shifts)) + 1, stride):
        axes.axvline(mark, color="#8A8A8A", lw=0.8, ls=":")
    axes.set(xlabel="shift of the box (image pixels)", ylabel="mean error of a bin")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure
