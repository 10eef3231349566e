"""Maps as tables of cells, and tables as maps, in parts that stay in a cache.

PyTorch keeps features map by map, (N, C, H, W): the C channels of one cell lie far apart. What
reads single cells wants them side by side, as the row of a table. Moving memory takes longer than
the arithmetic here, so a whole table is never written: some channels become a table, some of its
rows become results, those go to their place, and the same memory serves the next.
"""

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

import torch
from jaxtyping import Float, Num
from torch import Tensor

from roilearn.ops.eager import reads_values

TABLE = 2**22
"""Numbers in a table of some channels: 16 MB of float32, which a processor's last cache holds."""
BLOCK = 2**18
"""Numbers that are gathered, or summed and laid out, at once: 1 MB, for the cache of one core."""


def cell_table(features: Float[Tensor, "N C H W"]) -> Float[Tensor, "rows C"]:
    """Features as a table: row (n * H + y) * W + x holds the channels of cell (y, x) of image n."""
    # Without contiguous() one image gives a strided view, which embedding_bag reads slowly.
    return features.permute(0, 2, 3, 1).contiguous().flatten(0, 2)


def channels_at_once(features: Float[Tensor, "N C H W"]) -> int:
    """How many channels of the features make up one of their ``tables``."""
    in_place = features.is_contiguous(memory_format=torch.channels_last)
    if in_place or features.numel() <= TABLE or not reads_values(features):
        return features.shape[1]
    parts = -(-features.numel() // TABLE)  # rounded up
    return -(-features.shape[1] // parts)


def tables(features: Float[Tensor, "N C H W"]) -> Iterator[tuple[slice, Float[Tensor, "rows c"]]]:
    """Tables of some channels each, one after the other in the same memory: (channels, table).

    Features that are in memory cell by cell already (channels last) are one table, not copied.
    """
    images, channels, height, width = features.shape
    each = channels_at_once(features)
    if each == channels:
        yield slice(0, channels), cell_table(features)
        return
    memory = features.new_empty(images * height * width * each)
    for first in range(0, channels, each):
        some = features[:, first : first + each].permute(0, 2, 3, 1)  # [N, H, W, c]
        table = memory[: some.numel()].view(some.shape).copy_(some)
        yield slice(first, first + each), table.flatten(0, 2)


class Block(NamedTuple):
    """Some whole maps, or some cells of one map, and the rows of the table that go there."""

    maps: slice
    cells: slice
    rows: slice


def blocks(table: Float[Tensor, "rows c"], maps: int, cells: int) -> Iterator[Block]:
    """Cut ``maps`` maps of ``cells`` cells, as wide as ``table``, into parts of one ``BLOCK``."""
    if not reads_values(table):  # their number may be a symbol: one block
        yield Block(slice(None), slice(None), slice(None))
        return
    at_once = max(BLOCK // table.shape[1], 1)
    whole, part = max(at_once // cells, 1), min(at_once, cells)
    for k, cell in product(range(0, maps, whole), range(0, cells, part)):
        last, stop = min(k + whole, maps), min(cell + part, cells)
        rows = slice(k * cells + cell, (last - 1) * cells + stop)
        yield Block(slice(k, last), slice(cell, stop), rows)


def lay_out(rows: Num[Tensor, "n c"], maps: Num[Tensor, "K c cells"]) -> None:
    """Write rows, one for each cell of each map, into their places in ``maps``.

    A column of a table is read quickly only if its rows lie in different sets of the cache. Rows
    of 512 or 1024 channels share a few sets and push each other out, so they are first copied to
    64 bytes more than their length apart.
    """
    channels = rows.shape[1]
    if channels * rows.element_size() % 2048 == 0:
        spaced = rows.new_empty(rows.shape[0], channels + 64 // rows.element_size())
        rows = spaced[:, :channels].copy_(rows)
    maps.copy_(rows.unflatten(0, (maps.shape[0], -1)).transpose(1, 2))
