"""Measure the operators on every workload, against torchvision's and onnxruntime's CPU kernels."""

from collections.abc import Callable, Iterator

from roilearn.bench.environment import machine, versions
from roilearn.bench.operators.implementations import BASELINE, Implementations
from roilearn.bench.operators.multi_scale import multi_scale_implementations
from roilearn.bench.operators.nms import nms_implementations
from roilearn.bench.operators.paste_masks import paste_masks_implementations
from roilearn.bench.operators.pooling import pooling_implementations
from roilearn.bench.recorded.results import Row
from roilearn.bench.timing import interleave, ratios
from roilearn.bench.workloads import (
    WORKLOADS,
    NmsWorkload,
    PasteWorkload,
    PoolingWorkload,
    PyramidWorkload,
    Workload,
)

DIRECTIONS = ("forward", "forward + backward")
IMPLEMENTATIONS_OF: dict[type, Callable[..., Implementations]] = {
    PoolingWorkload: pooling_implementations,
    PyramidWorkload: multi_scale_implementations,
    NmsWorkload: nms_implementations,
    PasteWorkload: paste_masks_implementations,
}
"""Function that makes the implementations, by the type of the workload."""
DIFFERENTIABLE = (PoolingWorkload, PyramidWorkload)
"""Types of workload whose operators have a gradient."""


def measure_all(rounds: int = 7, *, quick: bool = False, only: str = "") -> Iterator[Row]:
    """Measure every operator on every workload, forward and backward, yielding rows as they come.

    Parameters
    ----------
    rounds : timed rounds, after one warm-up round.
    quick : smaller workloads.
    only : measure operators whose name contains this text; empty: all.
    """
    for operator, workloads in WORKLOADS.items():
        for workload in workloads if only in operator else ():
            for direction in DIRECTIONS if isinstance(workload, DIFFERENTIABLE) else DIRECTIONS[:1]:
                yield from measure(
                    operator, workload.quick() if quick else workload, direction, rounds
                )


def measure(operator: str, workload: Workload, direction: str, rounds: int) -> list[Row]:
    """Measure one operator on one workload: a row for each implementation."""
    implementations = make_implementations(operator, workload, backward=direction != "forward")
    timings = ratios(interleave(implementations, rounds), BASELINE)
    return [
        Row(
            operator,
            workload.name,
            direction,
            name,
            timing.milliseconds,
            timing.ratio,
            timing.ratio_min,
            timing.ratio_max,
            rounds,
            versions(),
            machine(),
        )
        for name, timing in timings.items()
    ]


def make_implementations(operator: str, workload: Workload, *, backward: bool) -> Implementations:
    """Make the calls of all implementations of one operator on one workload."""
    return IMPLEMENTATIONS_OF[type(workload)](operator, workload, backward=backward)


def format_row(row: Row) -> str:
    """Write one row as a line of text."""
    return (
        f"{row.operator:10} {row.workload:12} {row.direction:19} {row.implementation:24} "
        f"{row.milliseconds:9.1f} ms  {row.ratio:6.2f}  "
        f"({row.ratio_min:.2f} to {row.ratio_max:.2f})"
    )
