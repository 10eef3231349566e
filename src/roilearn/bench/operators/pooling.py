"""Implementations of the operators that pool boxes from one map."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
import torchvision

from roilearn import ops
from roilearn.bench.environment import installed
from roilearn.bench.operators.implementations import (
    BASELINE,
    CHANNELS_LAST,
    CHANNELS_LAST_BOTH,
    OURS,
    REUSED,
    Implementations,
    Pool,
    channels_last,
    timed_call,
)
from roilearn.bench.workloads import PoolingWorkload, make_inputs


def pooling_implementations(
    operator: str, workload: PoolingWorkload, *, backward: bool
) -> Implementations:
    """Make calls of torchvision's operator and ours, the latter also on channels-last features.

    RoIAlign is measured twice more: with output that stays channels last, and, without gradients,
    with output written to the tensor of the call before (``out``). Its forward pass is compared
    with onnxruntime's too, where that is installed.
    """
    arrays = make_inputs(workload)
    features, boxes = (torch.from_numpy(array) for array in arrays)
    options = pool_options(operator, workload)
    theirs, ours = (
        partial(_call, getattr(library, operator), boxes, options)
        for library in (torchvision.ops, ops)
    )
    implementations: Implementations = {
        BASELINE: timed_call(theirs, [features], backward=backward),
        OURS: timed_call(ours, [features], backward=backward),
        CHANNELS_LAST: timed_call(ours, channels_last([features]), backward=backward),
    }
    if operator == "roi_align":
        implementations |= _other_outputs(features, boxes, options, backward=backward)
    if operator == "roi_align" and not backward and installed("onnxruntime"):
        implementations["onnxruntime"] = onnxruntime_call(*arrays, workload)
    return implementations


def _other_outputs(
    features: torch.Tensor, boxes: torch.Tensor, options: tuple, *, backward: bool
) -> Implementations:
    left = partial(ops.roi_align, memory_format=torch.channels_last)
    pool = partial(_call, left, boxes, options)
    both = timed_call(pool, channels_last([features]), backward=backward)
    if backward:
        return {CHANNELS_LAST_BOTH: both}
    bins = options[0]
    out = torch.empty(len(boxes), features.shape[1], bins, bins)
    again = partial(_call, partial(ops.roi_align, out=out), boxes, options)
    return {CHANNELS_LAST_BOTH: both, REUSED: timed_call(again, [features], backward=False)}


def pool_options(operator: str, workload: PoolingWorkload) -> tuple:
    """Arguments of an operator after the boxes. Boxes are in cells, so the spatial scale is 1."""
    options = (workload.output_size, 1.0)
    if operator == "roi_align":
        return (*options, workload.sampling_ratio, True)
    return (*options, workload.sampling_ratio) if operator == "ps_roi_align" else options


def _call(
    operator: Pool, boxes: torch.Tensor, options: tuple, features: torch.Tensor
) -> torch.Tensor:
    return operator(features, boxes, *options)


_ONNX_MODEL = """<ir_version: 8, opset_import: ["": 16]>
pool (float[n, c, h, w] x, float[k, 4] boxes, int64[k] images) => (float[k, c, p, q] y) {{
  y = RoiAlign <coordinate_transformation_mode = "half_pixel", mode = "avg",
    output_height = {bins}, output_width = {bins}, sampling_ratio = {ratio},
    spatial_scale = 1.0> (x, boxes, images)
}}"""


def onnxruntime_call(
    features: np.ndarray, boxes: np.ndarray, workload: PoolingWorkload
) -> Callable[[], object]:
    """Make a call of onnxruntime's RoiAlign, a model of one node, with PyTorch's thread count."""
    import onnx.parser  # noqa: PLC0415 - optional packages
    import onnxruntime  # noqa: PLC0415

    text = _ONNX_MODEL.format(bins=workload.output_size, ratio=max(workload.sampling_ratio, 0))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    model = onnx.parser.parse_model(text).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    feed = {
        "x": features,
        "boxes": np.ascontiguousarray(boxes[:, 1:]),
        "images": boxes[:, 0].astype(np.int64),
    }
    return lambda: session.run(None, feed)
