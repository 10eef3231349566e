"""Operators that pool boxes from one map, as contestants."""

from functools import partial

import torch
import torchvision

from roilearn import ops
from roilearn.bench.onnx_peer import onnx_contestant
from roilearn.bench.operators.implementations import (
    BASELINE,
    CHANNELS_LAST,
    CHANNELS_LAST_BOTH,
    OURS,
    REUSED,
    Contestants,
    Pool,
    channels_last,
    contestant,
    installed,
)
from roilearn.bench.workloads import Shape, make_inputs


def pooling_contestants(operator: str, shape: Shape, *, backward: bool) -> Contestants:
    """Peers and our operator, the latter also on channels-last features.

    RoIAlign takes part twice more: with its result left channels last, and, where no gradient is
    taken, with its result written where that of the call before stood.
    """
    arrays = make_inputs(shape)
    features, boxes = (torch.from_numpy(array) for array in arrays)
    options = pool_options(operator, shape)
    theirs, ours = (
        partial(_call, getattr(library, operator), boxes, options)
        for library in (torchvision.ops, ops)
    )
    contestants: Contestants = {
        BASELINE: contestant(theirs, [features], backward=backward),
        OURS: contestant(ours, [features], backward=backward),
        CHANNELS_LAST: contestant(ours, channels_last([features]), backward=backward),
    }
    if operator == "roi_align":
        contestants |= _other_outputs(features, boxes, options, backward=backward)
    if operator == "roi_align" and not backward and installed("onnxruntime"):
        contestants["onnxruntime"] = onnx_contestant(*arrays, shape)
    return contestants


def _other_outputs(
    features: torch.Tensor, boxes: torch.Tensor, options: tuple, *, backward: bool
) -> Contestants:
    left = partial(ops.roi_align, memory_format=torch.channels_last)
    pool = partial(_call, left, boxes, options)
    both = contestant(pool, channels_last([features]), backward=backward)
    if backward:
        return {CHANNELS_LAST_BOTH: both}
    bins = options[0]
    out = torch.empty(len(boxes), features.shape[1], bins, bins)
    again = partial(_call, partial(ops.roi_align, out=out), boxes, options)
    return {CHANNELS_LAST_BOTH: both, REUSED: contestant(again, [features], backward=False)}


def pool_options(operator: str, shape: Shape) -> tuple:
    """Arguments after the boxes; boxes are in cells, so the scale is 1."""
    options = (shape.output_size, 1.0)
    if operator == "roi_align":
        return (*options, shape.sampling_ratio, True)
    return (*options, shape.sampling_ratio) if operator == "ps_roi_align" else options


def _call(
    operator: Pool, boxes: torch.Tensor, options: tuple, features: torch.Tensor
) -> torch.Tensor:
    return operator(features, boxes, *options)
