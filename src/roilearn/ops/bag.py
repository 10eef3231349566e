"""The shared idea: an output cell is a bag of map cells, each with a weight.

Write the features as a table with one row of C channels for each of the N * H * W cells. A region
operator then only has to say, for each of its output cells, which rows to read and how much of
each: a *bag*. One call sums all bags: ``embedding_bag``, which PyTorch made for bags of words.

Backwards every row collects from the bags that read it. That is a bag again, the same entries
sorted by row instead of by output cell. So the derivative of a bag is a bag, and its derivative
too.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torch.autograd import Function
from torch.nn.functional import embedding_bag

from roilearn.ops.eager import reads_values

BLOCK = 2**18
"""Numbers that are gathered, or summed and laid out, at once: 1 MB, which stays in the cache."""


class Bag(NamedTuple):
    """What each output cell reads. The entries stand in one line, bag after bag."""

    index: Integer[Tensor, " entries"]  # row of the table
    weight: Float[Tensor, " entries"]
    offsets: Integer[Tensor, " bags"]  # where the entries of each bag begin


def cell_table(features: Float[Tensor, "N C H W"]) -> Float[Tensor, "rows C"]:
    """Features as a table: row (n * H + y) * W + x holds the channels of cell (y, x) of image n."""
    # Not reshape: for one image it returns a strided view, which embedding_bag reads slowly.
    return features.permute(0, 2, 3, 1).contiguous().view(-1, features.shape[1])


def weighted_sum(
    features: Float[Tensor, "N C H W"], bag: Bag, shape: tuple[int, int, int]
) -> Float[Tensor, "K C PH PW"]:
    """Sum each bag, and lay the sums out as K maps of PH x PW cells.

    Parameters
    ----------
    features : what the bags read.
    bag : K * PH * PW bags; that of cell (i, j) of map k is number (k * PH + i) * PW + j.
    shape : (K, PH, PW).

    Returns
    -------
    (K, C, PH, PW) tensor, contiguous; an empty bag gives 0. Differentiable, as often as wanted,
    in the features and in the weights.
    """
    return _Sum.apply(features, bag.index, bag.weight.to(features.dtype), bag.offsets, shape)


def collected(
    features: Float[Tensor, "N C H W"],
    index: Integer[Tensor, " entries"],
    weight: Float[Tensor, " entries"],
    target: Integer[Tensor, " entries"],
    shape: tuple[int, int, int],
) -> Float[Tensor, "K C PH PW"]:
    """Weighted sum of loose entries: entry e reads cell index[e] on behalf of cell target[e].

    Sorting the entries by target makes bags of them; those of one bag keep their order.
    """
    target, order = target.sort(stable=True)
    cells = torch.arange(shape[0] * shape[1] * shape[2], dtype=target.dtype, device=target.device)
    offsets = torch.searchsorted(target, cells, out_int32=target.dtype == torch.int32)
    return weighted_sum(features, Bag(index[order], weight[order], offsets), shape)


def owners(offsets: Integer[Tensor, " bags"], entries: int) -> Integer[Tensor, " entries"]:
    """Bag in which each entry stands."""
    bags = torch.arange(len(offsets), dtype=offsets.dtype, device=offsets.device)
    sizes = torch.diff(offsets, append=offsets.new_tensor([entries]))
    return bags.repeat_interleave(sizes, output_size=entries)


def as_maps(rows: Float[Tensor, "n C"], shape: tuple[int, int, int]) -> Float[Tensor, "K C PH PW"]:
    """Rows, one for each cell, as contiguous maps: the way back from ``cell_table``."""
    cells = shape[1] * shape[2]
    output = rows.new_empty(shape[0], rows.shape[1], cells)
    for place in blocks(shape[0], cells, rows_at_once(rows)):
        lay_out(rows[place.rows], output[place.maps, :, place.cells])
    return output.view(shape[0], -1, *shape[1:])


class Block(NamedTuple):
    """Some whole maps, or some cells of one map, and the table's rows that go there."""

    maps: slice
    cells: slice
    rows: slice


