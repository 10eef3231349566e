"""Steps of the RoIAlign kernel, as the page on GPUs builds it up, timed beside torchvision."""

from collections.abc import Iterator
from functools import partial

import torch
import torchvision
from torch import Tensor

from roilearn import kernels
from roilearn.bench.gpu.roofline import OPERATOR, STEPS, Step, bytes_needed, flops
from roilearn.bench.gpu.timing import BASELINE, Calls, timed_rows
from roilearn.bench.recorded.results import Row
from roilearn.bench.workloads import ROI_ALIGN, PoolingWorkload, make_inputs
from roilearn.kernels import steps as forms

MEASURED = tuple(workload for workload in ROI_ALIGN if workload.name in {"A", "M"})
"""A box head at stride 4 and a mask head at stride 8."""


def kernel_step_rows(workload: PoolingWorkload) -> Iterator[Row]:
    """Time every step on one workload, forward, beside the bandwidth and the arithmetic floor."""
    features, boxes = (torch.from_numpy(array).cuda() for array in make_inputs(workload))
    calls = make_calls(features, boxes, workload)
    yield from timed_rows(
        OPERATOR, workload.name, "forward", calls, bytes_needed(workload), flops(workload)
    )


def make_calls(features: Tensor, boxes: Tensor, workload: PoolingWorkload) -> Calls:
    """Make a call of torchvision's kernel and one of every step."""
    options = (workload.output_size, 1.0, workload.sampling_ratio, True)
    theirs = partial(torchvision.ops.roi_align, features, boxes, *options)
    return {BASELINE: theirs} | {
        step.name: make_call(step, features, boxes, workload) for step in STEPS
    }


def make_call(
    step: Step, features: Tensor, boxes: Tensor, workload: PoolingWorkload
) -> partial[Tensor]:
    """Make a call of one step. Its features and its output have the step's memory format."""
    layout = torch.channels_last if step.channels_last else torch.contiguous_format
    inputs = (features.to(memory_format=layout), boxes)
    options = (workload.output_size, 1.0, workload.sampling_ratio, True)
    if step.kernel == "roi_align_forward":
        return partial(kernels.roi_align, *inputs, *options, memory_format=layout)
    form = getattr(forms, step.kernel)
    return partial(forms.run_step, form, step.bins, step.channels, *inputs, *options)
