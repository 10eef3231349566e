"""Few channels: samples are gathered from the plane of each channel, and weighted axis by axis.

A bag pays for the list of its cells once for all channels. With fewer than ``FEW_CHANNELS`` the
list takes longer than the sums. Here nothing is listed that is a product of rows and columns but
the numbers of the cells. The boxes stand last in all tensors, so that each operation runs along
many boxes at once.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Integer, Num
from torch import Tensor

from roilearn.ops.embedding_bags.layout import sum_dtype

FEW_CHANNELS = 8
"""Channels from which on bags take less time than planes."""
PLANE_ENTRIES = 2**17
"""Pairs of a row and a column that a thread lists at one time, with 8 bytes each."""


class AxisCells(NamedTuple):
    """The cells that each bin of each box reads along one axis, and their weights."""

    cell: Integer[Tensor, "K bins n"]
    weight: Float[Tensor, "K bins n"]


class GridCells(NamedTuple):
    """The cells that each bin of each box reads: all pairs of its rows and its columns."""

    origin: Integer[Tensor, "K ..."]  # first cell of the map of each box, or of each bin
    width: int | Integer[Tensor, "K 1 1"]  # of the map, in cells
    rows: AxisCells
    columns: AxisCells


def channel_planes(maps: Sequence[Float[Tensor, "_ C _ _"]]) -> Float[Tensor, "C rows"]:
    """Planes of all channels: the transpose of ``whole_table``, a view of a single image."""
    parts = [m.transpose(0, 1).flatten(1).to(sum_dtype(maps)) for m in maps]
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


def write_plane_sums(
    planes: Float[Tensor, "C rows"],
    list_cells: Callable[[], GridCells],
    place: Num[Tensor, "K C cells"],
) -> None:
    """Write the weighted sum of each bin of some boxes to its place."""
    origin, width, rows, columns = list_cells()
    down = (rows.cell.to(origin.dtype) * width).movedim(0, -1).contiguous()  # [PH, n, K]
    across = columns.cell.to(origin.dtype).movedim(0, -1).contiguous()  # [PW, n, K]
    first = origin.movedim(0, -1)[:, None, :, None].contiguous()  # [1 or PH, 1, 1 or PW, 1, K]
    cell = (down[:, :, None, None] + first) + across  # [PH, n, PW, n, K]
    row_weight, column_weight = (
        axis.weight.movedim(0, -1).to(planes.dtype).contiguous() for axis in (rows, columns)
    )
    for plane, there in zip(planes, place.unbind(1), strict=True):
        values = plane.index_select(0, cell.flatten()).view(cell.shape)
        values = _weighted_sum(values, column_weight, 3)  # [PH, n, PW, K]
        values = _weighted_sum(values, row_weight[:, :, None], 1)  # [PH, PW, K]
        there.copy_(values.flatten(0, 1).T)


def _weighted_sum(values: Tensor, weight: Tensor, axis: int) -> Tensor:
    """Sum along an axis of ``values``, by the weights along the second axis of ``weight``.

    One product after the other: the order in which ``sum`` adds depends on the number of boxes.
    """
    products = zip(values.unbind(axis), weight.unbind(1), strict=True)
    return sum((value * share for value, share in products), start=values.new_zeros(()))
