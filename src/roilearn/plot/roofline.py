"""The roofline: how fast a kernel could be, by its arithmetic for each byte that it moves."""

from collections.abc import Sequence
from typing import Protocol

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from roilearn.palette import COLOURS
from roilearn.plot.base import new_figure

NOT_RUN = "not yet run on a GPU"
MARKERS = "osD^vP*X"
"""A mark for each way, in their order: rates may lie so close that names would not fit."""


class Placed(Protocol):
    """A way of doing the work: operations a byte, lowest and highest, and operations a second."""

    name: str
    low: float
    high: float
    rate: float | None


def roofline(places: Sequence[Placed], roofs: tuple[float, float] | None = None) -> Figure:
    """Draw operations a second over operations a byte; without rates, operations a byte alone.

    Parameters
    ----------
    places : a bar for each, from its intensity if no cache helps to the highest there can be.
    roofs : bytes and operations a second that the machine reaches at most; None: not measured.
    """
    measured = [place for place in places if place.rate is not None]
    figure, axes = new_figure(height=3.6 if measured and roofs else 2.4)
    axes.set(xscale="log", xlabel="operations for each byte moved")
    axes.set_xlim(min(p.low for p in places) / 1.6, max(p.high for p in places) * 1.6)
    if measured and roofs:
        _rates(axes, [(p, p.rate) for p in places if p.rate is not None], roofs)
    else:
        _intensities(axes, places)
    return figure


def _rates(
    axes: Axes, measured: Sequence[tuple[Placed, float]], roofs: tuple[float, float]
) -> None:
    """Draw what was reached, under the two roofs."""
    bandwidth, ceiling = (roof / 1e9 for roof in roofs)
    left, right = axes.get_xlim()
    right = max(right, 1.6 * ceiling / bandwidth)
    bend = ceiling / bandwidth
    axes.plot([left, bend], [left * bandwidth, ceiling], color=COLOURS["box"], label="copying")
    axes.plot([bend, right], [ceiling] * 2, "--", color=COLOURS["box"], label="multiplying")
    for (place, rate), marker in zip(measured, MARKERS, strict=False):
        _bar(axes, place, rate / 1e9, marker)
    axes.set(yscale="log", xlim=(left, right), ylabel="10⁹ operations a second")
    axes.legend(loc="lower right", fontsize=8)


def _intensities(axes: Axes, places: Sequence[Placed]) -> None:
    """Draw where each stands along the axis, one below the other: there is no rate to show."""
    for number, place in enumerate(places):
        _bar(axes, place, number)
    axes.set_yticks(range(len(places)), [place.name for place in places])
    axes.set_ylim(len(places) - 0.5, -1.3)
    axes.text(0.5, 0.96, NOT_RUN, transform=axes.transAxes, ha="center", va="top", style="italic")


def _bar(axes: Axes, place: Placed, y: float, marker: str = "o") -> None:
    look = {"color": COLOURS["align"], "zorder": 3}
    axes.plot([place.low, place.high], [y, y], linewidth=1.5, **look)
    axes.plot([place.low], [y], marker, markersize=6, label=place.name, **look)
    axes.plot([place.high], [y], "|", markersize=10, **look)
