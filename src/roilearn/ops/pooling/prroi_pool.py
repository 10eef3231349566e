"""Precise RoI Pooling: the exact average of the bilinear surface over each bin, without samples.

The same result as the loops of ``roilearn.reference.prroi_pool``, computed as embedding bags.
Interpolation is linear in the cells: the surface is the sum of the cells' values times their hat
functions, which are 1 at a cell's centre and fall to 0 at its neighbours' centres. Along one axis a
bin reads a span of cells. The weight of a cell is the mean of its hat function over the bin.
"""

from collections.abc import Sequence
from functools import partial

import torch
import torch.fx
from jaxtyping import Float
from torch import Tensor, nn

from roilearn.arguments import (
    check_features,
    check_flag,
    check_one_device,
    check_output_size,
    check_spatial_scale,
    check_tensor,
)
from roilearn.ops.boxes.rois import as_rois
from roilearn.ops.clamping import clamp
from roilearn.ops.custom_op import as_custom_op
from roilearn.ops.dispatch import values_are_known
from roilearn.ops.embedding_bags.bag import Bag
from roilearn.ops.embedding_bags.layout import cells_of, index_dtype
from roilearn.ops.embedding_bags.memory import pool_bags
from roilearn.ops.embedding_bags.spans import Spans, max_count, outer_bag


def prroi_pool(
    input: Float[Tensor, "N C H W"],
    boxes: Float[Tensor, "K 5"] | Sequence[Float[Tensor, "_ 4"]],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    aligned: bool = False,
    *,
    validate: bool | None = None,
) -> Float[Tensor, "K C PH PW"]:
    """Average the bilinear surface over each bin of each box: its integral over the bin's area.

    Parameters
    ----------
    input : (N, C, H, W) features.
    boxes : (K, 5) tensor of batch index, x1, y1, x2, y2 in image pixels, or a list with one
        (Ki, 4) tensor for each image.
    output_size : (height, width) of the grid of bins, or one number for both.
    spatial_scale : cells per image pixel, 1 / stride.
    aligned : subtract half a cell, which takes continuous coordinates (the centre of cell i at
        i + 0.5) to index coordinates (at i). False is the operator of 2018, which leaves the half
        cell out. True is the limit of aligned RoIAlign as the number of samples grows.
    validate : as in ``roi_align``. Like adaptive sampling there, this operator always reads the
        sizes of the boxes.

    Returns
    -------
    (K, C, height, width) tensor, contiguous, of the features' dtype. There are no cells outside the
    map: from the last cell's centre the surface falls to 0 within one cell. A bin of no area,
    also after rounding, is 0. Exactly differentiable in the features and in the boxes; the second
    derivative to a box jumps where the edge of a bin crosses a cell's centre.

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments``; odd boxes: ``roilearn.odd_boxes``. An
        invalid box that is not checked for gives zeros.

    Source
    ------
    Jiang et al., Acquisition of Localization Confidence for Accurate Object Detection (2018),
    section 3.3.

    Differs from
    ------------
    RoIAlign: at the border of the map. RoIAlign reads the clamped border for one cell beyond it,
    and 0 from there on.

    Examples
    --------
    The square of the column number, averaged from column 2 to column 3, between which the surface
    is a straight line from 4 to 9:

    >>> parabola = torch.arange(8.0).square().expand(1, 1, 8, 8)
    >>> prroi_pool(parabola, torch.tensor([[0.0, 2, 2, 3, 6]]), 1)[0, 0]
    tensor([[6.5000]])
    """
    bins = check_output_size(output_size)
    scale = check_spatial_scale(spatial_scale)
    check_flag("aligned", aligned)
    check_tensor("input", input)
    check_features(input)
    check_one_device(input=input, boxes=boxes)
    rois = as_rois(boxes, input.shape[0], input.dtype, validate=validate)
    if not values_are_known(rois):
        return _custom_op([input], rois, bins, input.shape[1], scale, aligned)
    regions = region(rois, scale, aligned)
    size = (input.shape[2], input.shape[3])
    make_bag = partial(integral_bag, bins=bins, size=size, index=index_dtype(cells_of([input])))
    return pool_bags(make_bag, [input], regions, entries_per_box(regions, bins, size), bins)


def region(rois: Float[Tensor, "K 5"], spatial_scale: float, aligned: bool) -> Float[Tensor, "K 5"]:
    """Boxes on the map: image, top, left, height, width, in cells, index coordinates."""
    x1, y1, x2, y2 = (rois[:, 1:] * spatial_scale - (0.5 if aligned else 0.0)).unbind(1)
    # A side too long for the dtype gets its largest number; that of a box beyond its range is 0.
    height, width = (clamp((b - a).nan_to_num(), 0) for a, b in ((y1, y2), (x1, x2)))
    return torch.stack([rois[:, 0], y1, x1, height, width], 1)


