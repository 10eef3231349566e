"""Measure the Triton kernels against torchvision's CUDA kernels, in turns on one GPU.

    make bench-gpu PYTHON=python3

Needs torch, torchvision, Triton and NumPy. RoIAlign is timed beside the bandwidth floor: the time
of moving the bytes that any implementation must move.
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
from roilearn.bench.gpu.kernel_steps import MEASURED, kernel_step_rows
from roilearn.bench.gpu.timing import BASELINE, Calls, timed_rows
from roilearn.bench.recorded.results import FOLDER, Row, write
from roilearn.bench.workloads import (
    ROI_ALIGN,
    STRIDES,
    WORKLOADS,
    NmsWorkload,
    PoolingWorkload,
    PyramidWorkload,
    make_inputs,
    make_nms_inputs,
    make_pyramid_inputs,
)
from roilearn.ops.pooling.roi_align import region, sample_bag

OURS, ATOMIC = "roilearn", "roilearn, atomics"
CHANNELS_LAST, BFLOAT16 = "roilearn, channels last", "roilearn, bfloat16"

BATCH = (
    PoolingWorkload(
        "box head, 16", (16, 256, 200, 304), 8192, (4, 56), 7, 2, "a batch of 16, stride 4"
    ),
    PoolingWorkload(
        "mask head, 16", (16, 256, 100, 152), 2048, (4, 56), 14, 2, "a batch of 16, stride 8"
    ),
)
PYRAMIDS = (
    *(
        workload
        for workload in WORKLOADS["MultiScaleRoIAlign"]
        if isinstance(workload, PyramidWorkload)
    ),
    PyramidWorkload("box head, 16", 16, (800, 1216), 512, 7, "a batch of 16, 4 levels"),
    PyramidWorkload("mask head, 16", 16, (800, 1216), 128, 14, "a batch of 16, 4 levels"),
)


def backward_calls(pools: Mapping[str, tuple[Callable[..., Tensor], list[Tensor]]]) -> Calls:
    """Make calls of the backward pass alone, each through a graph that was recorded before."""
    calls = {}
    for name, (pool, maps) in pools.items():
        maps = [m.detach().requires_grad_() for m in maps]  # noqa: PLW2901
        output = pool(maps)
        gradient = torch.ones_like(output)
        calls[name] = partial(torch.autograd.grad, output, maps, gradient, retain_graph=True)
    return calls


def forward_calls(pools: Mapping[str, tuple[Callable[..., Tensor], list[Tensor]]]) -> Calls:
    """Make calls of the forward pass without gradients."""
    return {name: partial(torch.no_grad()(pool), maps) for name, (pool, maps) in pools.items()}


def roi_align_rows(workload: PoolingWorkload) -> Iterator[Row]:
    """Time RoIAlign on one map, forward and backward."""
    features, boxes = (torch.from_numpy(array).cuda() for array in make_inputs(workload))
    options = (workload.output_size, 1.0, workload.sampling_ratio, True)
    last = features.to(memory_format=torch.channels_last)

    def with_ours(maps: list[Tensor], **further: Any) -> Tensor:
        return kernels.roi_align(maps[0], boxes, *options, **further)

    pools = {
        BASELINE: (lambda maps: torchvision.ops.roi_align(maps[0], boxes, *options), [features]),
        OURS: (with_ours, [features]),
        ATOMIC: (partial(with_ours, deterministic=False), [features]),
        CHANNELS_LAST: (partial(with_ours, memory_format=torch.channels_last), [last]),
        BFLOAT16: (with_ours, [features.bfloat16()]),
    }
    output = 4 * len(boxes) * features.shape[1] * workload.output_size**2
    read = output + bytes_of_cells_read(features, boxes, workload)
    forward = {name: pool for name, pool in pools.items() if name != ATOMIC}
    yield from timed_rows("roi_align", workload.name, "forward", forward_calls(forward), read)
    backward = (
        output + 4 * features.numel()
    )  # the output's gradient is read, every cell's is written
    yield from timed_rows("roi_align", workload.name, "backward", backward_calls(pools), backward)


def bytes_of_cells_read(features: Tensor, boxes: Tensor, workload: PoolingWorkload) -> int:
    """Count the bytes of the cells that some sample reads, each cell once."""
    bins = (workload.output_size, workload.output_size)
    regions = torch.stack([boxes[:, 0], *region(boxes, 1.0, aligned=True)], 1)
    size = (features.shape[2], features.shape[3])
    bag = sample_bag(regions, bins, workload.sampling_ratio, size)
    return bag.index.unique().numel() * features.shape[1] * 4


def pooling_rows(operator: str, workload: PoolingWorkload) -> Iterator[Row]:
    """Time RoIPool or position-sensitive RoIAlign, forward and backward."""
    features, boxes = (torch.from_numpy(array).cuda() for array in make_inputs(workload))
    options = (workload.output_size, 1.0) + (workload.sampling_ratio,) * (
        operator == "ps_roi_align"
    )

    def pool_with(library: ModuleType, maps: list[Tensor]) -> Tensor:
        return getattr(library, operator)(maps[0], boxes, *options)

    libraries = ((BASELINE, torchvision.ops), (OURS, kernels))
    pools = {name: (partial(pool_with, library), [features]) for name, library in libraries}
    yield from timed_rows(operator, workload.name, "forward", forward_calls(pools))
    yield from timed_rows(operator, workload.name, "backward", backward_calls(pools))


def multi_scale_rows(workload: PyramidWorkload) -> Iterator[Row]:
    """Time pooling from four levels: torchvision's module with its loop, and ours, one launch."""
    levels, boxes = (
        [torch.from_numpy(a).cuda() for a in each] for each in make_pyramid_inputs(workload)
    )
    names = [str(level) for level in range(len(levels))]
    arguments = (names, workload.output_size, workload.sampling_ratio)

    def with_module(module: torch.nn.Module, maps: list[Tensor]) -> Tensor:
        images = [workload.image] * workload.images
        return module(dict(zip(names, maps, strict=True)), boxes, images)

    def with_ours(maps: list[Tensor]) -> Tensor:
        scales = [1 / stride for stride in STRIDES]
        options = (workload.output_size, scales, workload.sampling_ratio)
        return kernels.multi_scale_roi_align(maps, boxes, *options)

    last = [level.to(memory_format=torch.channels_last) for level in levels]
    theirs = torchvision.ops.MultiScaleRoIAlign(*arguments)
    pools = {
        BASELINE: (partial(with_module, theirs), levels),
        OURS: (with_ours, levels),
        CHANNELS_LAST: (with_ours, last),
    }
    yield from timed_rows("MultiScaleRoIAlign", workload.name, "forward", forward_calls(pools))
    yield from timed_rows("MultiScaleRoIAlign", workload.name, "backward", backward_calls(pools))


