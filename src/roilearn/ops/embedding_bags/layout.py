"""Memory layout: feature maps as tables of cells and back, in blocks that fit a processor's cache.

PyTorch stores features as (N, C, H, W): the C channels of one cell lie far apart. Code that reads
single cells wants them side by side, as one row of a table. Moving memory takes longer than the
arithmetic here, so the whole table is written only where the channels are few, or the bags too many
to be kept. Otherwise each thread makes a table of some channels, sums bags of its rows, writes the
sums to their place, and uses the same memory for the next channels. Where few cells of large maps
are read, the table holds these cells alone.

Several maps, the levels of a pyramid, make one table: the cells of the second come after those of
the first.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product
from typing import NamedTuple

import torch
from jaxtyping import Float, Integer, Num
from torch import Tensor

from roilearn.ops.embedding_bags.threads import Team
from roilearn.ops.tracing import is_tracing

Grid = tuple[int, int, int]
"""Number of maps, rows and columns of an (N, C, H, W) tensor: its shape without channels."""
FEWEST_CHANNELS, MOST_CHANNELS = 32, 64
"""Channels in a table that one thread makes and reads: fewer, or more, take longer in all."""
SMALL_TABLE = 2**18
"""Numbers up to which a table is made by one thread: it takes less time than to start another."""
ENTRY_COST = 4
"""Reading an entry's cell where it lies takes as long as writing so many cells into a table."""
BLOCK_SIZE = 2**18
"""Numbers that are gathered, or summed and written, at once: 1 MB, for the cache of one core."""


def allocate_output(like: Tensor, shape: Grid, layout: torch.memory_format) -> Tensor:
    """Allocate memory for a (K, C, PH, PW) output."""
    size = (shape[0], like.shape[1], *shape[1:])
    return torch.empty(size, dtype=like.dtype, device=like.device, memory_format=layout)


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


def channel_groups(maps: Sequence[Float[Tensor, "_ C _ _"]], threads: int) -> list[slice]:
    """Divide the channels into groups, whose tables different threads make and read.

    There is one group of all channels where these, or the cells, are too few for all threads, and
    where the table of a single map is a view of it.
    """
    channels, numbers = maps[0].shape[1], sum(m.numel() for m in maps)
    each = channels // (4 * threads) // FEWEST_CHANNELS * FEWEST_CHANNELS
    each = min(max(each, FEWEST_CHANNELS), MOST_CHANNELS)
    few = channels < 2 * threads * each or numbers < SMALL_TABLE
    if few or (len(maps) == 1 and is_channels_last(maps[0])):
        return [slice(0, channels)]
    return [slice(first, min(first + each, channels)) for first in range(0, channels, each)]


def fill_table(
    table: Float[Tensor, "rows c"], maps: Sequence[Float[Tensor, "_ C _ _"]], channels: slice
) -> None:
    """Write some channels of the maps into a table."""
    sizes = [cells_of([m]) for m in maps]
    for m, rows in zip(maps, table.split_with_sizes(sizes), strict=True):
        some = m[:, channels].permute(0, 2, 3, 1)  # [N, H, W, c]
        rows.view(some.shape).copy_(some)


def reads_few_cells(maps: Sequence[Float[Tensor, "_ C _ _"]], entries: float) -> bool:
    """Whether so few cells are read that a table of all would take longer than reading each."""
    few = ENTRY_COST * entries <= cells_of(maps)
    return few and sum(m.numel() for m in maps) >= SMALL_TABLE and not is_table(maps)


def read_cells(
    maps: Sequence[Float[Tensor, "_ C _ _"]], index: Integer[Tensor, " n"], channels: slice
) -> Float[Tensor, "n c"]:
    """Rows of ``whole_table``, some channels of them; the others are not read."""
    dtype = sum_dtype(maps)
    if len(maps) == 1:
        return _read_cells_of(maps[0], index, channels).to(dtype)
    rows = maps[0].new_empty(len(index), channels.stop - channels.start, dtype=dtype)
    first = 0
    for m in maps:
        own = ((index >= first) & (index < first + cells_of([m]))).nonzero()[:, 0]
        rows.index_copy_(0, own, _read_cells_of(m, index[own] - first, channels).to(dtype))
        first += cells_of([m])
    return rows


def _read_cells_of(
    features: Float[Tensor, "N C H W"], index: Integer[Tensor, " n"], channels: slice
) -> Float[Tensor, "n c"]:
    """Read some channels of some cells of one map, channel after channel, from its memory."""
    height, width = features.shape[2:]
    index = index.long()
    at = (index // (height * width), index // width % height, index % width)  # image, row, column
    steps = features.stride()
    cell = at[0] * steps[0] + at[1] * steps[2] + at[2] * steps[3]  # [n]
    channel = torch.arange(channels.start, channels.stop, device=index.device) * steps[1]  # [c]
    length = 1 + sum((size - 1) * step for size, step in zip(features.shape, steps, strict=True))
    memory = features.as_strided((length,), (1,))
    rows = memory.index_select(0, (channel[:, None] + cell).flatten())
    return rows.view(len(channel), len(cell)).T.contiguous()


def is_table(maps: Sequence[Float[Tensor, "_ C _ _"]]) -> bool:
    """Whether the maps are a single one, whose table is a view of it."""
    return len(maps) == 1 and is_channels_last(maps[0]) and maps[0].dtype == sum_dtype(maps)


def shared_table(maps: Sequence[Float[Tensor, "_ C _ _"]], team: Team) -> Float[Tensor, "rows C"]:
    """``whole_table``, made by all threads; of a map in channels-last format it is a view."""
    if is_table(maps):
        return cell_table(maps[0])
    channels = maps[0].shape[1]
    table = maps[0].new_empty(cells_of(maps), channels, dtype=sum_dtype(maps))
    each = channels if table.numel() < SMALL_TABLE else MOST_CHANNELS
    groups = [slice(first, first + each) for first in range(0, channels, max(each, 1))]
    team.run([partial(fill_table, table[:, group], maps, group) for group in groups])
    return table


class Block(NamedTuple):
    """Some whole maps, or some cells of one map, and the rows of the table that go there."""

    maps: slice
    cells: slice
    rows: slice


def blocks(channels: int, maps: int, cells: int) -> Iterator[Block]:
    """Divide ``maps`` maps of ``cells`` cells into blocks of at most ``BLOCK_SIZE`` numbers."""
    at_once = max(BLOCK_SIZE // max(channels, 1), 1)
    whole, part = max(at_once // max(cells, 1), 1), min(at_once, cells)
    for k, cell in product(range(0, maps, whole), range(0, cells, max(part, 1))):
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
    maps.copy_(rows.view(maps.shape[0], maps.shape[2], channels).transpose(1, 2))
