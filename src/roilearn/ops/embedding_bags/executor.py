"""The executor: layouts, blocks and threads of a weighted sum, which end here.

An operator says what each bin reads, as bags; where they come from and where their sums go stands
in a list of ``Sums``. There are three ways to do the work. By channels: all bags are listed, and
each thread sums them over some channels, whose table it makes itself. By boxes: the table of all
channels is made first, and each thread lists some of the bags and sums them. By cells, where few of
many are read: all bags are listed, and each table holds the cells alone that they read.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float, Integer, Num
from torch import Tensor

from roilearn.ops.embedding_bags.bag import Bag, sum_bags
from roilearn.ops.embedding_bags.layout import (
    BLOCK_SIZE,
    SMALL_TABLE,
    blocks,
    cells_of,
    channel_groups,
    fill_table,
    read_cells,
    reads_few_cells,
    shared_table,
    sum_dtype,
    whole_table,
    write_rows,
)
from roilearn.ops.embedding_bags.threads import Team, thread_team
from roilearn.ops.tracing import may_read_values

MAX_ENTRIES = 2**22
"""Entries of bags that are kept until they are summed, with 8 bytes each."""


class Sums(NamedTuple):
    """Bags, or a function that lists them when they are needed, and the place of their sums."""

    bags: Bag | Callable[[], Bag]
    place: Num[Tensor, "K C cells"]

    def list_bags(self) -> Bag:
        """Return the bags, and list them before if need be."""
        return self.bags if isinstance(self.bags, Bag) else self.bags()


def write_sums(
    maps: Sequence[Float[Tensor, "_ C _ _"]],
    sums: Sequence[Sums],
    team: Team,
    entries: float,
) -> None:
    """Write the sum of each bag over the cells of the maps to its place.

    Parameters
    ----------
    maps : their cells are numbered consecutively, the second map's after the first's.
    sums : a bag for each cell of each place.
    team : the threads.
    entries : approximate number of entries of all bags together. Up to ``MAX_ENTRIES`` there is
        memory to list them all.
    """
    groups = channel_groups(maps, team.threads)
    if reads_few_cells(maps, entries):
        if entries * maps[0].shape[1] < SMALL_TABLE:
            groups = [slice(0, maps[0].shape[1])]
        read = [_cells_read(each) for each in list_all(sums, team)]
        team.run([partial(_sum_read, maps, group, read) for group in groups])
    elif len(groups) > 1 and entries <= MAX_ENTRIES:
        use_tables(maps, groups, team, partial(_sum_channels, sums=list_all(sums, team)))
    else:
        table = shared_table(maps, team)
        team.run([partial(_sum_listed, table, each) for each in sums])


def write_weighted_sums(
    maps: Sequence[Float[Tensor, "_ C _ _"]],
    bag: Bag,
    outputs: Sequence[Float[Tensor, "_ C _ _"]],
) -> None:
    """Write the sum of each bag to its place in ``outputs``; autograd does not record this."""
    if not may_read_values(maps[0]):  # reading the offsets would break a graph that is traced
        _write_at_once(maps, bag, outputs)
        return
    with thread_team(*maps, *bag) as team:
        bags = _bags_of_each(bag, [output[:, 0].numel() for output in outputs])
        sums = [
            Sums(some, there)
            for part, output in zip(bags, outputs, strict=True)
            for some, there in cut_sums(part, output.flatten(2))
        ]
        write_sums(maps, sums, team, bag.index.numel())


def _write_at_once(
    maps: Sequence[Float[Tensor, "_ C _ _"]], bag: Bag, outputs: Sequence[Float[Tensor, "_ C _ _"]]
) -> None:
    """``write_weighted_sums`` without reading a value."""
    weight = bag.weight.to(sum_dtype(maps))
    sums = sum_bags(whole_table(maps), Bag(bag.index, weight, bag.offsets))
    cells = [output[:, 0].numel() for output in outputs]
    parts = [sums] if len(outputs) == 1 else sums.split(cells)
    for output, part in zip(outputs, parts, strict=True):
        write_rows(part, output.flatten(2))


def _bags_of_each(bag: Bag, numbers: Sequence[int]) -> list[Bag]:
    """Divide a list of bags into lists of ``numbers`` bags."""
    if len(numbers) == 1:
        return [bag]
    parts, last = [], bag.index.numel()
    for offsets in reversed(bag.offsets.split(list(numbers))):
        first = int(offsets[0]) if len(offsets) else last
        entries = slice(first, last)
        parts.append(Bag(bag.index[entries], bag.weight[entries], offsets - first))
        last = first
    return parts[::-1]


def list_all(sums: Sequence[Sums], team: Team) -> list[Sums]:
    """List the bags of all sums, those that are not listed yet by all threads."""
    waiting = [each for each in sums if not isinstance(each.bags, Bag)]
    listed = iter(team.run([each.list_bags for each in waiting]))
    return [each if isinstance(each.bags, Bag) else Sums(next(listed), each.place) for each in sums]


def cut_sums(bag: Bag, place: Num[Tensor, "K C cells"]) -> Iterator[tuple[Bag, Tensor]]:
    """Cut bags, and the place of their sums, into blocks: (some bags, their place)."""
    if not place.numel():
        return
    if place.numel() <= BLOCK_SIZE:
        yield bag, place
        return
    maps, channels, cells = place.shape
    parts = list(blocks(channels, maps, cells))
    starts = torch.tensor([part.rows.start for part in parts], dtype=torch.int64)
    first = bag.offsets[starts].tolist()
    for part, start, stop in zip(parts, first, [*first[1:], None], strict=False):
        entries, offsets = slice(start, stop), bag.offsets[part.rows] - start
        some = Bag(bag.index[entries], bag.weight[entries], offsets)
        yield some, place[part.maps, :, part.cells]


def use_tables(
    maps: Sequence[Float[Tensor, "_ C _ _"]],
    groups: Sequence[slice],
    team: Team,
    use: Callable[[Float[Tensor, "rows c"], slice], None],
) -> None:
    """Make a table of each group of channels, and call ``use(table, channels)`` in its thread.

    A thread uses the same memory for all its tables.
    """
    rows, dtype = cells_of(maps), sum_dtype(maps)
    size = rows * (groups[0].stop - groups[0].start)
    threads = min(team.threads, len(groups))
    unused = [maps[0].new_empty(size, dtype=dtype) for _ in range(threads)]

    def fill_and_use(channels: slice) -> None:
        memory = unused.pop()
        table = memory[: rows * (channels.stop - channels.start)].view(rows, -1)
        fill_table(table, maps, channels)
        use(table, channels)
        unused.append(memory)

    team.run([partial(fill_and_use, channels) for channels in groups])


def _sum_channels(
    table: Float[Tensor, "rows c"],
    channels: slice,
    sums: Sequence[Sums],
) -> None:
    """Write the sums of all bags, over some channels."""
    for each in sums:
        _write(table, each.list_bags(), each.place[:, channels])


def _sum_listed(table: Float[Tensor, "rows C"], sums: Sums) -> None:
    """List some bags, and write their sums."""
    _write(table, sums.list_bags(), sums.place)


def _cells_read(sums: Sums) -> tuple[Integer[Tensor, " cells"], Sums]:
    """Cells that some bags read, each once, and bags that read the table of these cells alone."""
    index, weight, offsets = sums.list_bags()
    cells, row = index.unique(return_inverse=True)
    return cells, Sums(Bag(row.to(offsets.dtype), weight, offsets), sums.place)


def _sum_read(
    maps: Sequence[Float[Tensor, "_ C _ _"]],
    channels: slice,
    read: Sequence[tuple[Integer[Tensor, " cells"], Sums]],
) -> None:
    """Write the sums of all bags, over some channels of the cells that they read."""
    for cells, sums in read:
        _write(read_cells(maps, cells, channels), sums.list_bags(), sums.place[:, channels])


def _write(table: Float[Tensor, "rows c"], bag: Bag, place: Num[Tensor, "K c cells"]) -> None:
    """Write the sums of listed bags to their place, a block at a time."""
    bag = Bag(bag.index, bag.weight.to(table.dtype), bag.offsets)
    for some, there in cut_sums(bag, place):
        write_rows(sum_bags(table, some), there)
