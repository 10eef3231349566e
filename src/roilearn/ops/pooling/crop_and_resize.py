"""Crop and resize (TensorFlow): one bilinear or nearest reading at each point of a grid on the box.

The corners of the grid lie on the corners of the box; there are no bins and no average. The same
result as the loops of ``roilearn.reference.crop_and_resize``, computed as embedding bags.
"""

from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from roilearn.arguments import (
    check_choice,
    check_features,
    check_flag,
    check_number,
    check_one_device,
    check_output_size,
    check_spatial_scale,
    check_tensor,
)
from roilearn.ops.boxes.rois import as_rois
from roilearn.ops.embedding_bags.bag import Bag
from roilearn.ops.embedding_bags.layout import cells_of, index_dtype
from roilearn.ops.embedding_bags.memory import pool_bags
from roilearn.ops.embedding_bags.planes import AxisCells, GridCells
from roilearn.ops.pooling.quantize import quantize
from roilearn.ops.pooling.roi_align import cells_read, sample_by_sample

CROP_METHODS = ("bilinear", "nearest")


def crop_and_resize(
    input: Float[Tensor, "N C H W"],
    boxes: Float[Tensor, "K 5"] | Sequence[Float[Tensor, "_ 4"]],
    crop_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    method: str = "bilinear",
    extrapolation_value: float = 0.0,
    aligned: bool = False,
    *,
    validate: bool | None = None,
) -> Float[Tensor, "K C PH PW"]:
    """Read the map at a grid of points on each box, from its first to its last corner inclusive.

    Parameters
    ----------
    input : (N, C, H, W) features.
    boxes : (K, 5) tensor of batch index, x1, y1, x2, y2 in image pixels, or a list with one
        (Ki, 4) tensor for each image.
    crop_size : (height, width) of the grid of points, or one number for both. An axis with one
        point reads the middle of the box.
    spatial_scale : cells per image pixel, 1 / stride.
    method : ``"bilinear"``, or ``"nearest"``: the cell nearest to the point, halves upwards.
    extrapolation_value : value of a point that lies beyond the first or last cell's centre.
    aligned : subtract half a cell, which takes continuous coordinates (the centre of cell i at
        i + 0.5) to index coordinates (at i). False, as in TensorFlow: index coordinates are given.
    validate : as in ``roi_align``.

    Returns
    -------
    (K, C, height, width) tensor, of the features' dtype. Differentiable in the features and, with
    the bilinear method, in the boxes, to any order; on a cell's centre with the slope to its right.

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments``; odd boxes: ``roilearn.odd_boxes``. An
        invalid box that is not checked for gives ``extrapolation_value``.

    Source
    ------
    TensorFlow 2.21, ``tf.image.crop_and_resize``, with the same order of arithmetic. It takes boxes
    y1, x1, y2, x2 that run from 0 at the first cell's centre to 1 at the last one's, the indices of
    their images in a separate tensor, and the channels last. For ``image`` (N, H, W, C),
    ``normalised`` (K, 4) and ``box_indices`` (K,)::

        cells = normalised[:, [1, 0, 3, 2]] * torch.tensor([W - 1, H - 1, W - 1, H - 1])
        boxes = torch.cat([box_indices[:, None], cells], dim=1)
        crop_and_resize(image.permute(0, 3, 1, 2), boxes, crop_size)  # (K, C, height, width)

    Differs from
    ------------
    TensorFlow 2.21: the nearest method gives boxes no gradient; there they get the bilinear one.
    On a cell's centre the slope is that to the right; there it is 0.

    Examples
    --------
    TensorFlow's box from 0.2 to 0.6 on a map of 5 x 5 cells, from 0.8 to 2.4 in cells:

    >>> ramp = torch.arange(25.0).reshape(1, 1, 5, 5)
    >>> crop_and_resize(ramp, torch.tensor([[0, 0.8, 0.8, 2.4, 2.4]]), (2, 4))[0, 0]
    tensor([[ 4.8000,  5.3333,  5.8667,  6.4000],
            [12.8000, 13.3333, 13.8667, 14.4000]])
    """
    check_choice("method", method, CROP_METHODS)
    outside = check_number("extrapolation_value", extrapolation_value)
    points = check_output_size(crop_size, "crop_size")
    scale = check_spatial_scale(spatial_scale)
    check_flag("aligned", aligned)
    check_tensor("input", input)
    check_features(input)
    check_one_device(input=input, boxes=boxes)
    rois = as_rois(boxes, input.shape[0], input.dtype, validate=validate)
    corners = rois[:, 1:] * scale - (0.5 if aligned else 0.0)
    corners = torch.cat([rois[:, :1], corners], 1)  # [K, 5]
    size = (input.shape[2], input.shape[3])
    index = index_dtype(cells_of([input]))
    make_bag = partial(point_bag, points=points, size=size, method=method, index=index)
    entries = corners.new_full(corners.shape[:1], 4 * points[0] * points[1])
    read = pool_bags(make_bag, [input], corners, entries, points)
    return torch.where(inside_map(corners, points, size)[:, None], read, outside)


