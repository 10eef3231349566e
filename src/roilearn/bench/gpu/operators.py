"""Our kernels and torchvision's CUDA kernels, in turns on one GPU, beside the bandwidth floor.

    make bench-gpu PYTHON=python3

Needs torch, torchvision, Triton and NumPy. Contestants of a workload take turns (``gpu_timing``).
The floor is the time of moving the bytes that no way of pooling can do without.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
import torchvision
from torch import Tensor

from roilearn import kernels
from roilearn.bench.gpu.kernel_steps import MEASURED, steps
from roilearn.bench.gpu.timing import BASELINE, Calls, rows
from roilearn.bench.recorded.results import FOLDER, Row, write
from roilearn.bench.workloads import (
    ROI_ALIGN,
    SHAPES,
    STRIDES,
    Crowd,
    Pyramid,
    Shape,
    make_crowd,
    make_inputs,
    make_pyramid,
)
from roilearn.ops.pooling.roi_align import region, sample_bag

OURS, ATOMIC = "roilearn", "roilearn, atomics"
LAST, HALF = "roilearn, channels last", "roilearn, bfloat16"

BATCH = (
    Shape("box head, 16", (16, 256, 200, 304), 8192, (4, 56), 7, 2, "a batch of 16, stride 4"),
    Shape("mask head, 16", (16, 256, 100, 152), 2048, (4, 56), 14, 2, "a batch of 16, stride 8"),
)
PYRAMIDS = (
    *(shape for shape in SHAPES["MultiScaleRoIAlign"] if isinstance(shape, Pyramid)),
    Pyramid("box head, 16", 16, (800, 1216), 512, 7, "a batch of 16, 4 levels"),
    Pyramid("mask head, 16", 16, (800, 1216), 128, 14, "a batch of 16, 4 levels"),
)


def only_backward(pools: Mapping[str, tuple[Callable[..., Tensor], list[Tensor]]]) -> Calls:
    """Make calls that go backward alone, each through a graph that was recorded before."""
    calls = {}
    for name, (pool, maps) in pools.items():
        maps = [m.detach().requires_grad_() for m in maps]  # noqa: PLW2901
        output = pool(maps)
        gradient = torch.ones_like(output)
        calls[name] = partial(torch.autograd.grad, output, maps, gradient, retain_graph=True)
    return calls


def only_forward(pools: Mapping[str, tuple[Callable[..., Tensor], list[Tensor]]]) -> Calls:
    """Make calls that record no graph."""
    return {name: partial(torch.no_grad()(pool), maps) for name, (pool, maps) in pools.items()}


def alignments(shape: Shape) -> Iterator[Row]:
    """RoIAlign on one map."""
    features, boxes = (torch.from_numpy(array).cuda() for array in make_inputs(shape))
    options = (shape.output_size, 1.0, shape.sampling_ratio, True)
    last = features.to(memory_format=torch.channels_last)

    def with_ours(maps: list[Tensor], **further: Any) -> Tensor:
        return kernels.roi_align(maps[0], boxes, *options, **further)

    pools = {
        BASELINE: (lambda maps: torchvision.ops.roi_align(maps[0], boxes, *options), [features]),
        OURS: (with_ours, [features]),
        ATOMIC: (partial(with_ours, deterministic=False), [features]),
        LAST: (partial(with_ours, memory_format=torch.channels_last), [last]),
        HALF: (with_ours, [features.bfloat16()]),
    }
    output = 4 * len(boxes) * features.shape[1] * shape.output_size**2
    read = output + cells_read(features, boxes, shape)
    forward = {name: pool for name, pool in pools.items() if name != ATOMIC}
    yield from rows("roi_align", shape.name, "forward", only_forward(forward), read)
    backward = output + 4 * features.numel()  # what arrives is read, every cell is written
    yield from rows("roi_align", shape.name, "backward", only_backward(pools), backward)


def cells_read(features: Tensor, boxes: Tensor, shape: Shape) -> int:
    """Bytes of the cells that some sample needs, once each."""
    bins = (shape.output_size, shape.output_size)
    regions = torch.stack([boxes[:, 0], *region(boxes, 1.0, aligned=True)], 1)
    size = (features.shape[2], features.shape[3])
    bag = sample_bag(regions, bins, shape.sampling_ratio, size)
    return bag.index.unique().numel() * features.shape[1] * 4


def others(operator: str, shape: Shape) -> Iterator[Row]:
    """RoIPool and position-sensitive RoIAlign."""
    features, boxes = (torch.from_numpy(array).cuda() for array in make_inputs(shape))
    options = (shape.output_size, 1.0) + (shape.sampling_ratio,) * (operator == "ps_roi_align")

    def pool_with(library: ModuleType, maps: list[Tensor]) -> Tensor:
        return getattr(library, operator)(maps[0], boxes, *options)

    libraries = ((BASELINE, torchvision.ops), (OURS, kernels))
    pools = {name: (partial(pool_with, library), [features]) for name, library in libraries}
    yield from rows(operator, shape.name, "forward", only_forward(pools))
    yield from rows(operator, shape.name, "backward", only_backward(pools))


def pyramids(shape: Pyramid) -> Iterator[Row]:
    """Pooling from four levels: torchvision's module, which loops over them, and one launch."""
    levels, boxes = ([torch.from_numpy(a).cuda() for a in each] for each in make_pyramid(shape))
    names = [str(level) for level in range(len(levels))]
    arguments = (names, shape.output_size, shape.sampling_ratio)

    def with_module(module: torch.nn.Module, maps: list[Tensor]) -> Tensor:
        images = [shape.image] * shape.images
        return module(dict(zip(names, maps, strict=True)), boxes, images)

    def with_ours(maps: list[Tensor]) -> Tensor:
        scales = [1 / stride for stride in STRIDES]
        options = (shape.output_size, scales, shape.sampling_ratio)
        return kernels.multi_scale_roi_align(maps, boxes, *options)

    last = [level.to(memory_format=torch.channels_last) for level in levels]
    theirs = torchvision.ops.MultiScaleRoIAlign(*arguments)
    pools = {
        BASELINE: (partial(with_module, theirs), levels),
        OURS: (with_ours, levels),
        LAST: (with_ours, last),
    }
    yield from rows("MultiScaleRoIAlign", shape.name, "forward", only_forward(pools))
    yield from rows("MultiScaleRoIAlign", shape.name, "backward", only_backward(pools))


