"""Figures of chapter 13: augmented pictures, learning rates, losses of one run and of several."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from roilearn.palette import CLASSES, COLOURS
from roilearn.plot.base import draw_box, new_figure

STYLES = ("-", "--", ":")
GREYS = ("0", "0.35", "0.55")
HEALTHY: dict[str, Any] = {"color": "0.35", "linestyle": "--", "linewidth": 1.2}
FAULTY: dict[str, Any] = {"color": COLOURS["loss"], "linewidth": 1.8}
"""Looks of a healthy run and of one with a fault, as in the live figure."""
TINT = 0.45
"""Opacity of a mask's colour."""


def pictures_with_targets(
    pictures: Mapping[str, ArrayLike],
    targets: Sequence[Mapping[str, ArrayLike]],
    names: Sequence[str],
) -> Figure:
    """Draw pictures beside each other with their masks, boxes and class names.

    Parameters
    ----------
    pictures : by title, (H, W, 3) values from 0 to 1.
    targets : for each picture ``boxes`` (n, 4) in image pixels, ``labels`` (n,) from 1 and
        ``masks`` (n, H, W).
    names : class names, that of label 1 first.
    """
    figure, panels = new_figure(len(pictures), width=8, height=2.8, squeeze=False)
    for axes, (title, image), target in zip(panels[0], pictures.items(), targets, strict=True):
        pixels = np.array(image, float)
        labels = np.asarray(target["labels"])
        for mask, label in zip(np.asarray(target["masks"]), labels, strict=True):
            hue = np.array([int(CLASSES[label - 1][n : n + 2], 16) / 255 for n in (1, 3, 5)])
            pixels[mask > 0] += TINT * (hue - pixels[mask > 0])
        height, width = pixels.shape[:2]
        axes.imshow(pixels, extent=(0, width, height, 0))
        for box, label in zip(np.asarray(target["boxes"]).tolist(), labels, strict=True):
            draw_box(axes, box)
            tag = {"facecolor": CLASSES[label - 1], "edgecolor": "black", "pad": 1.2}
            at = (box[0] + 1, box[1] + 1)
            axes.text(*at, names[label - 1], fontsize=7, va="top", bbox={**tag, "linewidth": 0.5})
        axes.set(xticks=[], yticks=[], xlim=(0, width), ylim=(height, 0))
        axes.set_title(title)
    return figure


def learning_rates(rates: Mapping[str, Sequence[float]]) -> Figure:
    """Draw the learning rate of each step: a line for each schedule."""
    figure, axes = new_figure(height=2.6)
    for (name, values), style, grey in zip(rates.items(), STYLES, GREYS, strict=False):
        axes.plot(range(len(values)), values, style, color=grey, linewidth=1.8, label=name)
    axes.set(xlabel="step", ylabel="learning rate", ylim=(0, None))
    axes.legend(loc="lower left", bbox_to_anchor=(0.18, 0.05), frameon=False)
    return figure


def smoothed(values: ArrayLike, window: int) -> np.ndarray:
    """Compute the mean over each ``window`` values that follow each other.

    Examples
    --------
    >>> smoothed([1, 3, 5, 7], 2).tolist()
    [2.0, 4.0, 6.0]
    """
    return np.convolve(np.asarray(values, float), np.full(window, 1 / window), "valid")


def losses_of_run(
    steps: ArrayLike, losses: Mapping[str, ArrayLike], window: int, levels: Mapping[str, float]
) -> Figure:
    """Draw the losses of one run: pale as they are, and their moving means; a panel for each.

    Parameters
    ----------
    steps : step of each value.
    losses : values of each loss, by its name.
    window : number of steps of a moving mean.
    levels : by name, a value that is marked by a dotted line; for some of the losses.
    """
    columns = -(-len(losses) // 2)
    figure, panels = new_figure(columns, 2, width=8, height=4, sharex=True)
    places = smoothed(steps, window)
    for axes, (name, values) in zip(panels.flat, losses.items(), strict=False):
        axes.plot(steps, values, color="0.8", linewidth=0.5)
        axes.plot(places, smoothed(values, window), color=COLOURS["loss"], linewidth=1.8)
        if name in levels:
            axes.axhline(levels[name], color="black", linewidth=1, linestyle=":")
        highest = float(np.quantile(np.asarray(values, float), 0.995))
        axes.set(ylim=(0, 1.05 * max(highest, levels.get(name, 0)) or 1))
        axes.set_title(name, loc="left")
    for axes in panels[1]:
        axes.set_xlabel("step")
    for axes in panels.flat[len(losses) :]:
        axes.remove()
    return figure


def charts_of_runs(
    steps: Sequence[float],
    healthy: Mapping[str, Sequence[float]],
    runs: Mapping[str, Mapping[str, Sequence[float]]],
) -> Figure:
    """Draw the losses of several runs, a row each, and in every panel those of a healthy one.

    Parameters
    ----------
    steps : at which the losses are known.
    healthy : values of each loss, by its name.
    runs : the same for each other run, by its title.
    """
    figure, panels = new_figure(
        len(healthy), len(runs), width=9, height=1.35 * len(runs) + 0.4, squeeze=False, sharex=True
    )
    for row, (title, losses) in zip(panels, runs.items(), strict=True):
        for axes, (name, values) in zip(row, healthy.items(), strict=True):
            axes.plot(steps, values, **HEALTHY)
            axes.plot(steps, losses[name], **FAULTY)
            axes.set(ylim=(0, None), xlim=(0, steps[-1]))
            axes.tick_params(labelsize=8)
        row[0].set_ylabel(title, rotation=0, ha="right", va="center")
    for axes, name in zip(panels[0], healthy, strict=True):
        axes.set_title(name.removeprefix("loss_"), fontsize=9)
    for axes in panels[-1]:
        axes.set_xlabel("step", fontsize=8)
    return figure