def nms_rows(operator: str, workload: NmsWorkload) -> Iterator[Row]:
    """Time ``nms`` or ``batched_nms``."""
    boxes, scores, classes = (torch.from_numpy(array).cuda() for array in make_nms_inputs(workload))
    inputs = (boxes, scores, *([classes] if operator == "batched_nms" else []), workload.threshold)
    libraries = ((BASELINE, torchvision.ops), (OURS, kernels))
    calls = {name: partial(getattr(library, operator), *inputs) for name, library in libraries}
    yield from timed_rows(operator, workload.name, "forward", calls)


def measure_all() -> Iterator[Row]:
    """Measure every operator on every workload, yielding rows as they come."""
    for workload in (*ROI_ALIGN, *BATCH):
        yield from roi_align_rows(workload)
    for workload in MEASURED:
        yield from kernel_step_rows(workload)
    for workload in PYRAMIDS:
        yield from multi_scale_rows(workload)
    for operator in ("roi_pool", "ps_roi_align"):
        for workload in WORKLOADS[operator]:
            if isinstance(workload, PoolingWorkload):
                yield from pooling_rows(operator, workload)
    for operator in ("nms", "batched_nms"):
        for workload in WORKLOADS[operator]:
            if isinstance(workload, NmsWorkload):
                yield from nms_rows(operator, workload)


def main(path: Path = FOLDER / "gpu.csv") -> None:
    """Measure all, print the rows, and write them to a CSV file."""
    measured = []
    for row in measure_all():
        measured.append(row)
        print(  # noqa: T201
            f"{row.operator:18} {row.workload:14} {row.direction:9} {row.implementation:24} "
            f"{row.milliseconds:9.3f} ms {row.ratio:7.2f}",
            flush=True,
        )
        torch.cuda.empty_cache()
    write(measured, path)


if __name__ == "__main__":
    main()