def blocks(maps: int, cells: int, at_once: int) -> Iterator[Block]:
    """Cut ``maps`` maps of ``cells`` cells into blocks of about ``at_once`` cells."""
    whole, part = max(at_once // cells, 1), min(at_once, cells)
    for k, cell in product(range(0, maps, whole), range(0, cells, part)):
        last, stop = min(k + whole, maps), min(cell + part, cells)
        rows = slice(k * cells + cell, (last - 1) * cells + stop)
        yield Block(slice(k, last), slice(cell, stop), rows)


def rows_at_once(table: Float[Tensor, "rows C"]) -> int:
    """Rows of a table that make up a ``BLOCK``."""
    return max(BLOCK // table.shape[1], 1)


def lay_out(rows: Float[Tensor, "n C"], maps: Float[Tensor, "K C cells"]) -> None:
    """Write rows, one for each cell of each map, into their places in ``maps``.

    A column of a table is read quickly only if its rows lie in different sets of the cache. Rows
    a power of two apart, as with 1024 channels, share a few sets and push each other out, so they
    are first copied to 64 bytes more than their length apart.
    """
    channels = rows.shape[1]
    spaced = rows.new_empty(len(rows), channels + 64 // rows.element_size())[:, :channels]
    maps.copy_(spaced.copy_(rows).unflatten(0, (len(maps), -1)).transpose(1, 2))


class _Sum(Function):
    """out[cell b] = sum of weight[e] * features[cell index[e]] over the entries e of bag b."""

    @staticmethod
    def forward(
        features: Tensor,
        index: Tensor,
        weight: Tensor,
        offsets: Tensor,
        shape: tuple[int, int, int],
    ) -> Tensor:
        table = cell_table(features)  # [rows, C]
        maps, cells = shape[0], shape[1] * shape[2]
        at_once = rows_at_once(table) if reads_values(offsets) else maps * cells
        places = list(blocks(maps, cells, at_once))
        output = features.new_empty(maps, features.shape[1], cells)
        for place, entries in zip(places, _entries(places, offsets, len(index)), strict=True):
            sums = embedding_bag(
                index[entries],
                table,
                offsets[place.rows] - entries.start,
                mode="sum",
                per_sample_weights=weight[entries],
            )  # [rows, C]
            lay_out(sums, output[place.maps, :, place.cells])
        return output.view(maps, -1, *shape[1:])

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        del output
        features, index, weight, offsets, _ = inputs
        ctx.shape = features.shape
        # The features are large: keep them only for a gradient to the weights.
        kept = features if ctx.needs_input_grad[2] else None
        ctx.save_for_backward(kept, index, weight, offsets)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        features, index, weight, offsets = ctx.saved_tensors
        owner = owners(offsets, len(index))
        to_features = to_weight = None
        if ctx.needs_input_grad[0]:  # each cell of the features collects from the bags it is in
            to_features = collected(gradient, owner, weight, index, _grid(ctx.shape))
        if ctx.needs_input_grad[2]:
            to_weight = _Product.apply(gradient, features, owner, index)
        return to_features, None, to_weight, None, None


class _Product(Function):
    """out[e] = dot product of cell i[e] of left and cell j[e] of right, over the channels."""

    @staticmethod
    def forward(left: Tensor, right: Tensor, i: Tensor, j: Tensor) -> Tensor:
        left, right = cell_table(left), cell_table(right)
        at_once = rows_at_once(left)
        pairs = zip(i.split(at_once), j.split(at_once), strict=True)
        return torch.cat([(left[a] * right[b]).sum(1) for a, b in pairs])

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        del output
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        left, right, i, j = ctx.saved_tensors
        to_left = collected(right, j, gradient, i, _grid(left.shape))
        to_right = collected(left, i, gradient, j, _grid(right.shape))
        return to_left, to_right, None, None


def _entries(places: Sequence[Block], offsets: Tensor, entries: int) -> list[slice]:
    """Entries of the bags of each block."""
    if len(places) <= 1:
        return [slice(0, entries)] * len(places)
    first = offsets[torch.tensor([place.rows.start for place in places])].tolist()
    return [slice(*ends) for ends in pairwise([*first, entries])]


def _grid(shape: torch.Size) -> tuple[int, int, int]:
    """(N, H, W) of an (N, C, H, W) shape."""
    images, _, height, width = shape
    return images, height, width
