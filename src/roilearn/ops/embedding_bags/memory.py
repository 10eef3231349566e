"""Memory bound: boxes are pooled in chunks, so that memory does not grow with their number."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
from jaxtyping import Float, Num
from torch import Tensor

from roilearn.ops.embedding_bags.bag import Bag, concatenate_bags
from roilearn.ops.embedding_bags.executor import MAX_ENTRIES, Sums, write_sums, write_weighted_sums
from roilearn.ops.embedding_bags.layout import allocate_output
from roilearn.ops.embedding_bags.outputs import check_out, check_unrecorded, empty_output
from roilearn.ops.embedding_bags.planes import (
    FEW_CHANNELS,
    PLANE_ENTRIES,
    GridCells,
    channel_planes,
    write_plane_sums,
)
from roilearn.ops.embedding_bags.relisted_sum import Lister, relisted_sum
from roilearn.ops.embedding_bags.threads import Team, thread_team
from roilearn.ops.embedding_bags.weighted_sum import weighted_sums
from roilearn.ops.tracing import (
    is_exporting_onnx,
    is_mapping,
    is_tracing,
    may_read_values,
    records_gradients,
)

CHUNK_ENTRIES = 2**15
"""Entries of bags that a thread lists at one time, unless a single box needs more.

An entry takes about 50 bytes while its bag is being listed, so that they fit the cache of a core.
"""
SAVED_ENTRIES = 2**22
"""Entries of bags that are saved for the gradient of the maps. Of more, which would take 8 bytes
each until then and 40 while it is computed, the boxes are saved, unless they have gradients too."""
RELISTED_ENTRIES = 2**20
"""Entries of bags that are listed at one time for that gradient, where the boxes were saved."""


def pool_bags(
    make_bag: Callable[[Float[Tensor, "k R"]], Bag],
    maps: Sequence[Float[Tensor, "_ C _ _"]],
    rois: Float[Tensor, "K R"],
    entries: Num[Tensor, " K"] | int,
    bins: tuple[int, int],
    out: Float[Tensor, "K C PH PW"] | None = None,
    memory_format: torch.memory_format = torch.contiguous_format,
    list_grid: Callable[[Float[Tensor, "k R"]], GridCells] | None = None,
) -> Float[Tensor, "K C PH PW"]:
    """Sum the bags of all boxes, built for a chunk of boxes at a time.

    Parameters
    ----------
    make_bag : builds the bags of some rows of ``rois``.
    maps : the maps that the bags read; one map, or the levels of a pyramid.
    entries : approximate number of entries of each box.
    bins : (PH, PW).
    out, memory_format : as in ``roi_align``.
    list_grid : lists the cells of ``make_bag`` as pairs of rows and columns, if they are such.
    """
    shape = (rois.shape[0], *bins)
    if is_exporting_onnx():  # with a box more: the older exporter cannot reshape tensors of none
        check_unrecorded(out)
        bag = make_bag(torch.cat([rois, rois.new_zeros(1, rois.shape[1])]))
        return weighted_sums(maps, bag, [(0, *bins)], [memory_format])[0][:-1]
    if maps[0].shape[1] == 0:
        return empty_output(maps[0], 0, shape, out)
    if records_gradients(*maps, rois) or is_tracing() or is_mapping():
        check_unrecorded(out)
        if may_list_again(rois, entries):
            lister = Lister(
                partial(_write_sums, make_bag, entries), partial(_list_chunks, make_bag, entries)
            )
            return relisted_sum(maps, rois, lister, shape, memory_format)
        bag = list_bags(make_bag, rois, entries)
        return weighted_sums(maps, bag, [shape], [memory_format])[0]
    if out is None:
        out = allocate_output(maps[0], shape, memory_format)
    else:
        check_out(out, maps[0], (shape[0], maps[0].shape[1], *bins))
    if shape[0] and not may_read_values(rois):
        write_weighted_sums(maps, make_bag(rois), [out])
    elif shape[0]:
        with thread_team(*maps, rois) as team:
            if list_grid is not None and maps[0].shape[1] < FEW_CHANNELS:
                at_once = max(PLANE_ENTRIES // int(entries), 1)
                _sum_planes(list_grid, maps, rois, at_once, out, team)
            else:
                _sum_chunks(make_bag, maps, rois, entries, out, team)
    return out


def _sum_chunks(
    make_bag: Callable[[Float[Tensor, "k R"]], Bag],
    maps: Sequence[Float[Tensor, "_ C _ _"]],
    rois: Float[Tensor, "K R"],
    entries: Num[Tensor, " K"] | int,
    output: Float[Tensor, "K C PH PW"],
    team: Team,
) -> None:
    """Pool boxes by their bags, which are listed for a chunk of boxes at a time."""
    chunks, everything = chunks_of_boxes(rois, entries, CHUNK_ENTRIES)
    places = output.flatten(2).split_with_sizes([len(chunk) for chunk in chunks])
    sums = [
        Sums(partial(make_bag, chunk), place) for chunk, place in zip(chunks, places, strict=True)
    ]
    write_sums(maps, sums, team, everything)


def _sum_planes(
    list_grid: Callable[[Float[Tensor, "k R"]], GridCells],
    maps: Sequence[Float[Tensor, "_ C _ _"]],
    rois: Float[Tensor, "K R"],
    at_once: int,
    output: Float[Tensor, "K C PH PW"],
    team: Team,
) -> None:
    """Pool boxes from the planes of few channels, some boxes at a time."""
    planes = channel_planes(maps)
    chunks = zip(rois.split(at_once), output.flatten(2).split(at_once), strict=True)
    team.run(
        [
            partial(write_plane_sums, planes, partial(list_grid, some), place)
            for some, place in chunks
        ]
    )


def list_bags(
    make_bag: Callable[[Float[Tensor, "k R"]], Bag],
    rois: Float[Tensor, "K R"],
    entries: Num[Tensor, " K"] | int,
) -> Bag:
    """List the bags of all boxes, a chunk of boxes at a time, for a sum that autograd records."""
    if not may_read_values(rois):
        return make_bag(rois)
    with thread_team(rois) as team:
        chunks, _ = chunks_of_boxes(rois, entries, CHUNK_ENTRIES)
        tasks = [partial(make_bag, chunk) for chunk in chunks]
        if records_gradients(rois):  # the weights', which this thread must record
            return concatenate_bags([task() for task in tasks])
        return concatenate_bags(team.run(tasks))


def may_list_again(rois: Float[Tensor, "K R"], entries: Num[Tensor, " K"] | int) -> bool:
    """Whether a recorded sum saves its boxes, and not their bags: where these are large.

    The gradient to a box comes from the weights of its bags, which autograd has to save.
    """
    if is_mapping() or not may_read_values(rois) or records_gradients(rois):
        return False
    everything = len(rois) * entries if isinstance(entries, int) else float(entries.sum())
    return everything > SAVED_ENTRIES


def _write_sums(
    make_bag: Callable[[Float[Tensor, "k R"]], Bag],
    entries: Num[Tensor, " K"] | int,
    maps: Sequence[Float[Tensor, "_ C _ _"]],
    rois: Float[Tensor, "K R"],
    output: Float[Tensor, "K C PH PW"],
) -> None:
    """Pool boxes by their bags."""
    with thread_team(*maps, rois) as team:
        _sum_chunks(make_bag, maps, rois, entries, output, team)


def _list_chunks(
    make_bag: Callable[[Float[Tensor, "k R"]], Bag],
    entries: Num[Tensor, " K"] | int,
    rois: Float[Tensor, "K R"],
) -> Iterator[tuple[slice, Bag]]:
    """List the bags of about ``RELISTED_ENTRIES`` entries at a time: (which boxes, their bags)."""
    chunks, _ = chunks_of_boxes(rois, entries, RELISTED_ENTRIES)
    first = 0
    for chunk in chunks:
        boxes = slice(first, first + len(chunk))
        some = entries if isinstance(entries, int) else entries[boxes]
        yield boxes, list_bags(make_bag, chunk, some)
        first = boxes.stop


def pool_in_chunks(
    pool: Callable[[Float[Tensor, "N C H W"], Float[Tensor, "k R"]], Float[Tensor, "k C PH PW"]],
    input: Float[Tensor, "N C H W"],
    rois: Float[Tensor, "K R"],
    entries: Num[Tensor, " K"] | int,
) -> Float[Tensor, "K C PH PW"]:
    """Pool all boxes with an operator that is not a weighted sum, a chunk of boxes at a time.

    Parameters
    ----------
    pool : pools some rows of ``rois``.
    entries : approximate number of cells that each box reads.
    """
    if not may_read_values(rois) or records_gradients(input, rois) or is_mapping():
        return pool(input, rois)
    chunks, _ = chunks_of_boxes(rois, entries, MAX_ENTRIES)
    if len(chunks) == 1:
        return pool(input, rois)
    features = input.contiguous(memory_format=torch.channels_last)  # one table for all chunks
    return torch.cat([pool(features, chunk) for chunk in chunks])


def chunks_of_boxes(
    rois: Float[Tensor, "K R"], entries: Num[Tensor, " K"] | int, at_once: int
) -> tuple[Sequence[Float[Tensor, "_ R"]], float]:
    """Split the boxes into chunks of about ``at_once`` entries.

    Returns
    -------
    (chunks, the entries of them all).
    """
    if isinstance(entries, int):
        everything = len(rois) * entries
    else:
        everything = float(entries.sum(dtype=torch.float64))
    if everything <= at_once:
        return [rois], everything
    if isinstance(entries, int):
        return rois.split(max(at_once // entries, 1)), everything
    total = entries.cumsum(0, dtype=torch.float64)  # [K]
    number = total // at_once  # [K] 0 0 0 1 1 2 ...: the chunk of each box
    sizes = number.unique_consecutive(return_counts=True)[1].tolist()
    return rois.split(sizes), everything
