"""Separable bins: bags that are the outer product of a span of rows and a span of columns.

Along one axis a bin reads a *span*: some consecutive cells, each with a weight. The entries of the
bin are all pairs of a row of its first span and a column of its second; the weight of a pair is the
product of the two weights. However many samples read the same few cells, each cell is one entry.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int32, Integer, Num, Shaped
from torch import Tensor

from roilearn.ops.embedding_bags.bag import Bag

Size = int | Integer[Tensor, "K 1 1"]
"""Number of cells along one axis of the map, or of the map that each of K boxes reads."""


class Spans(NamedTuple):
    """The span of each bin of each box, along one axis."""

    first: Int32[Tensor, "K bins"]  # first cell
    count: Int32[Tensor, "K bins"]  # number of cells; 0 makes an empty bag
    weight: Float[Tensor, "K bins most"]  # weights of cells first, first + 1, ...; count are used


def outer_bag(
    image: Integer[Tensor, " K"], rows: Spans, columns: Spans, size: tuple[int, int]
) -> Bag:
    """List one bag for each bin of each box: the outer product of its two spans.

    Parameters
    ----------
    image : index of the image of each of the K boxes, in the dtype that numbers the cells.
    rows, columns : spans of PH and of PW bins.
    size : (height, width) of the map.

    Returns
    -------
    K * PH * PW bags.
    """
    origin = image[:, None, None] * (size[0] * size[1])
    return outer_bag_from(origin, size[1], rows, columns)


def outer_bag_from(
    origin: Integer[Tensor, "K ..."], width: Size, rows: Spans, columns: Spans
) -> Bag:
    """``outer_bag`` where each box, or each bin, reads its own map.

    The products differ in size. They are listed in two steps, without padding: a bag is expanded to
    one run for each row that it reads, and a run is expanded to its cells.

    Parameters
    ----------
    origin : (K, 1, 1) or (K, PH, PW) rows of the table at which the map of each box or bin begins.
    width : width of the map in cells: one number, or (K, 1, 1).
    """
    down = rows.first[:, :, None].to(origin.dtype)
    first = origin + down * width + columns.first[:, None, :]  # [K, PH, PW]
    tall, wide = broadcast_to_bins(rows.count, columns.count)  # [bags]
    row_weights, column_weights = broadcast_to_bins(
        _weight_starts(rows.weight), _weight_starts(columns.weight)
    )

    bag, down = _group_and_member(tall)  # [runs]: which bag, how many rows below its first
    run, across = _group_and_member(
        _select(wide, bag)
    )  # [entries]: which run, how many cells along it
    if isinstance(width, Tensor):
        width = _select(width.expand_as(first).flatten(), bag)  # [runs]
    run_index = _select(first.flatten(), bag) + down.to(first.dtype) * width
    row_weight = _select(rows.weight.flatten(), _select(row_weights, bag) + down)  # [runs]
    column_weight = _select(
        columns.weight.flatten(), _select(_select(column_weights, bag), run) + across
    )
    return Bag(
        index=_select(run_index, run) + across,
        weight=_select(row_weight, run) * column_weight,
        offsets=_exclusive_cumsum(tall * wide).to(first.dtype),
    )


def broadcast_to_bins(down: Int32[Tensor, "K PH"], across: Int32[Tensor, "K PW"]) -> list[Tensor]:
    """Broadcast a number for each row, and one for each column, to all bins: [bags] twice."""
    return [t.flatten() for t in torch.broadcast_tensors(down[:, :, None], across[:, None, :])]


def max_count(counts: Num[Tensor, "*P"]) -> int:
    """Maximum of ``counts``, or 1 if that is larger or there are none: a size to pad to."""
    return max(int(counts.max()), 1) if counts.numel() else 1


def _weight_starts(weight: Float[Tensor, "K bins most"]) -> Int32[Tensor, "K bins"]:
    """Index in ``weight.flatten()`` of the first weight of each span."""
    boxes, bins, most = weight.shape
    numbers = torch.arange(boxes * bins, dtype=torch.int32, device=weight.device)
    return numbers.view(boxes, bins) * most


def _group_and_member(
    counts: Int32[Tensor, " n"],
) -> tuple[Int32[Tensor, " m"], Int32[Tensor, " m"]]:
    """Group and member of each item: counts 2, 3 give groups 0 0 1 1 1, members 0 1 0 1 2."""
    group = torch.repeat_interleave(counts)
    item = torch.arange(len(group), dtype=torch.int32, device=counts.device)
    return group, item - _select(_exclusive_cumsum(counts), group)


def _exclusive_cumsum(counts: Int32[Tensor, " n"]) -> Int32[Tensor, " n"]:
    """Sum of the counts before each group: 2, 3, 1 give 0, 2, 5."""
    return counts.cumsum(0, dtype=torch.int32) - counts


def _select(values: Shaped[Tensor, " n"], index: Int32[Tensor, " m"]) -> Shaped[Tensor, " m"]:
    """``values[index]``, by a faster function."""
    return values.index_select(0, index)
