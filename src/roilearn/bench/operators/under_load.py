"""Measure every topic quiet and beside busy processes, and where our pooling becomes faster."""

from collections.abc import Iterator
from typing import Any

from roilearn.bench.environment import machine, versions
from roilearn.bench.operators.implementations import BASELINE, OURS, Implementations
from roilearn.bench.operators.measure import DIFFERENTIABLE, DIRECTIONS, make_implementations
from roilearn.bench.recorded.load import LoadRow
from roilearn.bench.recorded.series import SeriesPoint
from roilearn.bench.timing import interleave, ratios
from roilearn.bench.topics import CROSSOVER, TOPICS

SECONDS = 1.0
"""Time for each measurement, after which no further round begins."""


def measure_topics(busy: int, *, rounds: int = 20, only: str = "") -> Iterator[LoadRow]:
    """Time torchvision's operators and ours on the workloads of all topics.

    Parameters
    ----------
    busy : the number of busy processes for each core, which the rows name; who calls starts them.
    rounds : timed rounds at most.
    only : measure operators and topics whose name contains this text; empty: all.
    """
    for topic, operators in TOPICS.items():
        for operator, workloads in operators.items():
            for workload in workloads if only in operator or only in topic else ():
                both = topic == "operators" and isinstance(workload, DIFFERENTIABLE)
                for direction in DIRECTIONS if both else DIRECTIONS[:1]:
                    calls = make_implementations(
                        operator, workload, backward=direction != DIRECTIONS[0]
                    )
                    names = (topic, operator, workload.name, direction)
                    calls = {name: calls[name] for name in (BASELINE, OURS)}
                    yield from measure_calls(names, calls, busy, rounds)


def measure_calls(
    names: tuple[str, str, str, str], calls: Implementations, busy: int, rounds: int
) -> Iterator[LoadRow]:
    """Time calls in turns: a row for each. ``names``: topic, operator, workload and direction."""
    seconds = interleave(calls, rounds, SECONDS)
    for name, timing in ratios(seconds, BASELINE).items():
        spread = (timing.ratio, timing.ratio_min, timing.ratio_max)
        times = (timing.milliseconds, timing.slowest)
        about: tuple[Any, ...] = (len(seconds[name]), versions(), machine())
        yield LoadRow(*names, name, busy, *times, *spread, *about)


def measure_crossover(rounds: int = 7) -> Iterator[SeriesPoint]:
    """Time pooling with some numbers of channels and boxes: where ours becomes the faster one."""
    for operator, workloads in CROSSOVER.items():
        for workload in workloads:
            calls = make_implementations(operator, workload, backward=False)
            seconds = interleave({n: calls[n] for n in (BASELINE, OURS)}, rounds, SECONDS)
            timing = ratios(seconds, BASELINE)[OURS]
            channels = int(workload.name.partition(" x ")[0])
            labels = (operator, f"{workload.boxes} boxes", workload.name, DIRECTIONS[0], channels)
            spread = (timing.ratio, timing.ratio_min, timing.ratio_max)
            about = (len(seconds[OURS]), versions(), machine())
            yield SeriesPoint(*labels, OURS, timing.milliseconds, "ms", *spread, *about)


def format_load(row: LoadRow) -> str:
    """Write one row as a line of text."""
    return (
        f"{row.busy} busy  {row.topic:16} {row.operator:20} {row.workload:20} {row.direction:18} "
        f"{row.implementation:22} {row.milliseconds:9.3g} ms, slowest {row.slowest:9.3g}  "
        f"{row.ratio:6.2f}"
    )
