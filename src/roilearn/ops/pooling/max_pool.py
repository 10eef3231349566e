"""Max pooling: the maximum of the cells that each bin reads, and the gradient to that cell.

Where several cells of a bin hold its maximum, the gradient goes to the first of them in row-major
order.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Int32, Int64, Integer
from torch import Tensor
from torch.autograd import Function

from roilearn.ops.batching import as_channels, call_for_each, from_channels
from roilearn.ops.embedding_bags.executor import use_tables
from roilearn.ops.embedding_bags.layout import (
    BLOCK_SIZE,
    blocks,
    cells_of,
    channel_groups,
    read_cells,
    reads_few_cells,
    shared_table,
    write_rows,
)
from roilearn.ops.embedding_bags.threads import Team, thread_team
from roilearn.ops.tracing import is_mapped, is_mapping, records_gradients


def max_pool_bins(
    features: Float[Tensor, "N C H W"],
    image: Integer[Tensor, " K"],
    first: Integer[Tensor, " bins"],
    wide: Int32[Tensor, " bins"],
    area: Int32[Tensor, " bins"],
    shape: tuple[int, int, int],
) -> Float[Tensor, "K C PH PW"]:
    """Maximum of each channel over the cells of each bin; 0 for a bin without cells.

    Parameters
    ----------
    features : (N, C, H, W), read as a table with a row for each cell of each image, in row-major
        order, and a column for each channel.
    image : index of the image of each box.
    first : row of the table that holds the first cell of each bin.
    wide, area : width of each bin in cells, and its number of cells.
    shape : number of boxes, height and width of their grids; bins are listed in this order.

    Returns
    -------
    (K, C, height, width) tensor, differentiable in the features: the gradient goes to each bin's
    first maximum (row-major). NaN is ignored where the bin also holds a number.
    """
    record = records_gradients(features) or is_mapping()
    maximum = _MaxPool.apply if record else _MaxPool.forward  # apply reads signatures, each time
    return maximum(features, image, first, wide, area, shape, record)[0]


class _MaxPool(Function):
    """out[bin] = maximum of the cells of the bin; the gradient goes to the first maximum."""

    @staticmethod
    def forward(
        features: Tensor,
        image: Tensor,
        first: Tensor,
        wide: Tensor,
        area: Tensor,
        shape: tuple[int, int, int],
        record: bool,
    ) -> tuple[Tensor, Tensor]:
        output = features.new_empty(shape[0], features.shape[1], shape[1] * shape[2])
        argmax = first.new_empty(output.shape if record else 0)
        recorded = argmax if record else None
        with thread_team(features, image) as team:
            groups = channel_groups([features], team.threads)
            width = groups[0].stop - groups[0].start
            at_once = max(BLOCK_SIZE // max(width, 1), 1)
            read = list(_bins_by_area(first, wide, area, features.shape[3], at_once))
            if read and reads_few_cells([features], float(area.sum())):
                channels = slice(0, features.shape[1])
                cells, read = _cells_read(read)
                table = read_cells([features], cells, channels)
                _write_maxima(table, channels, read, output, recorded, team)
                none = cells.new_tensor([cells_of([features])])  # of a bin without cells
                argmax = torch.cat([cells, none])[argmax.long()]
            elif len(groups) > 1:
                alone = partial(
                    _write_maxima,
                    read=read,
                    output=output,
                    argmax=recorded,
                    team=Team(1),
                )
                use_tables([features], groups, team, alone)
            else:
                table = shared_table([features], team)
                _write_maxima(table, groups[0], read, output, recorded, team)
        return output.unflatten(2, shape[1:]), argmax

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        ctx.save_for_backward(inputs[1], output[1])
        ctx.mark_non_differentiable(output[1])
        ctx.shape = inputs[0].shape

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[Any, ...], features: Tensor, *others: Any
    ) -> tuple[Any, Any]:
        """Many maps at once are more channels of the same bins; for many bins call for each."""
        if any(axis is not None for axis in in_dims[1:5]):
            return call_for_each(_MaxPool.apply, info, in_dims, features, *others)
        outputs = _MaxPool.apply(as_channels(features, in_dims[0], info.batch_size), *others)
        return tuple(from_channels(each, info.batch_size) for each in outputs), (0, 0)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        image, argmax = ctx.saved_tensors  # [K], [K, C, cells]
        images, channels, height, width = ctx.shape
        numbers = images * channels * height * width
        with thread_team(image, argmax, gradient) as team:
            groups = channel_groups([gradient], team.threads)
            if is_mapped(gradient) or records_gradients(gradient):  # autograd records this thread
                groups = [slice(0, channels)]
            # A number more for each group, to which the gradient of a bin without cells goes.
            into = gradient.new_zeros(numbers + len(groups))
            tasks = [
                partial(_scatter, into, numbers + k, image, argmax, gradient, group, ctx.shape)
                for k, group in enumerate(groups)
            ]
            into = team.run(tasks)[-1]
        return into[:numbers].view(ctx.shape), *(None,) * 6


def _scatter(
    into: Float[Tensor, " numbers"],
    nowhere: int,
    image: Integer[Tensor, " K"],
    argmax: Integer[Tensor, "K C cells"],
    gradient: Float[Tensor, "K C PH PW"],
    group: slice,
    shape: tuple[int, int, int, int],
) -> Float[Tensor, " numbers"]:
    """Add the gradients of some channels to their places in (N, C, H, W) numbers."""
    images, channels, height, width = shape
    area = height * width
    # From a row of the table, image * area + cell, to (image * C + channel) * area + cell.
    channel = torch.arange(group.start, group.stop, device=image.device)
    offset = (image[:, None] * (channels - 1) + channel)[..., None] * area  # [K, c, 1]
    number = group.stop - group.start
    rows, incoming = (each.narrow(1, group.start, number) for each in (argmax, gradient))
    at_once = max(BLOCK_SIZE // max(rows[:1].numel(), 1), 1)
    chunks = (tensor.split(at_once) for tensor in (rows, offset, incoming))
    for row, of_channel, some in zip(*chunks, strict=True):
        place = torch.where(row < images * area, row + of_channel, nowhere)
        # In place, unless many gradients come at once.
        add = Tensor.scatter_add if is_mapped(gradient) else Tensor.scatter_add_
        into = add(into, 0, place.flatten(), some.reshape(-1))
    return into


def _write_maxima(
    table: Float[Tensor, "rows c"],
    channels: slice,
    read: Sequence[tuple[Tensor, Tensor]],
    output: Float[Tensor, "K C cells"],
    argmax: Integer[Tensor, "K C cells"] | None,
    team: Team,
) -> None:
    """Write the maxima over some channels, and the first row of the table that holds each."""
    maps, _, cells = output.shape
    best = table.new_zeros(maps * cells, table.shape[1])  # [bins, c]
    rows = None if argmax is None else argmax.new_full(best.shape, len(table))
    team.run([partial(_max_and_argmax, table, *each, best, rows) for each in read])
    for place in blocks(table.shape[1], maps, cells):
        write_rows(best[place.rows], output[place.maps, channels, place.cells])
        if argmax is not None and rows is not None:
            write_rows(rows[place.rows], argmax[place.maps, channels, place.cells])


def _max_and_argmax(
    table: Float[Tensor, "rows c"],
    bins: Int64[Tensor, " m"],
    read: Integer[Tensor, "m n"],
    best: Float[Tensor, "bins c"],
    argmax: Integer[Tensor, "bins c"] | None,
) -> None:
    """Write the maximum of the rows that each of ``bins`` reads, and the first row with it."""
    values = table.index_select(0, read.flatten()).unflatten(0, read.shape)  # [m, n, c]
    maximum = _max_without_nan(values)  # [m, c]
    best.index_copy_(0, bins, maximum)
    if argmax is not None:
        no_cell = len(table)
        others = (values != maximum[:, None]).to(read.dtype).mul_(no_cell)  # 0: a maximum
        first = others.add_(read[..., None]).amin(1).clamp_(max=no_cell)
        argmax.index_copy_(0, bins, first)


def _bins_by_area(
    first: Tensor, wide: Tensor, area: Tensor, width: int, at_once: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield groups of bins of about the same area, with the cells of each in row-major order."""
    order = area.argsort(stable=True)
    order = order[area[order] > 0]
    group = area[order].cumsum(0) // at_once
    for bins in order.split(group.unique_consecutive(return_counts=True)[1].tolist()):
        most = int(area[bins[-1]])
        # Smaller bins of a group repeat their last cell, which does not change the maximum.
        place = torch.arange(most, device=area.device).minimum(area[bins, None] - 1)  # [m, n]
        down, across = place // wide[bins, None], place % wide[bins, None]
        yield bins, (first[bins, None] + down * width + across).to(first.dtype)


def _cells_read(
    read: Sequence[tuple[Tensor, Tensor]],
) -> tuple[Integer[Tensor, " cells"], list[tuple[Tensor, Tensor]]]:
    """Cells that groups of bins read, each once and in their order; and the groups in its rows."""
    every = torch.cat([cells.flatten() for _, cells in read])
    cells, row = every.unique(return_inverse=True)
    rows = row.to(cells.dtype).split([each.numel() for _, each in read])
    return cells, [
        (bins, some.view(each.shape)) for (bins, each), some in zip(read, rows, strict=True)
    ]


def _max_without_nan(values: Float[Tensor, "m n C"]) -> Float[Tensor, "m C"]:
    """Maximum along the second axis, ignoring NaN where there is a number."""
    best = values.amax(1)
    if not bool(best.amax().isnan()):  # amax propagates NaN
        return best
    numbers = values.nan_to_num(nan=-torch.inf, posinf=torch.inf, neginf=-torch.inf).amax(1)
    return torch.where(values.isnan().all(1), torch.nan, numbers)
