"""The shared idea: an output cell is a bag of map cells, each with a weight.

Write the features as a table with one row of C channels for each of the N * H * W cells. A region
operator then only has to say, for each of its output cells, which rows to read and how much of
each: a *bag*. One call sums all bags: ``embedding_bag``, which PyTorch made for bags of words.

Backwards every row collects from the bags that read it. That is a bag again, the same entries
sorted by row instead of by output cell. So the derivative of a bag is a bag, and its derivative
too.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torch.autograd import Function
from torch.nn.functional import embedding_bag

from roilearn.ops.layout import BLOCK, Block, blocks, cell_table, lay_out, tables


class Bag(NamedTuple):
    """What each output cell reads. The entries stand in one line, bag after bag."""

    index: Integer[Tensor, " entries"]  # row of the table
    weight: Float[Tensor, " entries"]
    offsets: Integer[Tensor, " bags"]  # where the entries of each bag begin


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
    bag = Bag(index.index_select(0, order), weight.index_select(0, order), offsets)
    return weighted_sum(features, bag, shape)


def owners(offsets: Integer[Tensor, " bags"], entries: int) -> Integer[Tensor, " entries"]:
    """Bag in which each entry stands."""
    bags = torch.arange(offsets.numel(), dtype=offsets.dtype, device=offsets.device)
    sizes = torch.diff(offsets, append=offsets.new_tensor([entries]))
    return bags.repeat_interleave(sizes, output_size=entries)


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
        maps, cells = shape[0], shape[1] * shape[2]
        output = features.new_empty(maps, features.shape[1], cells)
        for channels, table in tables(features):
            places = list(blocks(table, maps, cells))
            for place, entries in zip(places, _entries(places, offsets), strict=False):
                sums = embedding_bag(
                    index[entries],
                    table,
                    offsets[place.rows] - entries.start,
                    mode="sum",
                    per_sample_weights=weight[entries],
                )  # [bags, channels]
                lay_out(sums, output[place.maps, channels, place.cells])
        return output.unflatten(2, shape[1:])

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
        owner = owners(offsets, index.numel())
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
        at_once = max(BLOCK // left.shape[1], 1)
        products = [
            left.index_select(0, some_i).mul_(right.index_select(0, some_j)).sum(1)
            for some_i, some_j in zip(i.split(at_once), j.split(at_once), strict=True)
        ]
        return torch.cat(products)

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


def _entries(places: Sequence[Block], offsets: Tensor) -> list[slice]:
    """Entries of the bags of each block."""
    first = [0]  # of one block; a look at offsets would break a graph that is being traced
    if len(places) > 1:
        first = offsets[torch.tensor([place.rows.start for place in places])].tolist()
    return [slice(*ends) for ends in zip(first, [*first[1:], None], strict=True)]


def _grid(shape: torch.Size) -> tuple[int, int, int]:
    """(N, H, W) of an (N, C, H, W) shape."""
    images, _, height, width = shape
    return images, height, width
