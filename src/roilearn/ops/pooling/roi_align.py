"""RoIAlign: the average of bilinear samples in each bin of a box, without rounding the box.

The same result as the loops of ``roilearn.reference.roi_align``, computed as embedding bags: each
bin is a weighted sum of cells. Along one axis a sample reads two cells, so a bin reads a few rows
and a few columns of the map. Its cells are the product of the two, each with its weight in the
bin's average.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

import torch
import torch.fx
from jaxtyping import Bool, Float, Int32, Integer, Shaped
from torch import Tensor, nn

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
from roilearn.ops.boxes.rois import as_rois
from roilearn.ops.clamping import clamp
from roilearn.ops.custom_op import as_custom_op
from roilearn.ops.dispatch import Way, choose_way, load_kernels
from roilearn.ops.embedding_bags.bag import Bag
from roilearn.ops.embedding_bags.layout import cells_of, index_dtype
from roilearn.ops.embedding_bags.memory import pool_bags
from roilearn.ops.embedding_bags.outputs import MEMORY_FORMATS, empty_output, is_empty
from roilearn.ops.embedding_bags.planes import AxisCells, GridCells
from roilearn.ops.embedding_bags.spans import Size, Spans, max_count, outer_bag_from
from roilearn.ops.interpolation import neighbours
from roilearn.ops.onnx.pooling_nodes import roi_align_node
from roilearn.ops.tracing import is_mapping, is_tracing, table_of_sizes

Listed = TypeVar("Listed", Bag, GridCells)
MAX_LISTED_RATIO = 2
"""Up to this sampling ratio a bag has an entry for every sample; above it, one for every cell."""
SAMPLE_LIMIT = 2**20
"""Samples of one box along one axis above which ``roi_align`` raises."""


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
) -> Float[Tensor, "K C PH PW"]:
    """Average bilinear samples over each bin of each box.

    Parameters
    ----------
    input : (N, C, H, W) features.
    boxes : (K, 5) tensor of batch index, x1, y1, x2, y2 in image pixels, or a list with one
        (Ki, 4) tensor for each image.
    output_size : (height, width) of the grid of bins, or one number for both.
    spatial_scale : cells per image pixel, 1 / stride.
    sampling_ratio : samples along each axis of a bin; below 1: adaptive, ceil(bin size).
    aligned : subtract half a cell, which takes continuous coordinates (the centre of cell i at
        i + 0.5) to index coordinates (at i). False is the operator of 2017: it leaves the half
        cell out and makes every box at least one cell long.
    validate : whether to check the values of ``boxes``. None: in eager mode on the CPU only,
        because elsewhere a check would wait for the GPU or break a graph that is being traced.
        (Where no kernel supports the call, the sizes of adaptive boxes are always read, because
        they decide how many samples there are.)
    out : tensor that the result is written to, for repeated calls: allocating memory takes as much
        time as computing the sums. Only while no gradients are recorded.
    memory_format : memory format of the result, if there is no ``out``. ``torch.channels_last``
        saves a copy if the next layer wants channels last.

    Returns
    -------
    (K, C, height, width) tensor, contiguous unless ``out`` or ``memory_format`` says otherwise, of
    the features' dtype. Differentiable in the features and in the boxes, to any order. Where the
    slope of the map jumps, a box gets the slope to the right: on a cell's centre that to the next
    cell, at the first cell too, and 0 at the last cell and beyond. A side of exactly one cell moves
    with both edges, also if not ``aligned``.

    Raises
    ------
    ValueError: more than ``SAMPLE_LIMIT`` samples of one box along an axis; an ``out`` of another
        shape, dtype or device, or while gradients are recorded.
    ValueError, TypeError: see ``roilearn.arguments``; odd boxes: ``roilearn.odd_boxes``. An invalid
        box that is not checked for gives zeros.

    Source
    ------
    He et al., Mask R-CNN (2017), section 3; options and order of arithmetic as in
    torchvision 0.29.

    Examples
    --------
    On a ramp that holds the column number, four bins from x = 2 to x = 6:

    >>> ramp = torch.arange(8.0).expand(1, 1, 8, 8)
    >>> box = torch.tensor([[0.0, 2, 2, 6, 6]])
    >>> roi_align(ramp, box, (1, 4), sampling_ratio=2, aligned=True)[0, 0]
    tensor([[2., 3., 4., 5.]])
    >>> roi_align(ramp, box, (1, 4), sampling_ratio=2, aligned=False)[0, 0]
    tensor([[2.5000, 3.5000, 4.5000, 5.5000]])
    """
    bins = check_output_size(output_size)
    scale = check_spatial_scale(spatial_scale)
    ratio = check_sampling_ratio(sampling_ratio)
    check_flag("aligned", aligned)
    check_choice("memory_format", memory_format, MEMORY_FORMATS)
    check_tensor("input", input)
    check_features(input)
    check_one_device(input=input, boxes=boxes)
    way = choose_way([input], boxes, ratio, sizes_follow_from_shapes=lists_samples(ratio))
    if way is Way.KERNEL:
        options = {"validate": validate, "out": out, "memory_format": memory_format}
        return load_kernels().roi_align(input, boxes, bins, scale, ratio, aligned, **options)
    rois = as_rois(boxes, input.shape[0], input.dtype, validate=validate)
    if way is Way.ONNX:
        return _onnx_node(input, rois, bins, scale, ratio, aligned)
    if way is Way.NODE:
        return _custom_op([input], rois, bins, input.shape[1], scale, ratio, aligned)
    if is_empty(input, rois):
        return empty_output(input, input.shape[1], (rois.shape[0], *bins), out)
    return pool_with_bags([input], rois, bins, scale, ratio, aligned, out, memory_format)


def pool_with_bags(
    maps: Sequence[Float[Tensor, "N C H W"]],
    rois: Float[Tensor, "K 5"],
    bins: tuple[int, int],
    spatial_scale: float,
    sampling_ratio: int,
    aligned: bool,
    out: Float[Tensor, "K C PH PW"] | None = None,
    memory_format: torch.memory_format = torch.contiguous_format,
) -> Float[Tensor, "K C PH PW"]:
    """Pool boxes that have been checked, as weighted sums of cells of the one map in ``maps``."""
    regions = torch.stack([rois[:, 0], *region(rois, spatial_scale, aligned)], 1)  # [K, 5]
    size = (maps[0].shape[2], maps[0].shape[3])
    index = index_dtype(cells_of(maps))
    make_bag = partial(sample_bag, bins=bins, sampling_ratio=sampling_ratio, size=size, index=index)
    entries = entries_per_box(regions, bins, sampling_ratio, size)
    list_grid = (
        partial(make_bag, as_list=sample_grid_from) if lists_samples(sampling_ratio) else None
    )
    return pool_bags(make_bag, maps, regions, entries, bins, out, memory_format, list_grid)


def region(
    rois: Float[Tensor, "K 5"], spatial_scale: float | Float[Tensor, "K 1"], aligned: bool
) -> tuple[Float[Tensor, " K"], Float[Tensor, " K"], Float[Tensor, " K"], Float[Tensor, " K"]]:
    """Boxes in index coordinates of the map: top, left, height and width of each, in cells."""
    x1, y1, x2, y2 = (rois[:, 1:] * spatial_scale - (0.5 if aligned else 0.0)).unbind(1)
    height, width = y2 - y1, x2 - x1
    if not aligned:
        height, width = clamp(height, 1), clamp(width, 1)
    return y1, x1, height, width


def sample_bag_from(
    origin: Integer[Tensor, "K ..."],
    box: Float[Tensor, "K 4"],
    bins: tuple[int, int],
    sampling_ratio: int,
    size: Integer[Tensor, "*K 2 1 1"],
    width: int | Integer[Tensor, "K 1 1"],
) -> Bag:
    """``sample_bag`` where each box, or each bin, reads its own map.

    Parameters
    ----------
    origin : (K, 1, 1) or (K, PH, PW) rows of the table at which the map of each box or bin begins.
    box : top, left, height, width in cells, index coordinates.
    size : (2, 1, 1) height and width of the map, or (K, 2, 1, 1) those of each box's map.
    width : the width alone: one number, or (K, 1, 1).
    """
    if lists_samples(sampling_ratio):
        return sample_by_sample(sample_grid_from(origin, box, bins, sampling_ratio, size, width))
    position = sample_positions(box[:, :2], box[:, 2:], bins, sampling_ratio)
    rows, columns = map(Spans, *(split_axes(part, bins) for part in sample_spans(position, size)))
    return outer_bag_from(origin, width, rows, columns)


def sample_grid_from(
    origin: Integer[Tensor, "K ..."],
    box: Float[Tensor, "K 4"],
    bins: tuple[int, int],
    sampling_ratio: int,
    size: Integer[Tensor, "*K 2 1 1"],
    width: int | Integer[Tensor, "K 1 1"],
) -> GridCells:
    """Cells of ``sample_bag_from`` as pairs of rows and columns that are not multiplied."""
    position = sample_positions(box[:, :2], box[:, 2:], bins, sampling_ratio)  # [K, 2, bins, S]
    rows, columns = map(AxisCells, *(split_axes(part, bins) for part in cells_read(position, size)))
    return GridCells(origin, width, rows, columns)


def split_axes(
    values: Shaped[Tensor, "K 2 bins ..."], bins: tuple[int, int]
) -> list[Shaped[Tensor, "K _ ..."]]:
    """Values of the bins of either axis, without bins beyond the box."""
    return [
        axis if axis.shape[1] == number else axis[:, :number]
        for axis, number in zip(values.unbind(1), bins, strict=True)
    ]


def sample_bag(
    regions: Float[Tensor, "K 5"],
    bins: tuple[int, int],
    sampling_ratio: int,
    size: tuple[int, int],
    index: torch.dtype = torch.int32,
    as_list: Callable[..., Listed] = sample_bag_from,
) -> Listed:
    """List the cells that the samples of each bin read, with their weights: K * PH * PW bags.

    Parameters
    ----------
    regions : image, top, left, height, width of each box, in cells, index coordinates.
    size : (height, width) of the map.
    index : dtype that numbers the cells.
    as_list : how they are listed: ``sample_bag_from``, or ``sample_grid_from``.
    """
    origin = regions[:, 0].to(index)[:, None, None] * (size[0] * size[1])
    return as_list(origin, regions[:, 1:], bins, sampling_ratio, along_axes(size, regions), size[1])


def along_axes(size: tuple[int, int], like: Tensor) -> Integer[Tensor, "2 1 1"]:
    """Height and width of a map as a tensor, for positions along both axes."""
    return table_of_sizes([size], torch.int32, like.device)[0, :, None, None]


def lists_samples(sampling_ratio: int) -> bool:
    """Whether bags list every sample: where these are few, or sizes must not depend on values."""
    few = sampling_ratio <= MAX_LISTED_RATIO
    return sampling_ratio > 0 and (few or is_tracing() or is_mapping())


def samples_per_bin(
    length: Float[Tensor, "*K"], bins: int | Float[Tensor, "..."], sampling_ratio: int
) -> Float[Tensor, "*K"]:
    """Count the samples of a bin along one axis: ``sampling_ratio``; below 1, ceil(bin size)."""
    if sampling_ratio > 0:
        return torch.full_like(length, sampling_ratio)
    return (length / bins).ceil().clamp(min=0)


def sample_positions(
    start: Float[Tensor, "K axes"],
    length: Float[Tensor, "K axes"],
    bins: Sequence[int],
    sampling_ratio: int = -1,
) -> Float[Tensor, "K axes bins S"]:
    """Index positions of the samples of each bin along each axis: the centres of equal parts.

    Parameters
    ----------
    start, length : where each box starts and how long it is, in cells, index coordinates.
    bins : number of bins along each axis.
    sampling_ratio : samples per bin; below 1: adaptive.

    Returns
    -------
    (K, axes, bins, S) positions. Axes of fewer bins than others go on with bins beyond the box.
    Adaptive boxes have different numbers of samples: S is the largest of them, and axes with fewer
    samples are padded with NaN.

    Examples
    --------
    >>> sample_positions(torch.tensor([[2.0]]), torch.tensor([[4.0]]), [2], 2)
    tensor([[[[2.5000, 3.5000],
              [4.5000, 5.5000]]]])
    """
    each = numbers_of_bins(bins, length)  # [axes]
    start, bin_size = start[..., None, None], (length / each)[..., None, None]  # [K, axes, 1, 1]
    i = torch.arange(max(bins), dtype=start.dtype, device=start.device)[:, None]  # [bins, 1]
    if sampling_ratio > 0:
        s = torch.arange(sampling_ratio, dtype=start.dtype, device=start.device)  # [S]
        return start + i * bin_size + (s + 0.5) * bin_size / sampling_ratio
    samples = samples_per_bin(length.detach(), each, sampling_ratio)[..., None, None]
    s = torch.arange(max_count(samples), dtype=start.dtype, device=start.device)  # [S]
    position = start + i * bin_size + (s + 0.5) * bin_size / samples.clamp(min=1)
    return torch.where(s < samples, position, torch.nan)


def numbers_of_bins(bins: Sequence[int], like: Float[Tensor, "..."]) -> Float[Tensor, " axes"]:
    """Numbers of bins as a tensor, for lengths along both axes."""
    return table_of_sizes([bins], like.dtype, like.device)[0]


def in_band(position: Float[Tensor, "*P"], size: Size) -> Bool[Tensor, "*P"]:
    """Whether each sample lies on the map or at most one cell beyond its first or last value.

    Samples in this band read the clamped border. Samples beyond it are 0, and still count in the
    average.
    """
    return (position >= -1) & (position <= size)


def sample_by_sample(grid: GridCells) -> Bag:
    """Bags of 4 * S * S entries: the four cells of each sample in turn."""
    origin, width, rows, columns = grid
    row = rows.cell.to(origin.dtype) * width  # in rows of the table
    index = row[:, :, None, :, None] + origin[..., None, None]  # [K, PH, 1 or PW, 2S, 1]
    index = index + columns.cell[:, None, :, None, :]  # [K, PH, PW, 2S, 2S]
    weight = rows.weight[:, :, None, :, None] * columns.weight[:, None, :, None, :]
    each = index.shape[3] * index.shape[4]  # entries of a bag
    offsets = torch.arange(0, index.numel(), each, dtype=index.dtype, device=index.device)
    return Bag(index.flatten(), weight.flatten(), offsets)


def cells_read(
    position: Float[Tensor, "*K bins S"], size: Size
) -> tuple[Int32[Tensor, "*K bins 2*S"], Float[Tensor, "*K bins 2*S"]]:
    """Both cells that each sample reads along an axis, and their weights in the average."""
    inside = in_band(position, size)
    low, high, fraction = neighbours(torch.where(inside, position, 0), size)
    share = inside.to(position.dtype) / position.shape[-1]
    weight = torch.stack([(1 - fraction) * share, fraction * share], -1)
    return torch.stack([low, high], -1).flatten(-2).to(torch.int32), weight.flatten(-2)


def sample_spans(position: Float[Tensor, "*K bins S"], size: Size) -> Spans:
    """Cells that the samples of each bin read along an axis, each cell once.

    The samples of a bin lie beside each other, so their cells are consecutive. The weights of
    samples that read the same cell are added up.
    """
    inside = in_band(position, size)
    low, high, fraction = neighbours(torch.where(inside, position, 0), size)
    first = torch.where(inside, low, size).amin(-1, keepdim=True).clamp(max=size - 1)
    low, high = (torch.where(inside, cell - first, 0) for cell in (low, high))  # [*K, bins, S]
    count = high.amax(-1) + 1  # [*K, bins]

    samples = position.isfinite().sum(-1, keepdim=True).clamp(min=1)
    share = inside.to(position.dtype) / samples
    weight = share.new_zeros(*count.shape, max_count(count))
    weight = weight.scatter_add(-1, low, (1 - fraction) * share)
    weight = weight.scatter_add(-1, high, fraction * share)
    count = count * inside.any(-1)  # a bin that reads nothing is empty
    return Spans(first.squeeze(-1).to(torch.int32), count.to(torch.int32), weight)


def entries_per_box(
    regions: Float[Tensor, "K 5"], bins: tuple[int, int], sampling_ratio: int, size: tuple[int, int]
) -> Float[Tensor, " K"] | int:
    """Upper bound of the number of entries for each box; raise if a box has too many samples."""
    if lists_samples(sampling_ratio):
        return 4 * sampling_ratio**2 * bins[0] * bins[1]
    if sampling_ratio * max(bins) > SAMPLE_LIMIT:
        raise ValueError(
            f"sampling_ratio must give a box at most {SAMPLE_LIMIT} samples along an axis; "
            f"got {sampling_ratio} for each of {max(bins)} bins."
        )
    length, each = regions[:, 3:].detach(), numbers_of_bins(bins, regions)
    samples = samples_per_bin(length, each, sampling_ratio) * each  # [K, 2]
    if not bool((samples <= SAMPLE_LIMIT).all()):
        axis = int(samples.amax(0).argmax())
        raise ValueError(
            f"boxes must be small enough to sample adaptively; got one {length[:, axis].max():g} "
            f"cells long, which takes {samples[:, axis].max():g} samples along that side, more "
            f"than {SAMPLE_LIMIT}. Clip boxes to the image, or set sampling_ratio."
        )
    # Neighbouring bins share cells.
    cells = length.abs().minimum(length.new_tensor(size)) + 2 * each  # [K, 2]
    # Positions along both axes are padded to the number of samples of the longest side.
    return cells.prod(1) + 2 * max_count(samples)


_custom_op = as_custom_op(roi_align, "float spatial_scale, SymInt sampling_ratio, bool aligned")
_onnx_node = roi_align_node(roi_align)
torch.fx.wrap("roi_align")  # one node where torch.fx records the module


class RoIAlign(nn.Module):
    """``roi_align`` as a module, with torchvision's constructor."""

    def __init__(
        self,
        output_size: int | Sequence[int],
        spatial_scale: float,
        sampling_ratio: int,
        aligned: bool = False,
    ) -> None:
        super().__init__()
        check_output_size(output_size)
        check_spatial_scale(spatial_scale)
        check_sampling_ratio(sampling_ratio)
        check_flag("aligned", aligned)
        self.output_size = output_size
        self.spatial_scale = spatial_scale
        self.sampling_ratio = sampling_ratio
        self.aligned = aligned

    def forward(
        self,
        input: Float[Tensor, "N C H W"],
        rois: Float[Tensor, "K 5"] | Sequence[Float[Tensor, "_ 4"]],
    ) -> Float[Tensor, "K C PH PW"]:
        """Pool ``rois``; see ``roi_align``."""
        return roi_align(
            input, rois, self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned
        )

    def __repr__(self) -> str:
        """Write the settings as torchvision does."""
        return (
            f"{type(self).__name__}(output_size={self.output_size}, "
            f"spatial_scale={self.spatial_scale}, sampling_ratio={self.sampling_ratio}, "
            f"aligned={self.aligned})"
        )
