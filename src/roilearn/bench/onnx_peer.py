"""onnxruntime's RoiAlign as a contestant: a model of one node."""

from collections.abc import Callable

import numpy as np
import torch

from roilearn.bench.workloads import Shape

_MODEL = """<ir_version: 8, opset_import: ["": 16]>
pool (float[n, c, h, w] x, float[k, 4] boxes, int64[k] images) => (float[k, c, p, q] y) {{
  y = RoiAlign <coordinate_transformation_mode = "half_pixel", mode = "avg",
    output_height = {bins}, output_width = {bins}, sampling_ratio = {ratio},
    spatial_scale = 1.0> (x, boxes, images)
}}"""


def onnx_contestant(features: np.ndarray, boxes: np.ndarray, shape: Shape) -> Callable[[], object]:
    """Return a function that runs one RoiAlign node, with as many threads as PyTorch uses."""
    import onnx.parser  # noqa: PLC0415 - optional: only where onnxruntime is installed
    import onnxruntime  # noqa: PLC0415

    text = _MODEL.format(bins=shape.output_size, ratio=max(shape.sampling_ratio, 0))
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
