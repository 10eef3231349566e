"""Figures of chapter 5 on sampling error: RoIAlign's samples against the exact mean of a bin."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from roilearn import reference
from roilearn.palette import COLOURS
from roilearn.plot.base import draw_points, new_figure

RULES: dict[str, dict[str, Any]] = {
    "1 sample": {"color": COLOURS["align"], "linestyle": "--"},
    "2 samples": {"color": COLOURS["align"], "linestyle": "-"},
    "adaptive": {"color": COLOURS["align"], "linestyle": ":"},
    "exact": {"color": COLOURS["exact"], "linestyle": "-"},
}
"""Style of each rule's line in all figures."""


def hats_under_a_bin(row: ArrayLike, start: float, stop: float) -> Figure:
    """Draw an interpolated row with a bin, and below it each cell's hat function with its weight.

    Parameters
    ----------
    row : (L,) cells.
    start, stop : ends of the bin, continuous, in cells.
    """
    row = np.asarray(row, dtype=float)
    weights = reference.bin_weights(start - 0.5, stop - 0.5, len(row))
    figure, (above, below) = new_figure(1, 2, width=7, height=3.8, sharex=True)
    x = np.linspace(start, stop, 401)
    surface = [reference.linear(row, place - 0.5) for place in x]
    above.fill_between(x, 0, surface, color=COLOURS["exact"], alpha=0.3, linewidth=0)
    centres = np.arange(len(row)) + 0.5
    above.plot(centres, row, color="#555555", marker="s", markersize=4)
    mean = weights @ row
    look = {"color": COLOURS["exact"], "linestyles": "--", "label": f"exact mean, {mean:.1f}"}
    above.hlines(mean, start, stop, **look)
    quarters = start + (stop - start) * np.array([0.25, 0.75])
    read = [reference.linear(row, place - 0.5) for place in quarters]
    draw_points(above, quarters, read, label=f"two samples, mean {np.mean(read):.1f}")
    above.set_ylabel("value")
    above.legend(fontsize=9, loc="upper right")
    for cell, weight in enumerate(weights):
        inside = (x > cell - 0.5) & (x < cell + 1.5)
        height = np.maximum(1 - abs(x - cell - 0.5), 0)
        below.plot([cell - 0.5, cell + 0.5, cell + 1.5], [0, 1, 0], color="#8A8A8A", linewidth=1)
        below.fill_between(x[inside], 0, height[inside], color=COLOURS["exact"], alpha=0.3)
        below.text(cell + 0.5, 1.06, f"{weight:.2f}", ha="center", fontsize=9)
    below.set(ylim=(0, 1.3), xlim=(0, len(row)), xlabel="x (cells)", ylabel="hat")
    for axes in (above, below):
        axes.axvspan(start, stop, color=COLOURS["bin"], alpha=0.15, linewidth=0)
    return figure


def coverage_by_bin_size(sizes: ArrayLike, coverage: Mapping[str, ArrayLike]) -> Figure:
    """Draw the fraction of the cells under a bin that its samples read, against the bin's size.

    Parameters
    ----------
    sizes : (S,) sides of a square bin, in cells.
    coverage : (S,) fractions by label.
    """
    figure, axes = new_figure(width=7, height=2.8)
    looks = ("--", "-", "-.", ":")
    for (label, fraction), look in zip(coverage.items(), looks, strict=False):
        axes.plot(
            sizes, np.asarray(fraction) * 100, look, color=COLOURS["align"], label=label, lw=1.8
        )
    axes.axvspan(2, 4, color=COLOURS["bin"], alpha=0.25, linewidth=0)
    axes.text(3, 8, "square boxes\non a pyramid", ha="center", fontsize=9)
    axes.set(xlabel="side of a bin (cells)", ylabel="cells that are read (%)", ylim=(0, 105))
    axes.legend(fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def loss_by_shift(
    shifts: ArrayLike,
    by_rule: Mapping[str, ArrayLike],
    valleys: Mapping[str, Iterable[int]] | None = None,
) -> Figure:
    """Draw a loss against the shift of the box, a panel for each rule (a key of ``RULES``).

    Parameters
    ----------
    shifts : (S,) shifts of the box, in image pixels.
    by_rule : (S,) losses by rule.
    valleys : numbers of the shifts to mark with dots, by rule.
    """
    figure, panels = new_figure(len(by_rule), width=7, height=2.4, sharey=True)
    for axes, (rule, loss) in zip(panels, by_rule.items(), strict=True):
        marks = {"marker": "o", "markersize": 4, "markevery": list((valleys or {}).get(rule, ()))}
        axes.plot(shifts, loss, linewidth=1.5, **(RULES[rule] | {"linestyle": "-"} | marks))
        axes.set(title=rule, xlabel="shift (px)")
    panels[0].set_ylabel("loss")
    return figure


def errors_by_stride(strides: Sequence[int], errors: Mapping[str, ArrayLike]) -> Figure:
    """Draw each rule's mean error as bars, a group for each stride; logarithmic."""
    figure, axes = new_figure(width=7, height=2.6)
    width = 0.8 / len(errors)
    hatches = {"1 sample": "//", "2 samples": "", "adaptive": "..", "exact": ""}
    for n, (rule, error) in enumerate(errors.items()):
        places = np.arange(len(strides)) + (n - (len(errors) - 1) / 2) * width
        colour = RULES[rule]["color"]
        bars = {"color": colour, "alpha": 0.75, "hatch": hatches[rule], "edgecolor": "white"}
        axes.bar(places, error, width, label=rule, **bars)
    axes.set_xticks(range(len(strides)), [f"stride {stride}" for stride in strides])
    axes.set(yscale="log", ylabel="mean error of a bin\n(brightness, 0 to 1)")
    axes.legend(fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def learned_boxes_by_bin_size(
    sizes: ArrayLike, shares: Mapping[str, ArrayLike], labels: Sequence[str]
) -> Figure:
    """Draw the fraction of displaced boxes that learn their right place, against the bin's size.

    Parameters
    ----------
    sizes : (S,) sizes of a bin, in cells: the geometric mean of its sides.
    shares : (S,) fractions by rule (a key of ``RULES``).
    labels : a label for each size.
    """
    figure, axes = new_figure(width=7, height=2.8)
    markers = dict(zip(RULES, "sovd", strict=True))
    for rule, share in shares.items():
        axes.plot(sizes, np.asarray(share) * 100, label=rule, marker=markers[rule], **RULES[rule])
    axes.set_xscale("log")
    axes.set_xticks(np.asarray(sizes), labels)
    axes.minorticks_off()
    axes.set(xlabel="size of a bin (cells)", ylabel="boxes within 2 px (%)", ylim=(-5, 105))
    axes.legend(fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure
