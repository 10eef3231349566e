"""Multi-scale RoIAlign on a GPU: one launch reads all levels of a feature pyramid.

A program loads the level of its box and then reads that level's map. The kernel takes a pointer for
each level, up to five: packing the maps into one buffer would copy all of them, and a table of
pointers would have to be sent to the GPU.
"""

from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor

from roilearn import ops
from roilearn.arguments import (
    check_choice,
    check_flag,
    check_one_device,
    check_output_size,
    check_pyramid,
    check_sampling_ratio,
    check_spatial_scales,
    check_tensor,
)
from roilearn.kernels.arguments import check_sample_count, supports, to_rois
from roilearn.kernels.roi_align_autograd import pool_samples
from roilearn.kernels.roi_align_launches import PoolingOptions
from roilearn.ops.embedding_bags.outputs import MEMORY_FORMATS
from roilearn.ops.pooling.multi_scale_roi_align import assign_maps, pool_with_bags
from roilearn.ops.tracing import may_read_values


def multi_scale_roi_align(
    input: Sequence[Float[Tensor, "N C _ _"]],
    boxes: Float[Tensor, "K 5"] | Sequence[Float[Tensor, "_ 4"]],
    output_size: int | Sequence[int],
    spatial_scales: Sequence[float],
    sampling_ratio: int = -1,
    aligned: bool = False,
    canonical_scale: float = 224,
    canonical_level: int = 4,
    rule: str = "floor",
    *,
    validate: bool | None = None,
    out: Float[Tensor, "K C PH PW"] | None = None,
    memory_format: torch.memory_format = torch.contiguous_format,
    deterministic: bool = True,
) -> Float[Tensor, "K C PH PW"]:
    """Average bilinear samples over each bin of each box, on the level that fits its size.

    Parameters
    ----------
    input, boxes, output_size, spatial_scales, sampling_ratio, aligned, canonical_scale,
    canonical_level, rule, validate, out, memory_format :
        as in ``roilearn.ops.multi_scale_roi_align``.
    deterministic : as in ``roi_align``.

    Returns
    -------
    As ``roilearn.ops.multi_scale_roi_align``.

    Raises
    ------
    ValueError: as ``roilearn.ops.multi_scale_roi_align``; an ``input`` that is not on a GPU.

    Source
    ------
    Lin et al., Feature Pyramid Networks (2017), section 4.2; torchvision 0.29.
    """
    bins, maps = check_output_size(output_size), list(input)
    ratio = check_sampling_ratio(sampling_ratio)
    check_flag("aligned", aligned)
    check_flag("deterministic", deterministic)
    for number, level_map in enumerate(maps):
        check_tensor(f"input[{number}]", level_map)
    check_pyramid(maps)
    check_choice("memory_format", memory_format, MEMORY_FORMATS)
    check_one_device(input=maps, boxes=boxes)
    scales = tuple(check_spatial_scales(spatial_scales, len(maps)))
    assignment = (canonical_scale, canonical_level, rule)
    if not supports(maps, ratio):
        further = {"validate": validate, "out": out, "memory_format": memory_format}
        return ops.multi_scale_roi_align(
            maps, boxes, bins, scales, ratio, aligned, *assignment, **further
        )
    rois = to_rois(boxes, maps[0], validate)
    levels = assign_maps(rois, scales, *assignment)
    scale = rois.new_tensor(scales)[levels][:, None] if may_read_values(rois, validate) else 1.0
    check_sample_count(rois, scale, aligned, bins, ratio, validate)
    fallback = partial(
        pool_with_bags,
        map_index=levels,
        bins=bins,
        spatial_scales=scales,
        sampling_ratio=ratio,
        aligned=aligned,
    )
    options = PoolingOptions(bins, scales, ratio, aligned, deterministic, fallback)
    return pool_samples(maps, rois, levels.int(), options, out, memory_format)
