"""RoIAlign and RoIPool as nodes of ONNX: RoiAlign and MaxRoiPool."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from roilearn.ops.onnx.nodes import FIRST_OPSET, OnnxNode


def roi_align_node(roi_align: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return the function that records ``roi_align`` as one node of an ONNX graph.

    Returns
    -------
    Function of (input, rois, bins, spatial_scale, sampling_ratio, aligned). The node takes features
    and boxes of one dtype, the more precise of theirs.
    """

    def run(
        input: Tensor,
        boxes: Tensor,
        image: Tensor,
        height: int,
        width: int,
        spatial_scale: float,
        sampling_ratio: int,
        aligned: bool,
    ) -> Tensor:
        rois = torch.cat([image[:, None], boxes], 1)
        return roi_align(input, rois, (height, width), spatial_scale, sampling_ratio, aligned)

    node = OnnxNode("roi_align", run, "RoiAlign", roi_align_attributes, FIRST_OPSET)

    def record(
        input: Float[Tensor, "N C H W"],
        rois: Float[Tensor, "K 5"],
        bins: tuple[int, int],
        *options: Any,
    ) -> Float[Tensor, "K C PH PW"]:
        operands = input.to(rois.dtype), rois[:, 1:], rois[:, 0].to(torch.int64)
        shape = (rois.shape[0], input.shape[1], *bins)
        pooled = node.record(operands, (*bins, *options), rois.dtype, shape)
        return pooled.to(input)  # dtype, and device: the stand-in for a node lies on the CPU

    return record


def roi_align_attributes(
    height: int, width: int, spatial_scale: float, sampling_ratio: int, aligned: bool
) -> dict[str, Any]:
    """Attributes of RoiAlign. All are written, because engines disagree on the defaults."""
    return {
        "coordinate_transformation_mode": "half_pixel" if aligned else "output_half_pixel",
        "mode": "avg",
        "output_height": height,
        "output_width": width,
        "sampling_ratio": max(sampling_ratio, 0),  # 0 is adaptive
        "spatial_scale": spatial_scale,
    }


def max_roi_pool_node(roi_pool: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return the function that records ``roi_pool`` as one node of an ONNX graph.

    Returns
    -------
    Function of (input, rois, bins, spatial_scale). The node computes in float32, as engines do.
    """

    def run(input: Tensor, rois: Tensor, height: int, width: int, spatial_scale: float) -> Tensor:
        return roi_pool(input, rois, (height, width), spatial_scale)

    node = OnnxNode("roi_pool", run, "MaxRoiPool", max_roi_pool_attributes, 1)

    def record(
        input: Float[Tensor, "N C H W"],
        rois: Float[Tensor, "K 5"],
        bins: tuple[int, int],
        spatial_scale: float,
    ) -> Float[Tensor, "K C PH PW"]:
        shape = (rois.shape[0], input.shape[1], *bins)
        operands = input.to(torch.float32), rois.to(torch.float32)
        pooled = node.record(operands, (*bins, spatial_scale), torch.float32, shape)
        return pooled.to(input)

    return record


def max_roi_pool_attributes(height: int, width: int, spatial_scale: float) -> dict[str, Any]:
    """Attributes of MaxRoiPool."""
    return {"pooled_shape": [height, width], "spatial_scale": spatial_scale}
