"""Measure the operators against torchvision's CPU kernels, and onnxruntime's where installed."""

import importlib.util
import os
import platform
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path

import torch
import torchvision

from roilearn import ops
from roilearn.bench.onnx_peer import onnx_contestant
from roilearn.bench.results import Row
from roilearn.bench.shapes import SHAPES, Shape, make_inputs
from roilearn.bench.timing import interleave, ratios

Contestants = dict[str, Callable[[], object]]
DIRECTIONS = ("forward", "forward + backward")
BASELINE = "torchvision"


def run(rounds: int = 7, *, quick: bool = False) -> Iterator[Row]:
    """Measure every operator on every shape in both directions, yielding rows as they are done.

    Parameters
    ----------
    rounds : rounds that count, after one that does not.
    quick : smaller shapes.
    """
    for operator, shapes in SHAPES.items():
        for shape in shapes:
            for direction in DIRECTIONS:
                yield from measure(operator, shape.quick() if quick else shape, direction, rounds)


def measure(operator: str, shape: Shape, direction: str, rounds: int) -> list[Row]:
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


def make_contestants(operator: str, shape: Shape, *, backward: bool) -> Contestants:
    """Peers and our operator, the latter also on channels-last features, ready to be called."""
    arrays = make_inputs(shape)
    features, boxes = (torch.from_numpy(array) for array in arrays)
    last = features.to(memory_format=torch.channels_last)
    options = (shape.output_size, 1.0)
    if operator == "roi_align":
        options = (*options, shape.sampling_ratio, True)
    theirs, ours = getattr(torchvision.ops, operator), getattr(ops, operator)
    call = forward_and_backward if backward else forward
    contestants: Contestants = {
        BASELINE: partial(call, theirs, features, boxes, options),
        "roilearn": partial(call, ours, features, boxes, options),
        "roilearn, channels last": partial(call, ours, last, boxes, options),
    }
    if operator == "roi_align" and not backward and _installed("onnxruntime"):
        contestants["onnxruntime"] = onnx_contestant(*arrays, shape)
    return contestants


def forward(
    operator: Callable[..., torch.Tensor],
    features: torch.Tensor,
    boxes: torch.Tensor,
    options: tuple,
) -> None:
    """Run the operator once, recording nothing for gradients."""
    with torch.inference_mode():
        operator(features, boxes, *options)


def forward_and_backward(
    operator: Callable[..., torch.Tensor],
    features: torch.Tensor,
    boxes: torch.Tensor,
    options: tuple,
) -> None:
    """Run the operator once and take the gradient to the features."""
    features = features.detach().requires_grad_()
    output = operator(features, boxes, *options)
    output.backward(torch.ones_like(output))


def versions() -> str:
    """Versions of what takes part."""
    peers = [name for name in ("torch", "torchvision", "onnxruntime") if _installed(name)]
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


def _installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None
