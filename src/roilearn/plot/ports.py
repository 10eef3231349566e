"""Figure of chapter 15: how far two models are apart, layer by layer."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from roilearn.palette import COLOURS
from roilearn.plot.base import new_figure

LOWEST = 1e-8
"""Where a difference of 0 is drawn, because a logarithmic axis has no 0."""


def differences_by_layer(
    differences: Mapping[str, Sequence[float]], tolerance: float, ticks: Mapping[int, str]
) -> Figure:
    """Draw the difference of every layer on a logarithmic axis, a line for each comparison.

    Parameters
    ----------
    differences : by the name of a comparison, the differences in the order of the data flow; those
        of 0 are drawn at the lower end, and those that are infinite at 10.
    tolerance : below this a difference counts as rounding.
    ticks : names of some layers, by their places.
    """
    figure, axes = new_figure(width=8.5, height=3.4)
    colours = (COLOURS["align"], COLOURS["pool"], COLOURS["exact"])
    for (name, values), colour in zip(differences.items(), colours, strict=False):
        drawn = np.clip(values, LOWEST, 10)
        axes.plot(drawn, ".-", color=colour, linewidth=1.2, markersize=4, label=name)
    axes.axhline(tolerance, color="black", linewidth=1, linestyle="--")
    axes.text(3, tolerance * 1.4, "tolerance", fontsize=9)
    axes.set_xticks(list(ticks), list(ticks.values()), fontsize=9)
    axes.set(xlabel="layers in the order of the data flow")
    axes.set(yscale="log", ylim=(LOWEST / 2, 20), ylabel="difference / largest value")
    axes.legend(loc="upper left", fontsize=9, ncols=2, frameon=False)
    return figure
