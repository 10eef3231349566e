"""Figures of chapter 7: a residual block, its training and gradients, and what a cell sees."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from roilearn.palette import COLOURS
from roilearn.plot.base import GREYS, draw_box, new_figure

HEAT = LinearSegmentedColormap.from_list("heat", ["#FFFFFF00", COLOURS["gradient"], "#6B2A50"])
"""From transparent to dark: laid over a photograph."""
DEPTHS = {14: {"color": "#8A8A8A", "linestyle": "--"}, 50: {"color": "black"}}
"""Looks of the networks of 14 and of 50 layers."""


def residual_block(values: Mapping[str, Sequence[float]]) -> Figure:
    """Draw a block from its input to its output, with the row of values after each step.

    Parameters
    ----------
    values : by the name of the step, in order; the first is the input. The step ``"add"`` adds the
        input.
    """
    figure, axes = new_figure(width=7, height=2.1)
    last = len(values) - 1
    for place, (step, row) in enumerate(values.items()):
        if place:
            arrow(axes, (place - 0.68, 0), (place - 0.32, 0))
            axes.text(place - 0.5, 0.32, step, ha="center", va="bottom", fontsize=9)
        for cell, value in enumerate(row):
            left = place + 0.32 * (cell - len(row) / 2)
            axes.fill([left, left + 0.32, left + 0.32, left], [-0.22, -0.22, 0.22, 0.22], "#F2F2F2")
            draw_box(axes, (left, -0.22, left + 0.32, 0.22))
            axes.text(left + 0.16, 0, f"{value:g}", ha="center", va="center", fontsize=11)
    joined = list(values).index("add") - 0.5
    axes.plot((0, 0, joined), (-0.27, -0.7, -0.7), color="black", lw=1.8)
    arrow(axes, (joined, -0.7), (joined, -0.05))
    axes.text(joined / 2, -0.66, "shortcut", ha="center", va="bottom")
    axes.set(xlim=(-0.45, last + 0.45), ylim=(-0.85, 0.8))
    axes.set_axis_off()
    return figure


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw an arrow from one point to another."""
    style = {"arrowstyle": "-|>", "color": "black", "lw": 1.8, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=style)


class Trained(Protocol):
    """A recorded pass of training, as in ``roilearn.bench.read_degradation``."""

    block: str
    layers: int
    seed: int
    epoch: int
    error: float


def training_error(rows: Iterable[Trained]) -> Figure:
    """Draw the training error after each pass: plain left, residual right, a line for each seed."""
    rows = list(rows)
    figure, panels = new_figure(2, width=7, height=3.0, sharey=True)
    for axes, block in zip(panels, ("plain", "residual"), strict=True):
        for layers, look in DEPTHS.items():
            own = [row for row in rows if (row.block, row.layers) == (block, layers)]
            for seed in sorted({row.seed for row in own}):
                curve = [(row.epoch, 100 * row.error) for row in own if row.seed == seed]
                label = f"{layers} layers" if seed == min(row.seed for row in own) else None
                axes.plot(*zip(*curve, strict=True), lw=1.6, label=label, **look)
        axes.set(title=block, xlabel="passes over the training images", ylim=(0, None))
    panels[0].set_ylabel("training error, %")
    panels[1].legend()
    return figure


def gradient_by_block(norms: Mapping[str, ArrayLike]) -> Figure:
    """Draw the size of the gradient at the output of each block, on a logarithmic axis.

    Parameters
    ----------
    norms : by the name of the network, a number for each block, the one next to the image first.
    """
    figure, axes = new_figure(width=7, height=2.8)
    for (name, sizes), style in zip(norms.items(), ("o-", "s--", "^:"), strict=False):
        sizes = np.asarray(sizes)  # noqa: PLW2901 - the same thing as an array
        places = np.arange(1, len(sizes) + 1)
        axes.plot(places, sizes, style, color=COLOURS["gradient"], markersize=5, label=name)
    axes.set(yscale="log", xlabel="block, counted from the image", ylabel="size of the gradient")
    axes.legend()
    return figure


def scene_and_maps(image: ArrayLike, maps: Mapping[str, ArrayLike], box: Sequence[float]) -> Figure:
    """Draw an image and maps of it side by side, all as large as the image, with one box on each.

    Parameters
    ----------
    image : (H, W, 3) with values from 0 to 1.
    maps : by name, (rows, columns) each; light is small.
    box : x1, y1, x2, y2 in image pixels.
    """
    image = np.asarray(image)
    height, width = image.shape[:2]
    figure, panels = new_figure(len(maps) + 1, width=7, height=1.9, sharey=True)
    panels[0].imshow(image, extent=(0, width, height, 0))
    panels[0].set_title("image")
    for axes, (name, values) in zip(panels[1:], maps.items(), strict=True):
        axes.imshow(np.asarray(values), GREYS, extent=(0, width, height, 0))
        axes.set_title(name)
    for axes in panels:
        draw_box(axes, box)
        axes.set(xticks=(0, width), yticks=(0, height))
    panels[0].set(xlabel="x (image pixels)", ylabel="y")
    return figure


def gradient_on_scene(
    image: ArrayLike,
    gradients: Mapping[str, ArrayLike],
    fields: Mapping[str, Sequence[float]],
    box: Sequence[float],
) -> Figure:
    """Draw how much gradient of one cell reaches each pixel, a panel for each map.

    Parameters
    ----------
    image : (H, W, 3) with values from 0 to 1.
    gradients : by the panel's title, (H, W) absolute gradients to the pixels.
    fields : by the same titles, the receptive field x1, y1, x2, y2 in image pixels; it is drawn
        where it lies on the image.
    box : x1, y1, x2, y2 of the object, in image pixels.
    """
    image = np.asarray(image)
    height, width = image.shape[:2]
    pale = 0.55 + 0.45 * image.mean(axis=2)
    figure, panels = new_figure(len(gradients), width=7, height=2.2, sharey=True)
    for axes, (title, gradient) in zip(panels, gradients.items(), strict=True):
        extent = (0, width, height, 0)
        axes.imshow(pale, "gray", vmin=0, vmax=1, extent=extent)
        roots = np.sqrt(np.asarray(gradient))
        axes.imshow(roots, HEAT, vmin=0, vmax=roots.max(), extent=extent)
        x1, y1, x2, y2 = fields[title]
        inside = (max(x1, 0), max(y1, 0), min(x2, width), min(y2, height))
        draw_box(axes, inside, dashed=True)
        draw_box(axes, box)
        axes.set(title=title, xticks=(0, width), yticks=(0, height), xlabel="x (image pixels)")
    panels[0].set_ylabel("y")
    return figure
