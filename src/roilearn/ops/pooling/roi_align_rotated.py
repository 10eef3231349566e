"""Rotated RoIAlign: RoIAlign's samples, placed around the centre of the box and then rotated.

The same result as the loops of ``roilearn.reference.roi_align_rotated``, computed as embedding
bags. A rotated bin is not a product of rows and columns, so each sample has its own four entries.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
import torch.fx
from jaxtyping import Float, Int32
from torch import Tensor, nn

from roilearn.arguments import (
    ROTATED_BOX_COLUMNS,
    check_features,
    check_no_negative_size,
    check_one_device,
    check_output_size,
    check_sampling_ratio,
    check_spatial_scale,
    check_tensor,
)
from roilearn.ops.boxes.rois import NOWHERE, as_rois
from roilearn.ops.custom_op import as_custom_op
from roilearn.ops.dispatch import values_are_known
from roilearn.ops.embedding_bags.bag import Bag
from roilearn.ops.embedding_bags.layout import cells_of, index_dtype
from roilearn.ops.embedding_bags.memory import pool_bags
from roilearn.ops.interpolation import neighbours
from roilearn.ops.pooling.roi_align import (
    in_band,
    numbers_of_bins,
    sample_positions,
    samples_per_bin,
)
from roilearn.ops.tracing import may_read_values

SAMPLE_LIMIT = 2**22
"""Samples of one box above which ``roi_align_rotated`` raises."""


def roi_align_rotated(
    input: Float[Tensor, "N C H W"],
    boxes: Float[Tensor, "K 6"] | Sequence[Float[Tensor, "_ 5"]],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    *,
    validate: bool | None = None,
) -> Float[Tensor, "K C PH PW"]:
    """Average bilinear samples over each bin of each rotated box.

    Parameters
    ----------
    input : (N, C, H, W) features.
    boxes : (K, 6) tensor of batch index, centre x, centre y, width and height in image pixels,
        and angle in degrees, counter-clockwise as the image is seen (y runs downwards);
        or a list with one (Ki, 5) tensor for each image.
    output_size : (height, width) of the grid of bins, or one number for both. The grid rotates
        with the box: its first row lies along the box's own top.
    spatial_scale : cells per image pixel, 1 / stride.
    sampling_ratio : samples along each axis of a bin; below 1: adaptive, ceil(bin size).
    validate : as in ``roi_align``.

    Returns
    -------
    (K, C, height, width) tensor, contiguous, of the features' dtype. Coordinates are continuous:
    at angle 0 it is ``roi_align(aligned=True)`` of the same box. Samples more than one cell outside
    the map are 0, and still count in the average. Differentiable in the features and in the boxes,
    angle included, to any order, with the slopes of ``roi_align``.

    Raises
    ------
    ValueError: a negative width or height; a box of more than ``SAMPLE_LIMIT`` samples.
    ValueError, TypeError: see ``roilearn.arguments``; odd boxes: ``roilearn.odd_boxes``. An
        invalid box that is not checked for gives zeros.

    Source
    ------
    Ma et al., Arbitrary-Oriented Scene Text Detection via Rotation Proposals (2018), section
    III-D; sampling as in Detectron2 0.6, ``ROIAlignRotated``.

    Examples
    --------
    Four bins along a box that points upwards, on a map that holds the row number:

    >>> ramp = torch.arange(8.0)[:, None].expand(1, 1, 8, 8)
    >>> box = torch.tensor([[0.0, 4, 4, 4, 2, 90]])
    >>> roi_align_rotated(ramp, box, (1, 4), sampling_ratio=2)[0, 0].round(decimals=4)
    tensor([[5., 4., 3., 2.]])
    """
    bins = check_output_size(output_size)
    scale = check_spatial_scale(spatial_scale)
    ratio = check_sampling_ratio(sampling_ratio)
    check_tensor("input", input)
    check_features(input)
    check_one_device(input=input, boxes=boxes)
    rois = as_rotated_rois(boxes, input.shape[0], input.dtype, validate=validate)
    if ratio < 1 and not values_are_known(rois):
        return _custom_op([input], rois, bins, input.shape[1], scale, ratio)
    regions = region(rois, scale)
    size = (input.shape[2], input.shape[3])
    index = index_dtype(cells_of([input]))
    make_bag = partial(sample_bag, bins=bins, sampling_ratio=ratio, size=size, index=index)
    return pool_bags(make_bag, [input], regions, entries_per_box(regions, bins, ratio), bins)


def as_rotated_rois(
    boxes: Tensor | Sequence[Tensor],
    batch_size: int,
    dtype: torch.dtype,
    *,
    validate: bool | None = None,
) -> Float[Tensor, "K 6"]:
    """``as_rois`` for rotated boxes, whose width and height must not be negative."""
    rois = as_rois(boxes, batch_size, dtype, validate=validate, columns=ROTATED_BOX_COLUMNS)
    if may_read_values(rois, validate):
        check_no_negative_size(rois)
        return rois
    negative = (rois[:, 3:5] < 0).any(1, keepdim=True)
    return torch.where(negative, rois.new_tensor([*NOWHERE[:3], 0, 0, 0]), rois)


def region(rois: Float[Tensor, "K 6"], spatial_scale: float) -> Float[Tensor, "K 6"]:
    """Boxes on the map: image, row and column of the centre, height, width, angle in radians.

    In cells, index coordinates.
    """
    image, x, y, width, height, angle = rois.unbind(1)
    row, column = y * spatial_scale - 0.5, x * spatial_scale - 0.5
    sides = height * spatial_scale, width * spatial_scale
    return torch.stack([image, row, column, *sides, angle * (math.pi / 180)], 1)


class Samples(NamedTuple):
    """All samples of all boxes, bin by bin: the box of each, and its offset from the centre."""

    box: Int32[Tensor, " samples"]
    down: Float[Tensor, " samples"]
    across: Float[Tensor, " samples"]


def sample_bag(
    regions: Float[Tensor, "K 6"],
    bins: tuple[int, int],
    sampling_ratio: int,
    size: tuple[int, int],
    index: torch.dtype = torch.int32,
) -> Bag:
    """List the cells that the samples of each bin read: K * PH * PW bags, four entries per sample.

    Parameters
    ----------
    regions : as returned by ``region``.
    size : (height, width) of the map.
    index : dtype that numbers the cells.
    """
    image, centre_row, centre_column, _, _, angle = regions.unbind(1)
    each, samples = list_samples(regions[:, 3:5], bins, sampling_ratio)
    box, down, across = samples
    # The gradient of indexing with [box] is summed in an order that depends on the threads.
    centre_row, centre_column, cos, sin = (
        of_box.index_select(0, box)
        for of_box in (centre_row, centre_column, angle.cos(), angle.sin())
    )
    row = centre_row + down * cos - across * sin
    column = centre_column + down * sin + across * cos

    inside = in_band(row, size[0]) & in_band(column, size[1])
    top, bottom, below = neighbours(torch.where(inside, row, 0), size[0])
    left, right, beside = neighbours(torch.where(inside, column, 0), size[1])
    first = image.to(torch.int64)[box] * size[0]  # row of cells
    rows, columns = torch.stack([top, bottom], 1) + first[:, None], torch.stack([left, right], 1)
    cell = rows[:, :, None] * size[1] + columns[:, None, :]  # [samples, 2, 2]
    share = inside.to(row.dtype) / each[box]
    weight = torch.stack([(1 - below) * share, below * share], 1)[:, :, None]
    weight = weight * torch.stack([1 - beside, beside], 1)[:, None, :]

    entries = (4 * each)[:, None].expand(-1, bins[0] * bins[1]).flatten()  # of each bag
    offsets = entries.cumsum(0, dtype=index) - entries
    return Bag(cell.flatten().to(index), weight.flatten(), offsets)


def list_samples(
    sides: Float[Tensor, "K 2"], bins: tuple[int, int], sampling_ratio: int
) -> tuple[Int32[Tensor, " K"], Samples]:
    """Count the samples in a bin of each box, and list all samples before the rotation.

    Parameters
    ----------
    sides : height and width of each box, in cells.
    """
    position = sample_positions(-sides / 2, sides, bins, sampling_ratio)  # [K, 2, bins, S]
    number = numbers_of_bins(bins, sides)
    grid = samples_per_bin(sides.detach(), number, sampling_ratio).to(torch.int32)  # [K, 2]
    grid_height, grid_width = grid.unbind(1)
    each = grid_height * grid_width
    counts = each * (bins[0] * bins[1])
    if sampling_ratio > 0:  # as many of each box
        number = torch.arange(sides.shape[0], device=sides.device)
        box = number[:, None].expand(-1, sampling_ratio**2 * bins[0] * bins[1]).flatten()
    else:
        box = torch.repeat_interleave(counts)
    number = torch.arange(box.shape[0], dtype=torch.int32, device=box.device)
    number = number - (counts.cumsum(0, dtype=torch.int32) - counts)[box]  # within its box

    cell, sample = number // each[box], number % each[box]
    i, j = cell // bins[1], cell % bins[1]
    a, b = sample // grid_width[box], sample % grid_width[box]
    _, axes, most_bins, most = position.shape
    down, across = (
        position.flatten().index_select(0, ((box * axes + axis) * most_bins + k) * most + s)
        for axis, k, s in ((0, i, a), (1, j, b))
    )
    return each, Samples(box, down, across)


def entries_per_box(
    regions: Float[Tensor, "K 6"], bins: tuple[int, int], sampling_ratio: int
) -> Float[Tensor, " K"]:
    """Count the entries for each box; raise if a box has too many samples."""
    height, width = regions[:, 3:5].detach().unbind(1)
    down = samples_per_bin(height, bins[0], sampling_ratio) * bins[0]  # [K]
    across = samples_per_bin(width, bins[1], sampling_ratio) * bins[1]
    if sampling_ratio > 0:
        samples = sampling_ratio**2 * bins[0] * bins[1]
        if samples > SAMPLE_LIMIT:
            raise ValueError(
                f"sampling_ratio must give a box at most {SAMPLE_LIMIT} samples; got "
                f"{sampling_ratio}, which makes {samples} of them."
            )
    elif not bool((down * across <= SAMPLE_LIMIT).all()):
        k = int((down * across).argmax())
        raise ValueError(
            f"boxes must be small enough to sample; got one of {height[k]:g} x {width[k]:g} cells, "
            f"which takes {down[k]:g} x {across[k]:g} samples, more than {SAMPLE_LIMIT} in all. "
            "Clip boxes to the image, or set sampling_ratio."
        )
    return 4 * down * across


_custom_op = as_custom_op(
    roi_align_rotated,
    "float spatial_scale, SymInt sampling_ratio",
    not_in_onnx="Pass a sampling_ratio of 1 or more, which takes equally many samples everywhere.",
)
torch.fx.wrap("roi_align_rotated")  # one node where torch.fx records the module


class RoIAlignRotated(nn.Module):
    """``roi_align_rotated`` as a module, with Detectron2's constructor."""

    def __init__(
        self, output_size: int | Sequence[int], spatial_scale: float, sampling_ratio: int
    ) -> None:
        super().__init__()
        check_output_size(output_size)
        check_spatial_scale(spatial_scale)
        check_sampling_ratio(sampling_ratio)
        self.output_size = output_size
        self.spatial_scale = spatial_scale
        self.sampling_ratio = sampling_ratio

    def forward(
        self,
        input: Float[Tensor, "N C H W"],
        rois: Float[Tensor, "K 6"] | Sequence[Float[Tensor, "_ 5"]],
    ) -> Float[Tensor, "K C PH PW"]:
        """Pool ``rois``; see ``roi_align_rotated``."""
        return roi_align_rotated(
            input, rois, self.output_size, self.spatial_scale, self.sampling_ratio
        )

    def __repr__(self) -> str:
        """Write the settings as torchvision does for its modules."""
        return (
            f"{type(self).__name__}(output_size={self.output_size}, "
            f"spatial_scale={self.spatial_scale}, sampling_ratio={self.sampling_ratio})"
        )
