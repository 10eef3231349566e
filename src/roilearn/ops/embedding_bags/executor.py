"""The executor: layouts, blocks and threads of a weighted sum, which end here.

An operator says what each bin reads, as bags; where they come from and where their sums go stands
in a list of ``Sums``. There are two ways to divide the work. By channels: all bags are listed, and
each thread sums them over some channels, whose table it makes itself. By boxes: the table of all
channels is made first, and each thread lists some of the bags and sums them.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float, Num
from torch import Tensor

from roilearn.ops.embedding_bags.bag import Bag, sum_bags
from roilearn.ops.embedding_bags.layout import (
    blocks,
    cells_of,
    channel_groups,
    fill_table,
    shared_table,
    sum_dtype,
    write_rows,
)
from roilearn.ops.embedding_bags.threads import Team


class Sums(NamedTuple):
    """Some bags, which are listed when they are needed, and the place of their sums."""

    list_bags: Callable[[], Bag]
    place: Num[Tensor, "K C cells"]


def write_sums(
    maps: Sequence[Float[Tensor, "_ C _ _"]],
    sums: Sequence[Sums],
    team: Team,
    *,
    keep_bags: bool = True,
) -> None:
    """Write the sum of each bag over the cells of the maps to its place.

    Parameters
    ----------
    maps : their cells are numbered consecutively, the second map's after the first's.
    sums : a bag for each cell of each place.
    team : the threads.
    keep_bags : whether there is memory for all bags at a time, as the way by channels needs it.
    """
    groups = channel_groups(maps, team.threads)
    if len(groups) > 1 and keep_bags:
        bags = team.run([each.list_bags for each in sums])
        listed = [(bag, each.place) for bag, each in zip(bags, sums, strict=True)]
        use_tables(maps, groups, team, partial(_sum_channels, listed=listed))
    else:
        table = shared_table(maps, team)
        team.run([partial(_sum_listed, table, each) for each in sums])


def cut_sums(bag: Bag, place: Num[Tensor, "K C cells"]) -> Iterator[tuple[Bag, Tensor]]:
    """Cut bags, and the place of their sums, into blocks: (some bags, their place)."""
    maps, channels, cells = place.shape
    parts = list(blocks(channels, maps, cells))
    if len(parts) == 1:
        yield bag, place
        return
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
    listed: Sequence[tuple[Bag, Num[Tensor, "K C cells"]]],
) -> None:
    """Write the sums of all bags, over some channels."""
    for bag, place in listed:
        _write(table, bag, place[:, channels])


def _sum_listed(table: Float[Tensor, "rows C"], sums: Sums) -> None:
    """List some bags, and write their sums."""
    _write(table, sums.list_bags(), sums.place)


def _write(table: Float[Tensor, "rows c"], bag: Bag, place: Num[Tensor, "K c cells"]) -> None:
    """Write the sums of listed bags to their place, a block at a time."""
    bag = bag._replace(weight=bag.weight.to(table.dtype))
    for some, there in cut_sums(bag, place):
        write_rows(sum_bags(table, some), there)