def point_bag(
    corners: Float[Tensor, "K 5"],
    points: tuple[int, int],
    size: tuple[int, int],
    method: str,
    index: torch.dtype = torch.int32,
) -> Bag:
    """List the cells that each point reads: K * PH * PW bags.

    Parameters
    ----------
    corners : image, left, top, right, bottom of each box, in cells, index coordinates.
    size : (height, width) of the map.
    index : dtype that numbers the cells.
    """
    origin = corners[:, 0].to(index)[:, None, None] * (size[0] * size[1])
    rows, columns = (
        torch.where(inside(position, cells), to_read(position, method), torch.nan)[..., None]
        for position, cells in zip(box_points(corners, points), size, strict=True)
    )  # a point at NaN reads no cell
    axes = zip((rows, columns), size, strict=True)
    cells = (AxisCells(*cells_read(*axis)) for axis in axes)
    return sample_by_sample(GridCells(origin, size[1], *cells))


def box_points(
    corners: Float[Tensor, "K 5"], points: tuple[int, int]
) -> tuple[Float[Tensor, "K PH"], Float[Tensor, "K PW"]]:
    """Index positions of the grid points of each box: rows and columns."""
    _, left, top, right, bottom = corners.unbind(1)
    return crop_positions(top, bottom, points[0]), crop_positions(left, right, points[1])


def crop_positions(
    start: Float[Tensor, " K"], stop: Float[Tensor, " K"], points: int
) -> Float[Tensor, "K points"]:
    """Equally spaced positions along one axis from ``start`` to ``stop``; one alone in the middle.

    Examples
    --------
    >>> crop_positions(torch.tensor([2.0]), torch.tensor([5.0]), 4)
    tensor([[2., 3., 4., 5.]])
    """
    if points == 1:
        return ((start + stop) / 2)[:, None]
    step = (stop - start) / (points - 1)
    i = torch.arange(points, dtype=start.dtype, device=start.device)
    return start[:, None] + i * step[:, None]


def to_read(position: Float[Tensor, "*P"], method: str) -> Float[Tensor, "*P"]:
    """Position that is read along one axis: the point itself, or the nearest cell."""
    return position if method == "bilinear" else quantize(position.detach(), "half_away")


def inside(position: Float[Tensor, "*P"], cells: int) -> Bool[Tensor, "*P"]:
    """Whether each position lies between the centres of the first and the last cell, inclusive."""
    return (position >= 0) & (position <= cells - 1)


def inside_map(
    corners: Float[Tensor, "K 5"], points: tuple[int, int], size: tuple[int, int]
) -> Bool[Tensor, "K PH PW"]:
    """Whether each point lies on the map, which ends at the centres of its outermost cells."""
    rows, columns = (
        inside(position, cells)
        for position, cells in zip(box_points(corners.detach(), points), size, strict=True)
    )
    return rows[:, :, None] & columns[:, None, :]
