"""Memory layout: feature maps as tables of cells and back, in blocks that fit a processor's cache.

PyTorch stores features as (N, C, H, W): the C channels of one cell lie far apart. Code that reads
single cells wants them side by side, as one row of a table. Moving memory takes longer than the
arithmetic here, so the whole table is never written. Some channels become a table, some of its rows
are summed, the sums are written to their place, and the same memory is used for the next ones.

Several maps, the levels of a pyramid, make one table: the cells of the second come after those of
the first.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import torch
from jaxtyping import Float, Num
from torch import Tensor

from roilearn.ops.tracing import is_tracing, may_read_values

TABLE_SIZE = 2**22
"""Numbers in a table of some channels: 16 MB of float32, which fit the last-level cache."""
BLOCK_SIZE = 2**18
"""Numbers that are gathered, or summed and written, at once: 1 MB, for the cache of one core."""


def cell_table(features: Float[Tensor, "N C H W"]) -> Float[Tensor, "rows C"]:
    """Features as a table: row (n * H + y) * W + x holds the channels of cell (y, x) of image n."""
    # Without contiguous() one image would give a strided view, which embedding_bag reads slowly.
    return features.permute(0, 2, 3, 1).contiguous().flatten(0, 2)


def whole_table(maps: Sequence[Float[Tensor, "_ C _ _"]]) -> Float[Tensor, "rows C"]:
    """Tables of all maps, one below the other, in ``sum_dtype``."""
    parts = [cell_table(m).to(sum_dtype(maps)) for m in maps]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def index_dtype(cells: int) -> torch.dtype:
    """Whole numbers for rows of a table of so many cells: int32 while it holds them, for speed.

    In a traced graph the number of cells may be a symbol, so that it may not be compared.
    """
    return torch.int64 if is_tracing() or cells >= 2**31 else torch.int32


def cells_of(maps: Sequence[Tensor]) -> int:
    """Count the cells of all maps: the rows of their table."""
    return sum(each.shape[0] * each.shape[2] * each.shape[3] for each in maps)


def sum_dtype(maps: Sequence[Tensor]) -> torch.dtype:
    """Dtype in which cells are weighted and added up: that of the maps, or float32 for halves.

    In bfloat16 the weights of a bin would be rounded, and sum to 0.996 or 1.004.
    """
    return torch.promote_types(maps[0].dtype, torch.float32)


def as_single_map(maps: Sequence[Float[Tensor, "_ C _ _"]]) -> Float[Tensor, "_ C _ _"]:
    """Several maps as one map of height 1, which holds the cells of them all."""
    return maps[0] if len(maps) == 1 else whole_table(maps).T[None, :, None]


def is_channels_last(features: Float[Tensor, "N C H W"]) -> bool:
    """Whether the features are in channels-last format: their table is a view of them."""
    return features.is_contiguous(memory_format=torch.channels_last)


def memory_format_of(features: Float[Tensor, "N C H W"]) -> torch.memory_format:
    """Memory format of the features: channels last, or else contiguous."""
    by_cell = is_channels_last(features) and not features.is_contiguous()
    return torch.channels_last if by_cell else torch.contiguous_format


def channels_at_once(maps: Sequence[Float[Tensor, "_ C _ _"]]) -> int:
    """Count the channels in one of the ``tables`` of the maps."""
    channels, numbers = maps[0].shape[1], sum(m.numel() for m in maps)
    in_place = len(maps) == 1 and is_channels_last(maps[0])
    if in_place or not may_read_values(maps[0]) or numbers <= TABLE_SIZE:
        return channels
    parts = -(-numbers // TABLE_SIZE)  # rounded up
    return -(-channels // parts)


def tables(
    maps: Sequence[Float[Tensor, "_ C _ _"]],
) -> Iterator[tuple[slice, Float[Tensor, "rows c"]]]:
    """Yield tables of some channels each, in the same memory: (channels, table).

    Tables are of ``sum_dtype``. A single map in channels-last format is one table, which is not
    copied if it is of this dtype.
    """
    each, channels, dtype = channels_at_once(maps), maps[0].shape[1], sum_dtype(maps)
    if each == channels:
        yield slice(0, channels), whole_table(maps)
        return
    sizes = [m[:, 0].numel() for m in maps]
    memory = maps[0].new_empty(sum(sizes) * each, dtype=dtype)
    for first in range(0, channels, each):
        width = min(each, channels - first)
        table = memory[: sum(sizes) * width].view(-1, width)
        for m, rows in zip(maps, table.split(sizes), strict=True):
            some = m[:, first : first + width].permute(0, 2, 3, 1)  # [N, H, W, c]
            rows.view(some.shape).copy_(some)
        yield slice(first, first + width), table


class Block(NamedTuple):
    """Some whole maps, or some cells of one map, and the rows of the table that go there."""

    maps: slice
    cells: slice
    rows: slice


def blocks(table: Float[Tensor, "rows c"], maps: int, cells: int) -> Iterator[Block]:
    """Divide ``maps`` maps of ``cells`` cells into blocks of at most ``BLOCK_SIZE`` numbers."""
    if not may_read_values(table):  # their number may be a symbol: one block
        yield Block(slice(None), slice(None), slice(None))
        return
    at_once = max(BLOCK_SIZE // table.shape[1], 1)
    whole, part = max(at_once // cells, 1), min(at_once, cells)
    for k, cell in product(range(0, maps, whole), range(0, cells, part)):
        last, stop = min(k + whole, maps), min(cell + part, cells)
        rows = slice(k * cells + cell, (last - 1) * cells + stop)
        yield Block(slice(k, last), slice(cell, stop), rows)


def write_rows(rows: Num[Tensor, "n c"], maps: Num[Tensor, "K c cells"]) -> None:
    """Write rows, one for each cell of each map, to their places in ``maps``.

    A column of a table is read quickly only if its rows lie in different sets of the cache. Rows
    of 512 or 1024 channels share a few sets and evict each other, so they are first copied to
    rows that are 64 bytes longer.
    """
    channels = rows.shape[1]
    by_map = maps.stride(2) == 1
    if by_map and channels * rows.element_size() % 2048 == 0:
        spaced = rows.new_empty(rows.shape[0], channels + 64 // rows.element_size())
        rows = spaced[:, :channels].copy_(rows)
    maps.copy_(rows.unflatten(0, (maps.shape[0], maps.shape[2])).transpose(1, 2))
