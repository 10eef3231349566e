"""Figure of the roofline model: the rate of operations against arithmetic intensity."""

from collections.abc import Sequence
from typing import Protocol

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from roilearn.palette import COLOURS
from roilearn.plot.base import new_figure

NOT_RUN = "counted, not timed"
SHEET = "roof from the data sheet of {}, not measured"
MARKERS = "osD^vP*X"
"""A marker for each point, in order: rates may lie so close that names would not fit."""


class RooflinePoint(Protocol):
    """One implementation: its arithmetic intensity (operations a byte), and operations a second."""

    name: str
    min_intensity: float
    max_intensity: float
    flop_rate: float | None


def roofline(
    points: Sequence[RooflinePoint],
    roofs: tuple[float, float] | None = None,
    sheet: tuple[str, float, float] | None = None,
) -> Figure:
    """Draw operations a second against operations a byte; without rates, only a line for each step.

    Parameters
    ----------
    points : a line for each, from its lowest arithmetic intensity to its highest.
    roofs : highest rates of the machine, bytes and operations a second; None: not measured.
    sheet : name, bytes and operations a second of a data sheet: the roof where none was measured.
    """
    measured = [point for point in points if point.flop_rate is not None]
    if sheet and not (measured and roofs):
        return _under_a_sheet(points, *sheet)
    figure, axes = new_figure(height=3.6 if measured and roofs else 2.4)
    _intensity_axis(axes, points)
    if measured and roofs:
        _rates(axes, [(p, p.flop_rate) for p in points if p.flop_rate is not None], roofs)
    else:
        _intensities(axes, points)
    return figure


def _intensity_axis(axes: Axes, points: Sequence[RooflinePoint]) -> None:
    axes.set(xscale="log", xlabel="operations for each byte moved")
    axes.set_xlim(
        min(p.min_intensity for p in points) / 1.6, max(p.max_intensity for p in points) * 1.6
    )


def _under_a_sheet(
    points: Sequence[RooflinePoint], name: str, bandwidth: float, peak: float
) -> Figure:
    """Draw the roof of a data sheet, and below it the intensities on the same axis."""
    figure, (above, below) = new_figure(
        rows=2, height=4.4, sharex=True, gridspec_kw={"height_ratios": [1, 1.2]}
    )
    _intensity_axis(below, points)
    _intensities(below, points)
    left, right = below.get_xlim()
    bend = peak / bandwidth
    right = max(right, 4 * bend)
    limit = [left * bandwidth / 1e9, peak / 1e9, peak / 1e9]
    above.plot([left, bend, right], limit, color=COLOURS["box"])
    for point in points:
        rate = min(point.min_intensity * bandwidth, peak) / 1e9
        above.plot([point.min_intensity], [rate], "o", markersize=6, color=COLOURS["align"])
    above.set(yscale="log", xlim=(left, right), ylabel="10⁹ operations\na second, at most")
    above.set_title(SHEET.format(name))
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