def integral_bag(
    regions: Float[Tensor, "K 5"],
    bins: tuple[int, int],
    size: tuple[int, int],
    index: torch.dtype = torch.int32,
) -> Bag:
    """List the cells whose hat functions overlap each bin, with their weights: K * PH * PW bags.

    Parameters
    ----------
    regions : image, top, left, height, width of each box, in cells, index coordinates.
    size : (height, width) of the map.
    index : dtype that numbers the cells.
    """
    image, top, left, height, width = regions.unbind(1)
    rows = hat_spans(top, height, bins[0], size[0])
    columns = hat_spans(left, width, bins[1], size[1])
    return outer_bag(image.to(index), rows, columns, size)


def hat_spans(
    start: Float[Tensor, " K"], length: Float[Tensor, " K"], bins: int, size: int
) -> Spans:
    """Cells whose hat functions overlap each bin along one axis, and the mean of each over the bin.

    Parameters
    ----------
    start, length : where each box starts and how long it is, in cells, index coordinates.
    bins : number of bins.
    size : number of cells of the map along this axis.
    """
    i = torch.arange(bins + 1, dtype=start.dtype, device=start.device)
    ends = start[:, None] + i * (length / bins)[:, None]  # [K, bins + 1]
    low, high = ends[:, :-1], ends[:, 1:]  # [K, bins]
    first = low.detach().floor().clamp(0, size - 1)
    last = high.detach().ceil().clamp(0, size - 1)
    reads = (high > low) & (high > -1) & (low < size)
    count = (last - first + 1) * reads

    cell = first[..., None] + torch.arange(max_count(count), device=start.device)  # [K, bins, most]
    area = hat_area(low[..., None] - cell, high[..., None] - cell)
    weight = area / torch.where(reads, high - low, 1)[..., None]
    return Spans(first.to(torch.int32), count.to(torch.int32), weight)


def hat_area(start: Float[Tensor, "*P"], stop: Float[Tensor, "*P"]) -> Float[Tensor, "*P"]:
    """Integral of the hat function between two positions, relative to its cell's centre.

    Each half of the hat is a straight line, so the area under it is its length times its height in
    the middle. Differences of the integral's closed form are equal but for larger rounding errors.

    Examples
    --------
    >>> hat_area(torch.tensor([-1.0, 0.0]), torch.tensor([1.0, 0.5]))
    tensor([1.0000, 0.3750])
    """
    # At the centre, where the halves meet, the gradient must not count twice: only the right half
    # is clamped there.
    right = [clamp(end, 0, 1) for end in (start, stop)]
    left = [clamp(end, -1, 1) - part for end, part in zip((start, stop), right, strict=True)]
    before = (left[1] - left[0]) * (1 + (left[0] + left[1]) / 2)
    after = (right[1] - right[0]) * (1 - (right[0] + right[1]) / 2)
    return before + after


def entries_per_box(
    regions: Float[Tensor, "K 5"], bins: tuple[int, int], size: tuple[int, int]
) -> Float[Tensor, " K"]:
    """Upper bound of the number of entries for each box."""
    limits = regions.new_tensor(size)
    cells = regions[:, 3:].detach().minimum(limits) + 3 * regions.new_tensor(bins)  # [K, 2]
    # Spans are padded to the number of cells of the longest box.
    return cells.prod(1) + max_count(cells.sum(1))


_custom_op = as_custom_op(
    prroi_pool,
    "float spatial_scale, bool aligned",
    not_in_onnx="Use roi_align with a fixed sampling_ratio, whose limit it is and which ONNX has.",
)
torch.fx.wrap("prroi_pool")  # one node where torch.fx records the module


class PrRoIPool(nn.Module):
    """``prroi_pool`` as a module."""

    def __init__(
        self, output_size: int | Sequence[int], spatial_scale: float = 1.0, aligned: bool = False
    ) -> None:
        super().__init__()
        check_output_size(output_size)
        check_spatial_scale(spatial_scale)
        check_flag("aligned", aligned)
        self.output_size = output_size
        self.spatial_scale = spatial_scale
        self.aligned = aligned

    def forward(
        self,
        input: Float[Tensor, "N C H W"],
        rois: Float[Tensor, "K 5"] | Sequence[Float[Tensor, "_ 4"]],
    ) -> Float[Tensor, "K C PH PW"]:
        """Pool ``rois``; see ``prroi_pool``."""
        return prroi_pool(input, rois, self.output_size, self.spatial_scale, self.aligned)

    def __repr__(self) -> str:
        """Write the settings as torchvision does for its modules."""
        return (
            f"{type(self).__name__}(output_size={self.output_size}, "
            f"spatial_scale={self.spatial_scale}, aligned={self.aligned})"
        )
