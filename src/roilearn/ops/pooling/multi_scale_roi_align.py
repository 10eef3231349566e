"""RoIAlign from a feature pyramid, in one call: each box reads the map of its level.

The cells of all maps are numbered consecutively, the second map's after the first's, and one list
of bags reads them. The level of a box decides where its map begins and how large it is; the rest is
computed as in ``roi_align``.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial

import torch
from jaxtyping import Float, Int64
from torch import Tensor

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
from roilearn.ops.boxes.rois import as_rois
from roilearn.ops.custom_op import as_custom_op
from roilearn.ops.dispatch import Way, choose_way, load_kernels
from roilearn.ops.embedding_bags.layout import index_dtype
from roilearn.ops.embedding_bags.memory import pool_bags
from roilearn.ops.embedding_bags.outputs import MEMORY_FORMATS, empty_output, is_empty
from roilearn.ops.pooling.levels import assign_levels
from roilearn.ops.pooling.roi_align import (
    Listed,
    entries_per_box,
    lists_samples,
    region,
    roi_align,
    sample_bag_from,
    sample_grid_from,
)
from roilearn.ops.tracing import table_of_sizes


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
) -> Float[Tensor, "K C PH PW"]:
    """Average bilinear samples over each bin of each box, on the level assigned by its size.

    Parameters
    ----------
    input : maps of consecutive levels, finest first, each (N, C, H, W) with its own H and W.
    boxes : (K, 5) tensor of batch index, x1, y1, x2, y2 in image pixels, or a list with one
        (Ki, 4) tensor for each image.
    spatial_scales : cells per image pixel of each map. The first one gives the level of the first
        map: 1/4 is level 2.
    canonical_scale, canonical_level, rule : as in ``assign_levels``.
    output_size, sampling_ratio, aligned, validate, out, memory_format : as in ``roi_align``.

    Returns
    -------
    (K, C, height, width) tensor, in the order of ``boxes``. Differentiable in the maps and in the
    boxes, to any order; the choice of the level has no gradient.

    Raises
    ------
    ValueError: maps that differ in N or C; a number of scales other than that of the maps.
    ValueError, TypeError: see ``roi_align``.

    Source
    ------
    Lin et al., Feature Pyramid Networks (2017), section 4.2; torchvision 0.29.

    Differs from
    ------------
    torchvision 0.29: a box inverted along one axis silently gives zeros there, and so does a box
    beyond the last map if a level between is missing. Here these boxes read the first and the last
    map.

    Examples
    --------
    Two maps that hold the number of their level. The small box reads the first, the large one the
    second:

    >>> fine, coarse = torch.full((1, 1, 32, 32), 4.0), torch.full((1, 1, 16, 16), 5.0)
    >>> boxes = [torch.tensor([[0.0, 0, 250, 250], [0, 0, 500, 500]])]
    >>> multi_scale_roi_align([fine, coarse], boxes, 1, [1 / 16, 1 / 32], 2).flatten()
    tensor([4., 5.])
    """
    bins, maps = check_output_size(output_size), list(input)
    ratio = check_sampling_ratio(sampling_ratio)
    check_flag("aligned", aligned)
    for number, level_map in enumerate(maps):
        check_tensor(f"input[{number}]", level_map)
    check_choice("memory_format", memory_format, MEMORY_FORMATS)
    check_pyramid(maps)
    check_one_device(input=maps, boxes=boxes)
    scales = check_spatial_scales(spatial_scales, len(maps))
    way = choose_way(maps, boxes, ratio, sizes_follow_from_shapes=lists_samples(ratio))
    if way is Way.KERNEL:
        levels = (canonical_scale, canonical_level, rule)
        options = {"validate": validate, "out": out, "memory_format": memory_format}
        return load_kernels().multi_scale_roi_align(
            maps, boxes, bins, scales, ratio, aligned, *levels, **options
        )
    rois = as_rois(boxes, maps[0].shape[0], maps[0].dtype, validate=validate)
    map_index = assign_maps(rois, scales, canonical_scale, canonical_level, rule)  # [K]
    if way is Way.ONNX:
        options = (bins, ratio, aligned)
        return _pool_every_level(maps, rois, map_index, scales, *options)
    if way is Way.NODE:
        levels = (canonical_scale, canonical_level, rule)
        return _custom_op(maps, rois, bins, maps[0].shape[1], scales, ratio, aligned, *levels)
    if is_empty(maps[0], rois):
        return empty_output(maps[0], maps[0].shape[1], (rois.shape[0], *bins), out)
    return pool_with_bags(maps, rois, map_index, bins, scales, ratio, aligned, out, memory_format)


def pool_with_bags(
    maps: Sequence[Float[Tensor, "N C _ _"]],
    rois: Float[Tensor, "K 5"],
    map_index: Int64[Tensor, " K"],
    bins: tuple[int, int],
    spatial_scales: Sequence[float],
    sampling_ratio: int,
    aligned: bool,
    out: Float[Tensor, "K C PH PW"] | None = None,
    memory_format: torch.memory_format = torch.contiguous_format,
) -> Float[Tensor, "K C PH PW"]:
    """Pool boxes that have been checked, each from the map of number ``which``."""
    scale = rois.new_tensor(spatial_scales)[map_index][:, None]
    regions = torch.stack([rois[:, 0], *region(rois, scale, aligned), map_index.to(rois.dtype)], 1)
    sizes = [(level_map.shape[2], level_map.shape[3]) for level_map in maps]
    make_bag = partial(
        pyramid_bag, bins=bins, sampling_ratio=sampling_ratio, sizes=sizes, images=maps[0].shape[0]
    )
    largest_size = (max(height for height, _ in sizes), max(width for _, width in sizes))
    entries = entries_per_box(regions[:, :5], bins, sampling_ratio, largest_size)
    list_grid = (
        partial(make_bag, as_list=sample_grid_from) if lists_samples(sampling_ratio) else None
    )
    return pool_bags(make_bag, maps, regions, entries, bins, out, memory_format, list_grid)


def assign_maps(
    rois: Float[Tensor, "K 5"],
    scales: Sequence[float],
    canonical_scale: float,
    canonical_level: int,
    rule: str,
) -> Int64[Tensor, " K"]:
    """Choose the map that each box is pooled from, by its number."""
    first = round(-math.log2(scales[0]))
    last = max(round(-math.log2(scales[-1])), first)
    boxes = rois[:, 1:].detach()
    levels = assign_levels(boxes, first, last, canonical_scale, canonical_level, rule)
    return (levels - first).clamp(0, len(scales) - 1)


def pyramid_bag(
    regions: Float[Tensor, "K 6"],
    bins: tuple[int, int],
    sampling_ratio: int,
    sizes: Sequence[tuple[int, int]],
    images: int,
    as_list: Callable[..., Listed] = sample_bag_from,
) -> Listed:
    """List the cells that the samples of each bin read, among the cells of all maps.

    Parameters
    ----------
    regions : image, top, left, height, width, number of the map; in cells of that map, index
        coordinates.
    sizes : (height, width) of each map.
    as_list : as in ``sample_bag``.
    """
    cells = [images * rows * columns for rows, columns in sizes]
    begin = [sum(cells[:number]) for number in range(len(cells))]
    numbers = [(*size, at) for size, at in zip(sizes, begin, strict=True)]
    dtype = index_dtype(sum(cells))
    of_box = table_of_sizes(numbers, dtype, regions.device)[regions[:, 5].long()]  # [K, 3]
    rows, columns, first = of_box.unbind(1)
    origin = first + regions[:, 0].to(dtype) * rows * columns  # [K]
    origin, width = origin[:, None, None], columns[:, None, None]
    size = of_box[:, :2, None, None]  # [K, 2, 1, 1]
    return as_list(origin, regions[:, 1:5], bins, sampling_ratio, size, width)


def _pool_every_level(
    maps: Sequence[Tensor],
    rois: Tensor,
    map_index: Tensor,
    scales: Sequence[float],
    bins: tuple[int, int],
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """Pool all boxes from every map and select one result for each box, which ONNX can express."""
    pooled = torch.zeros((), dtype=maps[0].dtype, device=maps[0].device)
    for number, (level_map, scale) in enumerate(zip(maps, scales, strict=True)):
        each = roi_align(level_map, rois, bins, scale, sampling_ratio, aligned)
        pooled = torch.where((map_index == number)[:, None, None, None], each, pooled)
    return pooled


_custom_op = as_custom_op(
    multi_scale_roi_align,
    "float[] spatial_scales, SymInt sampling_ratio, bool aligned, float canonical_scale, "
    "SymInt canonical_level, str rule",
)
