"""How cost grows, how much memory a call takes, and how far it stays from the byte floor.

Recorded in a file of its own, ``curves.csv``: one point a row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from roilearn.bench.operators import byte_floor, peak_memory
from roilearn.bench.operators.implementations import BASELINE, CHANNELS_LAST, OURS
from roilearn.bench.operators.measure import machine, versions
from roilearn.bench.operators.pooling import pooling_contestants
from roilearn.bench.recorded.series import Point
from roilearn.bench.timing import interleave, ratios
from roilearn.bench.workloads import ROI_ALIGN, Shape

BASE = Shape("base", (1, 256, 100, 152), 256, (8, 32), 7, 2, "what all curves have in common")
"""The workload of which each curve varies one number."""
GROWTH = {
    "boxes": [replace(BASE, boxes=number) for number in (16, 64, 256, 1024)],
    "channels": [replace(BASE, features=(1, number, 100, 152)) for number in (16, 64, 256, 1024)],
    "output size": [replace(BASE, output_size=number) for number in (1, 3, 7, 14, 28)],
    "samples": [replace(BASE, sampling_ratio=number) for number in (1, 2, 3, 4, 6)],
    "box size": [replace(BASE, sides=(number, number)) for number in (4, 8, 16, 32, 64)],
}
"""By what grows. ``box size`` is the side in cells, ``samples`` those along each axis of a bin."""
OPERATORS = ("roi_align", "roi_pool")
COMPARED = (BASELINE, OURS, CHANNELS_LAST)


def run_curves(rounds: int = 3, *, quick: bool = False) -> Iterator[Point]:
    """Measure all that ``curves.csv`` holds, yielding points as they are done.

    Parameters
    ----------
    quick : the first three points of each curve; memory and floor of the smallest workload alone.
    """
    yield from growth(rounds, points=3 if quick else None)
    yield from _memory(("B",) if quick else peak_memory.MEASURED)
    yield from _floor(rounds, ("B",) if quick else tuple(s.name for s in ROI_ALIGN))


def growth(rounds: int, points: int | None = None) -> Iterator[Point]:
    """Measure each operator, forward, along every curve. RoIPool has no samples."""
    for operator in OPERATORS:
        for series, shapes in GROWTH.items():
            if not (operator == "roi_pool" and series == "samples"):
                for shape in shapes[:points]:
                    yield from _compare(operator, series, shape, rounds)


def where(series: str, shape: Shape) -> float:
    """Place of a workload on the axis of a curve.

    Examples
    --------
    >>> [where(series, shapes[0]) for series, shapes in GROWTH.items()]
    [16, 16, 1, 1, 4]
    """
    return {
        "boxes": shape.boxes,
        "channels": shape.features[1],
        "output size": shape.output_size,
        "samples": shape.sampling_ratio,
        "box size": shape.sides[0],
    }[series]


def _compare(operator: str, series: str, shape: Shape, rounds: int) -> Iterator[Point]:
    all_of_them = pooling_contestants(operator, shape, backward=False)
    timings = ratios(interleave({name: all_of_them[name] for name in COMPARED}, rounds), BASELINE)
    place = where(series, shape)
    for name, timing in timings.items():
        spread = (timing.ratio, timing.slowest, timing.fastest)
        labels = (operator, series, shape.name, "forward", place)
        yield _point(*labels, name, timing.milliseconds, "ms", *spread, rounds)


def _memory(names: Sequence[str]) -> Iterator[Point]:
    mebibytes = peak_memory.measured(names)
    for (shape, direction, contestant), value in mebibytes.items():
        ratio = mebibytes[shape, direction, BASELINE] / max(value, 0.1)
        boxes = peak_memory.workload(shape).boxes
        labels = ("roi_align", "memory", shape, direction, boxes)
        yield _point(*labels, contestant, value, "MiB", ratio, ratio, ratio, 1)


def _floor(rounds: int, names: Sequence[str]) -> Iterator[Point]:
    for shape, timings in byte_floor.measured(rounds, names):
        for contestant, timing in timings.items():
            spread = (timing.ratio, timing.slowest, timing.fastest)
            labels = ("roi_align", "floor", shape.name, "forward", shape.boxes)
            yield _point(*labels, contestant, timing.milliseconds, "ms", *spread, rounds)


def _point(*values: str | float) -> Point:
    return Point(*values, versions(), machine())  # type: ignore[arg-type]


def as_line(point: Point) -> str:
    """One point of the printed list."""
    return (
        f"{point.operator:10} {point.series:12} {point.shape:12} {point.direction:19} "
        f"{point.x:6g} {point.contestant:34} {point.value:9.2f} {point.unit}  {point.ratio:6.2f}"
    )
