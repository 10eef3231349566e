"""Figures of the benchmark page: bars of ratios, growing cost, memory, distance to the floor.

They draw recorded rows, whatever has these attributes, and measure nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from roilearn.palette import COLOURS
from roilearn.plot.base import new_figure

LOOKS = {
    "torchvision": ("torchvision", COLOURS["pool"]),
    "roilearn": ("roilearn", COLOURS["align"]),
    "roilearn, channels last": ("roilearn, channels-last features", COLOURS["bin"]),
    "roilearn, channels last in and out": ("roilearn, channels last in and out", COLOURS["exact"]),
    "roilearn, reused output": ("roilearn, reused output", COLOURS["sample"]),
    "roilearn, atomics": ("roilearn, adding with atomics", COLOURS["gradient"]),
    "roilearn, bfloat16": ("roilearn, bfloat16", COLOURS["sample"]),
}
"""Name in the legend and colour, by contestant: the same in every picture."""
UNITS = {
    "boxes": "boxes",
    "channels": "channels",
    "output size": "bins along a side",
    "samples": "samples along a bin's side",
    "box size": "side of the boxes, cells",
}


class RatioRow(Protocol):
    """A recorded ratio."""

    operator: str
    shape: str
    direction: str
    contestant: str
    ratio: float


class ValuePoint(RatioRow, Protocol):
    """A recorded value."""

    series: str
    x: float
    value: float


def times_as_fast(rows: Iterable[RatioRow], operator: str) -> Figure:
    """Draw torchvision's time over ours on each workload, forward and with the gradients.

    Parameters
    ----------
    rows : recorded results; those of other operators and of peers are left out.
    """
    own = [r for r in rows if r.operator == operator and r.contestant.startswith("roilearn")]
    directions = list(dict.fromkeys(row.direction for row in own))
    shapes = list(dict.fromkeys(row.shape for row in own))
    height = 1.1 + 0.5 * len(shapes)
    figure, panels = new_figure(len(directions), height=height, sharey=True, squeeze=False)
    for axes, direction in zip(panels[0], directions, strict=True):
        _bars(axes, [row for row in own if row.direction == direction], shapes, "ratio")
        axes.axvline(1, color=COLOURS["box"], linewidth=1)
        axes.set(xscale="log", title=direction, xlabel="times as fast as torchvision")
        _plain_numbers(axes.xaxis, [row.ratio for row in own] + [1.0])
    _legend_below(figure, panels[0][0])
    return figure


def growth(points: Iterable[ValuePoint], operator: str) -> Figure:
    """Draw an operator's time, in milliseconds, over each number that was varied."""
    own = [p for p in points if p.operator == operator and p.series in UNITS]
    series = list(dict.fromkeys(point.series for point in own))
    figure, panels = new_figure(3, 2, height=5.0, squeeze=False)
    for axes, name in zip(panels.flat, series, strict=False):
        for contestant in dict.fromkeys(point.contestant for point in own):
            line = [p for p in own if p.series == name and p.contestant == contestant]
            label, colour = LOOKS[contestant]
            x, y = [p.x for p in line], [p.value for p in line]
            axes.plot(x, y, "o-", color=colour, label=label, markersize=4)
        places = sorted({point.x for point in own if point.series == name})
        axes.set(xscale="log", yscale="log", xlabel=UNITS[name], ylabel="ms")
        axes.set_xticks(places, [f"{place:g}" for place in places])
        axes.xaxis.set_minor_locator(NullLocator())
        _plain_numbers(axes.yaxis, [point.value for point in own if point.series == name])
    for axes in list(panels.flat)[len(series) :]:
        axes.set_axis_off()
    _legend_below(figure, panels[0][0])
    return figure


def memory(points: Iterable[ValuePoint]) -> Figure:
    """Draw the peak extra memory of a call, in mebibytes, on each workload."""
    own = [point for point in points if point.series == "memory"]
    directions = list(dict.fromkeys(point.direction for point in own))
    shapes = list(dict.fromkeys(point.shape for point in own))
    height = 1.4 + 0.6 * len(shapes)
    figure, panels = new_figure(len(directions), height=height, sharey=True, squeeze=False)
    for axes, direction in zip(panels[0], directions, strict=True):
        _bars(axes, [p for p in own if p.direction == direction], shapes, "value")
        axes.set(title=direction, xlabel="peak extra memory, MiB")
    _legend_below(figure, panels[0][0])
    return figure


def floor_reached(points: Iterable[ValuePoint]) -> Figure:
    """Draw the share of the byte floor's speed that each workload reaches, in per cent."""
    own = [p for p in points if p.series == "floor" and p.contestant != "byte floor"]
    shapes = list(dict.fromkeys(point.shape for point in own))
    figure, axes = new_figure(height=1.4 + 0.5 * len(shapes))
    _bars(axes, own, shapes, "ratio", factor=100)
    axes.set(xlabel="speed, per cent of what moving the bytes alone allows", xlim=(0, 100))
    _legend_below(figure, axes)
    return figure


def _bars(
    axes: Axes, rows: Sequence[RatioRow], shapes: Sequence[str], value: str, factor: float = 1
) -> None:
    contestants = list(dict.fromkeys(row.contestant for row in rows))
    height = 0.8 / max(len(contestants), 1)
    for number, contestant in enumerate(contestants):
        line = [row for row in rows if row.contestant == contestant]
        places = [shapes.index(row.shape) - 0.4 + (number + 0.5) * height for row in line]
        label, colour = LOOKS[contestant]
        lengths = [factor * getattr(row, value) for row in line]
        axes.barh(places, lengths, height=height * 0.9, color=colour, label=label)
    axes.set_yticks(range(len(shapes)), shapes)
    axes.set_ylim(len(shapes) - 0.5, -0.5)


def _plain_numbers(axis: Axis, values: Sequence[float]) -> None:
    """Mark a logarithmic axis with numbers that are read at a glance."""
    low, high = min(values) / 1.15, max(values) * 1.15
    marks = [step * 10.0**power for power in range(-3, 5) for step in (1, 2, 5)]
    marks = [mark for mark in marks if low <= mark <= high]
    axis.set_view_interval(low, high, ignore=True)
    axis.set_ticks(marks, [f"{mark:g}" for mark in marks])
    axis.set_minor_locator(NullLocator())


def _legend_below(figure: Figure, axes: Axes) -> None:
    figure.legend(
        *axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False
    )
