"""Figure of the roofline model: the rate of operations against arithmetic intensity."""

from collections.abc import Sequence
from typing import Protocol

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from roilearn.palette import COLOURS
from roilearn.plot.base import new_figure

NOT_RUN = "counted, not timed"
MARKERS = "osD^vP*X"
"""A marker for each point, in order: rates may lie so close that names would not fit."""


class RooflinePoint(Protocol):
    """One implementation: its arithmetic intensity (operations a byte), and operations a second."""

    name: str
    min_intensity: float
    max_intensity: float
    flop_rate: float | None


def roofline(points: Sequence[RooflinePoint], roofs: tuple[float, float] | None = None) -> Figure:
    """Draw operations a second against operations a byte; without rates, the latter alone.

    Parameters
    ----------
    points : a bar for each, from its lowest arithmetic intensity to its highest.
    roofs : highest rates of the machine, bytes and operations a second; None: not measured.
    """
    measured = [point for point in points if point.flop_rate is not None]
    figure, axes = new_figure(height=3.6 if measured and roofs else 2.4)
    axes.set(xscale="log", xlabel="operations for each byte moved")
    axes.set_xlim(
        min(p.min_intensity for p in points) / 1.6, max(p.max_intensity for p in points) * 1.6
    )
    if measured and roofs:
        _rates(axes, [(p, p.flop_rate) for p in points if p.flop_rate is not None], roofs)
    else:
        _intensities(axes, points)
    return figure


def _rates(
    axes: Axes, measured: Sequence[tuple[RooflinePoint, float]], roofs: tuple[float, float]
) -> None:
    """Draw the measured rates under the two roofs."""
    bandwidth, ceiling = (roof / 1e9 for roof in roofs)
    left, right = axes.get_xlim()
    right = max(right, 1.6 * ceiling / bandwidth)
    bend = ceiling / bandwidth
    axes.plot([left, bend], [left * bandwidth, ceiling], color=COLOURS["box"], label="copying")
    axes.plot([bend, right], [ceiling] * 2, "--", color=COLOURS["box"], label="multiplying")
    for (point, rate), marker in zip(measured, MARKERS, strict=False):
        _bar(axes, point, rate / 1e9, marker)
    axes.set(yscale="log", xlim=(left, right), ylabel="10⁹ operations a second")
    axes.legend(loc="lower right", fontsize=8)


def _intensities(axes: Axes, points: Sequence[RooflinePoint]) -> None:
    """Draw the intensities alone, one below the other."""
    for number, point in enumerate(points):
        _bar(axes, point, number)
    axes.set_yticks(range(len(points)), [point.name for point in points])
    axes.set_ylim(len(points) - 0.5, -1.3)
    axes.text(0.5, 0.96, NOT_RUN, transform=axes.transAxes, ha="center", va="top", style="italic")


def _bar(axes: Axes, point: RooflinePoint, y: float, marker: str = "o") -> None:
    look = {"color": COLOURS["align"], "zorder": 3}
    axes.plot([point.min_intensity, point.max_intensity], [y, y], linewidth=1.5, **look)
    axes.plot([point.min_intensity], [y], marker, markersize=6, label=point.name, **look)
    axes.plot([point.max_intensity], [y], "|", markersize=10, **look)
