"""RoIAlign on a GPU: one launch forward, two for the feature gradient, one for the box gradient."""

from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from roilearn import ops
from roilearn.arguments import (
    check_choice,
    check_features,
    check_flag,
    check_one_device,
    check_output_size,
    check_sampling_ratio,
    check_spatial_scale,
    check_tensor,
)
from roilearn.kernels.arguments import check_sample_count, supports, to_rois
from roilearn.kernels.roi_align_autograd import pool_samples
from roilearn.kernels.roi_align_launches import PoolingOptions
from roilearn.ops.embedding_bags.outputs import MEMORY_FORMATS
from roilearn.ops.pooling.roi_align import pool_with_bags


def roi_align(
    input: Float[Tensor, "N C H W"],
    boxes: Float[Tensor, "K 5"] | Sequence[Float[Tensor, "_ 4"]],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
    *,
    validate: bool | None = None,
    out: Float[Tensor, "K C PH PW"] | None = None,
    memory_format: torch.memory_format = torch.contiguous_format,
    deterministic: bool = True,
) -> Float[Tensor, "K C PH PW"]:
    """Average bilinear samples over each bin of each box.

    Parameters
    ----------
    input, boxes, output_size, spatial_scale, sampling_ratio, aligned : as in
        ``roilearn.ops.roi_align``.
    validate, out, memory_format : as there.
    deterministic : True: the feature gradient is gathered. Each cell sums over the bins that read
        it in a fixed order, so every run gives the same bits. False: it is summed with atomics, in
        any order.

    Returns
    -------
    As ``roilearn.ops.roi_align``. An adaptive box of too many samples gives zeros if its values are
    not checked.

    Raises
    ------
    ValueError: as ``roilearn.ops.roi_align``; an ``input`` that is not on a GPU.

    Source
    ------
    He et al., Mask R-CNN (2017), section 3; options and order of arithmetic as in
    torchvision 0.29.
    """
    bins = check_output_size(output_size)
    scale = check_spatial_scale(spatial_scale)
    ratio = check_sampling_ratio(sampling_ratio)
    check_flag("aligned", aligned)
    check_flag("deterministic", deterministic)
    check_tensor("input", input)
    check_features(input)
    check_choice("memory_format", memory_format, MEMORY_FORMATS)
    check_one_device(input=input, boxes=boxes)
    if not supports([input], ratio):
        further = {"validate": validate, "out": out, "memory_format": memory_format}
        return ops.roi_align(input, boxes, bins, scale, ratio, aligned, **further)
    rois = to_rois(boxes, input, validate)
    check_sample_count(rois, scale, aligned, bins, ratio, validate)
    fallback = partial(
        pool_with_bags, bins=bins, spatial_scale=scale, sampling_ratio=ratio, aligned=aligned
    )
    options = PoolingOptions(bins, (scale,), ratio, aligned, deterministic, fallback)
    return pool_samples([input], rois, None, options, out, memory_format)
