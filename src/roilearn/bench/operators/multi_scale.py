"""Implementations of ``MultiScaleRoIAlign``, which pools from several levels of a pyramid."""

from collections.abc import Sequence
from functools import partial

import torch
import torchvision
from torch import Tensor, nn

from roilearn import ops
from roilearn.bench.operators.implementations import (
    BASELINE,
    CHANNELS_LAST,
    CHANNELS_LAST_BOTH,
    OURS,
    Implementations,
    channels_last,
    timed_call,
)
from roilearn.bench.workloads import STRIDES, PyramidWorkload, make_pyramid_inputs


def multi_scale_implementations(
    operator: str, workload: PyramidWorkload, *, backward: bool
) -> Implementations:
    """Make calls of torchvision's module and of ours, the latter also on channels-last features.

    The function behind our module is measured too, with output that stays channels last.
    """
    levels, boxes = make_pyramid_inputs(workload)
    features = [torch.from_numpy(level) for level in levels]
    names = [str(level) for level in range(len(levels))]
    arguments = (names, workload.output_size, workload.sampling_ratio)
    theirs, ours = (
        partial(_call, getattr(library, operator)(*arguments), names, boxes, workload)
        for library in (torchvision.ops, ops)
    )
    return {
        BASELINE: timed_call(theirs, features, backward=backward),
        OURS: timed_call(ours, features, backward=backward),
        CHANNELS_LAST: timed_call(ours, channels_last(features), backward=backward),
        CHANNELS_LAST_BOTH: timed_call(
            partial(_left_channels_last, boxes, workload),
            channels_last(features),
            backward=backward,
        ),
    }


def _call(
    module: nn.Module,
    names: Sequence[str],
    boxes: Sequence,
    workload: PyramidWorkload,
    *features: Tensor,
) -> Tensor:
    maps = dict(zip(names, features, strict=True))
    return module(
        maps, [torch.from_numpy(each) for each in boxes], [workload.image] * workload.images
    )


def _left_channels_last(boxes: Sequence, workload: PyramidWorkload, *features: Tensor) -> Tensor:
    return ops.multi_scale_roi_align(
        features,
        [torch.from_numpy(each) for each in boxes],
        workload.output_size,
        [1 / stride for stride in STRIDES],
        workload.sampling_ratio,
        memory_format=torch.channels_last,
    )
