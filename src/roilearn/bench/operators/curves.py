"""Series of ``curves.csv``: time against one varied number, peak memory, and the byte floor."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from roilearn.bench.environment import machine, versions
from roilearn.bench.operators import byte_floor, peak_memory
from roilearn.bench.operators.implementations import BASELINE, CHANNELS_LAST, OURS
from roilearn.bench.operators.pooling import pooling_implementations
from roilearn.bench.recorded.series import SeriesPoint
from roilearn.bench.timing import interleave, ratios
from roilearn.bench.workloads import ROI_ALIGN, PoolingWorkload

BASE = PoolingWorkload(
    "base", (1, 256, 100, 152), 256, (8, 32), 7, 2, "the workload that the curves vary"
)
"""The workload of which each curve varies one number."""
SWEEPS = {
    "boxes": [replace(BASE, boxes=number) for number in (16, 64, 256, 1024)],
    "channels": [replace(BASE, features=(1, number, 100, 152)) for number in (16, 64, 256, 1024)],
    "output size": [replace(BASE, output_size=number) for number in (1, 3, 7, 14, 28)],
    "samples": [replace(BASE, sampling_ratio=number) for number in (1, 2, 3, 4, 6)],
    "box size": [replace(BASE, sides=(number, number)) for number in (4, 8, 16, 32, 64)],
}
"""Workloads of each curve, by the number that is varied.

``box size`` is the side in cells, ``samples`` counts along each axis of a bin.
"""
OPERATORS = ("roi_align", "roi_pool")
COMPARED = (BASELINE, OURS, CHANNELS_LAST)


def measure_curves(rounds: int = 3, *, quick: bool = False) -> Iterator[SeriesPoint]:
    """Measure all points of ``curves.csv``, yielding each as it is done.

    Parameters
    ----------
    rounds : timed rounds.
    quick : the first three points of each curve; memory and floor of the smallest workload alone.
    """
    yield from measure_sweeps(rounds, points=3 if quick else None)
    yield from _memory(("B",) if quick else peak_memory.MEASURED)
    yield from _floor(rounds, ("B",) if quick else tuple(s.name for s in ROI_ALIGN))


def measure_sweeps(rounds: int, points: int | None = None) -> Iterator[SeriesPoint]:
    """Time each operator, forward, along every curve. RoIPool takes no samples."""
    for operator in OPERATORS:
        for series, workloads in SWEEPS.items():
            if not (operator == "roi_pool" and series == "samples"):
                for workload in workloads[:points]:
                    yield from _compare(operator, series, workload, rounds)


def swept_value(series: str, workload: PoolingWorkload) -> float:
    """Look up the number that a curve varies, in one workload.

    Examples
    --------
    >>> [swept_value(series, workloads[0]) for series, workloads in SWEEPS.items()]
    [16, 16, 1, 1, 4]
    """
    return {
        "boxes": workload.boxes,
        "channels": workload.features[1],
        "output size": workload.output_size,
        "samples": workload.sampling_ratio,
        "box size": workload.sides[0],
    }[series]


def _compare(
    operator: str, series: str, workload: PoolingWorkload, rounds: int
) -> Iterator[SeriesPoint]:
    implementations = pooling_implementations(operator, workload, backward=False)
    timings = ratios(
        interleave({name: implementations[name] for name in COMPARED}, rounds), BASELINE
    )
    x = swept_value(series, workload)
    for name, timing in timings.items():
        spread = (timing.ratio, timing.ratio_min, timing.ratio_max)
        labels = (operator, series, workload.name, "forward", x)
        yield _point(*labels, name, timing.milliseconds, "ms", *spread, rounds)


def _memory(names: Sequence[str]) -> Iterator[SeriesPoint]:
    mebibytes = peak_memory.peak_memory(names)
    for (workload, direction, implementation), value in mebibytes.items():
        ratio = mebibytes[workload, direction, BASELINE] / max(value, 0.1)
        boxes = peak_memory.find_workload(workload).boxes
        labels = ("roi_align", "memory", workload, direction, boxes)
        yield _point(*labels, implementation, value, "MiB", ratio, ratio, ratio, 1)


def _floor(rounds: int, names: Sequence[str]) -> Iterator[SeriesPoint]:
    for workload, timings in byte_floor.measure_byte_floor(rounds, names):
        for implementation, timing in timings.items():
            spread = (timing.ratio, timing.ratio_min, timing.ratio_max)
            labels = ("roi_align", "floor", workload.name, "forward", workload.boxes)
            yield _point(*labels, implementation, timing.milliseconds, "ms", *spread, rounds)


def _point(*values: str | float) -> SeriesPoint:
    return SeriesPoint(*values, versions(), machine())  # type: ignore[arg-type]


def format_point(point: SeriesPoint) -> str:
    """Write one point as a line of text."""
    return (
        f"{point.operator:10} {point.series:12} {point.workload:12} {point.direction:19} "
        f"{point.x:6g} {point.implementation:34} {point.value:9.2f} {point.unit}  "
        f"{point.ratio:6.2f}"
    )
