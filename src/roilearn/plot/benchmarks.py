"""Figures of the benchmarks: bars of ratios, cost curves, peak memory, share of the byte floor.

They draw recorded rows: objects with the attributes of ``RatioRow`` or ``ValuePoint``.
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
"""Name in the legend and colour, by implementation: the same in every figure."""
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
    workload: str
    direction: str
    implementation: str
    ratio: float


class ValuePoint(RatioRow, Protocol):
    """A recorded value."""

    series: str
    x: float
    value: float


def speedups(rows: Iterable[RatioRow], operator: str) -> Figure:
    """Draw the ratio of torchvision's time to ours on each workload, a panel for each direction.

    Parameters
    ----------
    rows : recorded results; those of other operators and of peers are left out.
    """
    own = [r for r in rows if r.operator == operator and r.implementation.startswith("roilearn")]
    directions = list(dict.fromkeys(row.direction for row in own))
    workloads = list(dict.fromkeys(row.workload for row in own))
    height = 1.1 + 0.5 * len(workloads)
    figure, panels = new_figure(len(directions), height=height, sharey=True, squeeze=False)
    for axes, direction in zip(panels[0], directions, strict=True):
        _bars(axes, [row for row in own if row.direction == direction], workloads, "ratio")
        axes.axvline(1, color=COLOURS["box"], linewidth=1)
        axes.set(xscale="log", title=direction, xlabel="times as fast as torchvision")
        _plain_numbers(axes.xaxis, [row.ratio for row in own] + [1.0])
    _legend_below(figure, panels[0][0])
    return figure


def cost_curves(points: Iterable[ValuePoint], operator: str) -> Figure:
    """Draw an operator's time in milliseconds against each number that was varied."""
    own = [p for p in points if p.operator == operator and p.series in UNITS]
    series = list(dict.fromkeys(point.series for point in own))
    figure, panels = new_figure(3, 2, height=5.0, squeeze=False)
    for axes, name in zip(panels.flat, series, strict=False):
        for implementation in dict.fromkeys(point.implementation for point in own):
            line = [p for p in own if p.series == name and p.implementation == implementation]
            label, colour = LOOKS[implementation]
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


def peak_memory(points: Iterable[ValuePoint]) -> Figure:
    """Draw the peak extra memory of a call, in mebibytes, on each workload."""
    own = [point for point in points if point.series == "memory"]
    directions = list(dict.fromkeys(point.direction for point in own))
    workloads = list(dict.fromkeys(point.workload for point in own))
    height = 1.4 + 0.6 * len(workloads)
    figure, panels = new_figure(len(directions), height=height, sharey=True, squeeze=False)
    for axes, direction in zip(panels[0], directions, strict=True):
        _bars(axes, [p for p in own if p.direction == direction], workloads, "value")
        axes.set(title=direction, xlabel="peak extra memory, MiB")
    _legend_below(figure, panels[0][0])
    return figure


def byte_floor_reached(points: Iterable[ValuePoint]) -> Figure:
    """Draw the speed on each workload in per cent of the byte floor's."""
    own = [p for p in points if p.series == "floor" and p.implementation != "byte floor"]
    workloads = list(dict.fromkeys(point.workload for point in own))
    figure, axes = new_figure(height=1.4 + 0.5 * len(workloads))
    _bars(axes, own, workloads, "ratio", factor=100)
    axes.set(xlabel="speed, per cent of what moving the bytes alone allows", xlim=(0, 100))
    _legend_below(figure, axes)
    return figure


def _bars(
    axes: Axes, rows: Sequence[RatioRow], workloads: Sequence[str], value: str, factor: float = 1
) -> None:
    implementations = list(dict.fromkeys(row.implementation for row in rows))
    height = 0.8 / max(len(implementations), 1)
    for number, implementation in enumerate(implementations):
        line = [row for row in rows if row.implementation == implementation]
        places = [workloads.index(row.workload) - 0.4 + (number + 0.5) * height for row in line]
        label, colour = LOOKS[implementation]
        lengths = [factor * getattr(row, value) for row in line]
        axes.barh(places, lengths, height=height * 0.9, color=colour, label=label)
    axes.set_yticks(range(len(workloads)), workloads)
    axes.set_ylim(len(workloads) - 0.5, -0.5)


def _plain_numbers(axis: Axis, values: Sequence[float]) -> None:
    """Label a logarithmic axis with plain numbers: 1, 2 and 5 times powers of ten."""
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
