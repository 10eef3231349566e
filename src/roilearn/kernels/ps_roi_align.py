"""Position-sensitive RoIAlign on a GPU: RoIAlign's kernels, where each bin has its own channels."""

from collections.abc import Sequence
from functools import partial

from jaxtyping import Float
from torch import Tensor

from roilearn import ops
from roilearn.arguments import (
    check_features,
    check_flag,
    check_one_device,
    check_output_size,
    check_position_sensitive,
    check_sampling_ratio,
    check_spatial_scale,
    check_tensor,
)
from roilearn.kernels.arguments import check_sample_count, supports, to_rois
from roilearn.kernels.roi_align_autograd import pool_samples
from roilearn.kernels.roi_align_launches import PoolingOptions
from roilearn.ops.pooling.ps_roi_align import pool_with_bags


def ps_roi_align(
    input: Float[Tensor, "N _ H W"],
    boxes: Float[Tensor, "K 5"] | Sequence[Float[Tensor, "_ 4"]],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    *,
    validate: bool | None = None,
    deterministic: bool = True,
) -> Float[Tensor, "K C PH PW"]:
    """Average bilinear samples over each bin of each box, each bin in its own channels.

    Parameters
    ----------
    input, boxes, output_size, spatial_scale, sampling_ratio, validate :
        as in ``roilearn.ops.ps_roi_align``.
    deterministic : as in ``roi_align``.

    Returns
    -------
    As ``roilearn.ops.ps_roi_align``.

    Raises
    ------
    ValueError: as ``roilearn.ops.ps_roi_align``; an ``input`` that is not on a GPU.

    Source
    ------
    Dai et al., R-FCN (2016), equation 1, with RoIAlign's sampling; torchvision 0.29.
    """
    bins = check_output_size(output_size)
    scale = check_spatial_scale(spatial_scale)
    ratio = check_sampling_ratio(sampling_ratio)
    check_flag("deterministic", deterministic)
    check_tensor("input", input)
    check_features(input)
    check_position_sensitive(input, bins)
    check_one_device(input=input, boxes=boxes)
    if not supports([input], ratio):
        return ops.ps_roi_align(input, boxes, bins, scale, ratio, validate=validate)
    rois, aligned = to_rois(boxes, input, validate), True
    check_sample_count(rois, scale, aligned, bins, ratio, validate)
    fallback = partial(pool_with_bags, bins=bins, spatial_scale=scale, sampling_ratio=ratio)
    options = PoolingOptions(
        bins, (scale,), ratio, aligned, deterministic, fallback, position_sensitive=True
    )
    return pool_samples([input], rois, None, options)
