"""The steps of the book's page on GPUs, measured beside torchvision and beside both floors."""

from collections.abc import Iterator
from functools import partial

import torch
import torchvision
from torch import Tensor

from roilearn import kernels
from roilearn.bench.gpu.roofline import OPERATOR, STEPS, Step, needed, wanted
from roilearn.bench.gpu.timing import BASELINE, Calls, rows
from roilearn.bench.recorded.results import Row
from roilearn.bench.workloads import ROI_ALIGN, Shape, make_inputs
from roilearn.kernels import steps as forms

MEASURED = tuple(shape for shape in ROI_ALIGN if shape.name in {"A", "M"})
"""A box head at stride 4 and a mask head at stride 8."""


def steps(shape: Shape) -> Iterator[Row]:
    """Every step on one workload, forward."""
    features, boxes = (torch.from_numpy(array).cuda() for array in make_inputs(shape))
    calls = contestants(features, boxes, shape)
    yield from rows(OPERATOR, shape.name, "forward", calls, needed(shape), wanted(shape))


def contestants(features: Tensor, boxes: Tensor, shape: Shape) -> Calls:
    """Make a call of torchvision's kernel and one of every step."""
    options = (shape.output_size, 1.0, shape.sampling_ratio, True)
    theirs = partial(torchvision.ops.roi_align, features, boxes, *options)
    return {BASELINE: theirs} | {step.name: call_of(step, features, boxes, shape) for step in STEPS}


def call_of(step: Step, features: Tensor, boxes: Tensor, shape: Shape) -> partial[Tensor]:
    """Make a call of one step, its maps laid out before and its output laid out like them."""
    layout = torch.channels_last if step.last else torch.contiguous_format
    inputs = (features.to(memory_format=layout), boxes)
    options = (shape.output_size, 1.0, shape.sampling_ratio, True)
    if step.kernel == "average":
        return partial(kernels.roi_align, *inputs, *options, memory_format=layout)
    form = getattr(forms, step.kernel)
    return partial(forms.run_step, form, step.bins, step.channels, *inputs, *options)
