"""The largest of the cells that a bin reads, and which of them it was."""

from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Float, Int32, Int64
from torch import Tensor
from torch.autograd import Function

from roilearn.ops.embedding_bags.layout import (
    BLOCK_SIZE,
    blocks,
    channels_at_once,
    tables,
    write_rows,
)


def max_pool_bins(
    features: Float[Tensor, "N C H W"],
    image: Int32[Tensor, " K"],
    first: Int32[Tensor, " bins"],
    wide: Int32[Tensor, " bins"],
    area: Int32[Tensor, " bins"],
    shape: tuple[int, int, int],
) -> Float[Tensor, "K C PH PW"]:
    """Largest value of each channel among the cells of each bin; 0 for a bin without cells.

    Parameters
    ----------
    features : (N, C, H, W), read as a table with a row for each cell of each image, in reading
        order, and a column for each channel.
    image : the image that each box lies in.
    first : row of the table that holds the first cell of each bin.
    wide, area : columns of each bin, and cells.
    shape : boxes, and rows and columns of their grids; bins are listed in this order.

    Returns
    -------
    (K, C, height, width) tensor, differentiable in the features: a bin pays the first of its
    largest cells. NaN is passed over where there is a number.
    """
    return _MaxPool.apply(features, image, first, wide, area, shape)


class _MaxPool(Function):
    """out[bin] = the largest of the cells that it reads; its gradient goes to the first of them."""

    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        image: Tensor,
        first: Tensor,
        wide: Tensor,
        area: Tensor,
        shape: tuple[int, int, int],
    ) -> Tensor:
        maps, cells = shape[0], shape[1] * shape[2]
        output = features.new_empty(maps, features.shape[1], cells)
        winner = first.new_empty(output.shape) if ctx.needs_input_grad[0] else None
        at_once = max(BLOCK_SIZE // channels_at_once([features]), 1)
        gathers = list(_bins_by_area(first, wide, area, features.shape[3], at_once))
        for channels, table in tables([features]):
            best = table.new_zeros(len(first), table.shape[1])  # [bins, c]
            rows = first.new_full(best.shape, len(table)) if winner is not None else None
            for bins, read in gathers:
                _max_and_argmax(table, bins, read, best, rows)
            for place in blocks(table, maps, cells):
                write_rows(best[place.rows], output[place.maps, channels, place.cells])
                if winner is not None and rows is not None:
                    write_rows(rows[place.rows], winner[place.maps, channels, place.cells])
        ctx.save_for_backward(image, winner)
        ctx.shape = features.shape
        return output.unflatten(2, shape[1:])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        image, winner = ctx.saved_tensors  # [K], [K, C, cells]
        images, channels, height, width = ctx.shape
        area, nobody = height * width, images * channels * height * width
        # From a row of the table, image * area + cell, to (image * C + channel) * area + cell.
        channel = torch.arange(channels, device=image.device)
        further = (image[:, None] * (channels - 1) + channel)[..., None] * area  # [K, C, 1]
        feature_gradient = gradient.new_zeros(nobody + 1)
        at_once = max(BLOCK_SIZE // winner[:1].numel(), 1) if len(winner) else 1
        parts = (tensor.split(at_once) for tensor in (winner, further, gradient))
        for row, offset, arriving in zip(*parts, strict=True):
            place = torch.where(row < images * area, row + offset, nobody)
            feature_gradient.scatter_add_(0, place.flatten(), arriving.flatten())
        return feature_gradient[:-1].view(ctx.shape), None, None, None, None, None


def _max_and_argmax(
    table: Float[Tensor, "rows c"],
    bins: Int64[Tensor, " m"],
    read: Int32[Tensor, "m n"],
    best: Float[Tensor, "bins c"],
    winner: Int32[Tensor, "bins c"] | None,
) -> None:
    """Write the largest of the rows that each of some bins reads, and the first row that has it."""
    values = table.index_select(0, read.flatten()).unflatten(0, read.shape)  # [m, n, c]
    largest = _largest(values)  # [m, c]
    best.index_copy_(0, bins, largest)
    if winner is not None:
        nobody = len(table)
        others = (values != largest[:, None]).int().mul_(nobody)  # 0 for a cell that has it
        first = others.add_(read[..., None]).amin(1).clamp_(max=nobody)
        winner.index_copy_(0, bins, first)


def _bins_by_area(
    first: Tensor, wide: Tensor, area: Tensor, width: int, at_once: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Bins of about the same area, and the cells of each in reading order, a few at a time."""
    order = area.argsort(stable=True)
    order = order[area[order] > 0]
    group = area[order].cumsum(0) // at_once
    for bins in order.split(group.unique_consecutive(return_counts=True)[1].tolist()):
        most = int(area[bins[-1]])
        # The smaller bins of a group read their last cell again: that changes no maximum.
        place = torch.arange(most, device=area.device).minimum(area[bins, None] - 1)  # [m, n]
        down, across = place // wide[bins, None], place % wide[bins, None]
        yield bins, (first[bins, None] + down * width + across).int()


def _largest(values: Float[Tensor, "m n C"]) -> Float[Tensor, "m C"]:
    """Largest along the second axis, passing over NaN where there is a number."""
    best = values.amax(1)
    if not bool(best.amax().isnan()):  # amax hands NaN on
        return best
    numbers = values.nan_to_num(nan=-torch.inf, posinf=torch.inf, neginf=-torch.inf).amax(1)
    return torch.where(values.isnan().all(1), torch.nan, numbers)
