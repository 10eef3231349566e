"""Figure of what trained models reach: a dot for each seed, a line through the means.

It draws recorded results, whatever has these attributes, and measures nothing.
"""

from collections.abc import Iterable, Sequence
from statistics import mean
from typing import Protocol

from matplotlib.figure import Figure

from roilearn.palette import COLOURS
from roilearn.plot.base import new_figure

LOOKS = {
    "RoIPool": (COLOURS["pool"], "s"),
    "RoIAlign, aligned=False": (COLOURS["bin"], "^"),
    "RoIAlign, aligned=True": (COLOURS["align"], "o"),
}
"""Colour and mark of each row."""
APART = 0.12
"""Between the dots of two rows at one stride, where strides are 1 apart."""


class Trained(Protocol):
    """A recorded result; it also has the measures by name."""

    row: str
    stride: int
    seed: int


def reached_at_strides(results: Iterable[Trained], measures: Sequence[str]) -> Figure:
    """Draw mask AP, in hundredths, at each stride: a panel for each measure.

    Parameters
    ----------
    results : recorded results of the rows in ``LOOKS``; others are left out.
    measures : names such as ``"AP50"``, which each result has as an attribute.
    """
    own = [result for result in results if result.row in LOOKS]
    strides = sorted({result.stride for result in own})
    figure, panels = new_figure(len(measures), height=3.4, sharey=True, squeeze=False)
    for axes, measure in zip(panels[0], measures, strict=True):
        for number, (row, (colour, mark)) in enumerate(LOOKS.items()):
            shift = APART * (number - (len(LOOKS) - 1) / 2)
            found = [(r.stride, 100 * getattr(r, measure)) for r in own if r.row == row]
            places = [strides.index(stride) + shift for stride, _ in found]
            axes.plot(places, [value for _, value in found], mark, color=colour, alpha=0.45)
            means = [mean(v for s, v in found if s == stride) for stride, _ in found]
            line = sorted(set(zip(places, means, strict=True)))
            axes.plot(*zip(*line, strict=True), mark + "-", color=colour, label=row, markersize=8)
        axes.set_xticks(range(len(strides)), [str(stride) for stride in strides])
        axes.set(title=measure, xlabel="stride of the pooled map, pixels", ylim=(0, None))
    panels[0][0].set_ylabel("mask AP, hundredths")
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(LOOKS), frameon=False)
    return figure