def suppressions(operator: str, shape: Crowd) -> Iterator[Row]:
    """``nms`` and ``batched_nms``."""
    boxes, scores, classes = (torch.from_numpy(array).cuda() for array in make_crowd(shape))
    inputs = (boxes, scores, *([classes] if operator == "batched_nms" else []), shape.threshold)
    libraries = ((BASELINE, torchvision.ops), (OURS, kernels))
    calls = {name: partial(getattr(library, operator), *inputs) for name, library in libraries}
    yield from rows(operator, shape.name, "forward", calls)


def run() -> Iterator[Row]:
    """Measure everything."""
    for shape in (*ROI_ALIGN, *BATCH):
        yield from alignments(shape)
    for shape in MEASURED:
        yield from steps(shape)
    for shape in PYRAMIDS:
        yield from pyramids(shape)
    for operator in ("roi_pool", "ps_roi_align"):
        for shape in SHAPES[operator]:
            if isinstance(shape, Shape):
                yield from others(operator, shape)
    for operator in ("nms", "batched_nms"):
        for shape in SHAPES[operator]:
            if isinstance(shape, Crowd):
                yield from suppressions(operator, shape)


def main(path: Path = FOLDER / "gpu.csv") -> None:
    """Measure, print and store."""
    measured = []
    for row in run():
        measured.append(row)
        print(  # noqa: T201
            f"{row.operator:18} {row.shape:14} {row.direction:9} {row.contestant:24} "
            f"{row.milliseconds:9.3f} ms {row.ratio:7.2f}",
            flush=True,
        )
        torch.cuda.empty_cache()
    write(measured, path)


if __name__ == "__main__":
    main()
