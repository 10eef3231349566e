"""Measure the operators against torchvision's CPU kernels, and onnxruntime's where installed."""

import os
import platform
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import torch

from roilearn.bench.operators.implementations import BASELINE, Contestants, installed
from roilearn.bench.operators.multi_scale import multiscale_contestants
from roilearn.bench.operators.nms import nms_contestants
from roilearn.bench.operators.paste_masks import paste_contestants
from roilearn.bench.operators.pooling import pooling_contestants
from roilearn.bench.recorded.results import Row
from roilearn.bench.timing import interleave, ratios
from roilearn.bench.workloads import SHAPES, Crowd, Masks, Pyramid, Shape, Workload

DIRECTIONS = ("forward", "forward + backward")
FAMILIES: dict[type, Callable[..., Contestants]] = {
    Shape: pooling_contestants,
    Pyramid: multiscale_contestants,
    Crowd: nms_contestants,
    Masks: paste_contestants,
}
"""What makes the contestants, by the kind of workload."""
TRAINED = (Shape, Pyramid)
"""Kinds of workload that have a gradient."""


def run(rounds: int = 7, *, quick: bool = False, only: str = "") -> Iterator[Row]:
    """Measure every operator on every shape in both directions, yielding rows as they are done.

    Parameters
    ----------
    rounds : rounds that count, after one that does not.
    quick : smaller shapes.
    only : a word; operators without it in their name are left out.
    """
    for operator, shapes in SHAPES.items():
        for shape in shapes if only in operator else ():
            for direction in DIRECTIONS if isinstance(shape, TRAINED) else DIRECTIONS[:1]:
                yield from measure(operator, shape.quick() if quick else shape, direction, rounds)


def measure(operator: str, shape: Workload, direction: str, rounds: int) -> list[Row]:
    """Measure one operator on one shape: a row for each contestant."""
    contestants = make_contestants(operator, shape, backward=direction != "forward")
    timings = ratios(interleave(contestants, rounds), BASELINE)
    return [
        Row(
            operator,
            shape.name,
            direction,
            name,
            timing.milliseconds,
            timing.ratio,
            timing.slowest,
            timing.fastest,
            rounds,
            versions(),
            machine(),
        )
        for name, timing in timings.items()
    ]


def make_contestants(operator: str, shape: Workload, *, backward: bool) -> Contestants:
    """Peers and our operator on one workload, ready to be called."""
    return FAMILIES[type(shape)](operator, shape, backward=backward)


def versions() -> str:
    """Versions of what takes part."""
    peers = [name for name in ("torch", "torchvision", "onnxruntime") if installed(name)]
    named = [f"{name} {version(name)}" for name in peers]
    return ", ".join([f"python {platform.python_version()}", *named])


def machine() -> str:
    """Processor and threads: what a ratio depends on, and nothing that names the machine."""
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        lines = information.read_text(encoding="utf-8").splitlines()
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        name = models[0] if models else name
    return f"{name}, {torch.get_num_threads()} threads on {os.cpu_count()} cores"


def as_line(row: Row) -> str:
    """One row of the printed table."""
    return (
        f"{row.operator:10} {row.shape:12} {row.direction:19} {row.contestant:24} "
        f"{row.milliseconds:9.1f} ms  {row.ratio:6.2f}  ({row.slowest:.2f} to {row.fastest:.2f})"
    )
