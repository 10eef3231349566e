"""``MultiScaleRoIAlign`` as contestants: boxes from several levels of a pyramid."""

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
    Contestants,
    channels_last,
    contestant,
)
from roilearn.bench.workloads import STRIDES, Pyramid, make_pyramid


def multiscale_contestants(operator: str, shape: Pyramid, *, backward: bool) -> Contestants:
    """Measure torchvision's module and ours, the latter also on channels-last features.

    The function behind our module takes part too, with its result left channels last.
    """
    levels, boxes = make_pyramid(shape)
    features = [torch.from_numpy(level) for level in levels]
    names = [str(level) for level in range(len(levels))]
    arguments = (names, shape.output_size, shape.sampling_ratio)
    theirs, ours = (
        partial(_call, getattr(library, operator)(*arguments), names, boxes, shape)
        for library in (torchvision.ops, ops)
    )
    return {
        BASELINE: contestant(theirs, features, backward=backward),
        OURS: contestant(ours, features, backward=backward),
        CHANNELS_LAST: contestant(ours, channels_last(features), backward=backward),
        CHANNELS_LAST_BOTH: contestant(
            partial(_left_channels_last, boxes, shape), channels_last(features), backward=backward
        ),
    }


def _call(
    module: nn.Module, names: Sequence[str], boxes: Sequence, shape: Pyramid, *features: Tensor
) -> Tensor:
    maps = dict(zip(names, features, strict=True))
    return module(maps, [torch.from_numpy(each) for each in boxes], [shape.image] * shape.images)


def _left_channels_last(boxes: Sequence, shape: Pyramid, *features: Tensor) -> Tensor:
    return ops.multi_scale_roi_align(
        features,
        [torch.from_numpy(each) for each in boxes],
        shape.output_size,
        [1 / stride for stride in STRIDES],
        shape.sampling_ratio,
        memory_format=torch.channels_last,
    )
