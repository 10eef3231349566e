"""The shared idea: an output cell is a bag of map cells, each with a weight.

Write the features as a table with one row of C channels for each of the N * H * W cells. A region
operator then only has to say, for each of its output cells, which rows to read and how much of
each: a *bag*. One call sums all bags: ``embedding_bag``, which PyTorch made for bags of words.

Backwards every row collects from the bags that read it. That is a bag again, the same entries
sorted by row instead of by output cell. So the derivative of a bag is a bag, and its derivative
too.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torch.autograd import Function
from torch.nn.functional import embedding_bag

from roilearn.ops.eager import reads_values

BAGS_AT_ONCE = 2**11
"""Bags that are summed before they are laid out as maps: few enough to stay in the cache."""
ENTRIES_AT_ONCE = 2**13
"""Pairs of rows that are gathered before their products are summed: likewise."""


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
        channels, area = features.shape[1], shape[1] * shape[2]
        output = features.new_empty(shape[0], channels, area)
        for maps, cells, bags, entries in _blocks(shape[0], area, offsets, len(index)):
            sums = embedding_bag(
                index[entries],
                table,
                offsets[bags] - entries.start,
                mode="sum",
                per_sample_weights=weight[entries],
            )  # [bags, C]
            block = output[maps, :, cells]  # [maps, C, cells]
            block.copy_(sums.view(len(block), -1, channels).transpose(1, 2))
        return output.view(shape[0], channels, *shape[1:])

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
        pairs = zip(i.split(ENTRIES_AT_ONCE), j.split(ENTRIES_AT_ONCE), strict=True)
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


def _grid(shape: torch.Size) -> tuple[int, int, int]:
    """(N, H, W) of an (N, C, H, W) shape."""
    images, _, height, width = shape
    return images, height, width


def _blocks(
    maps: int, cells: int, offsets: Tensor, entries: int
) -> Iterator[tuple[slice, slice, slice, slice]]:
    """Cut the bags into blocks of whole maps, or of cells of one map: slices of maps, cells, bags, entries."""
    if not reads_values(offsets):  # where the bags begin is not known: one block
        yield slice(0, maps), slice(0, cells), slice(0, maps * cells), slice(0, entries)
        return
    whole, part = max(BAGS_AT_ONCE // cells, 1), min(BAGS_AT_ONCE, cells)
    corners = list(product(range(0, maps, whole), range(0, cells, part)))
    bags = [k * cells + cell for k, cell in corners]
    first = offsets[torch.tensor(bags, dtype=torch.long)].tolist()
    bags, first = [*bags, maps * cells], [*first, entries]
    for n, (k, cell) in enumerate(corners):
        yield (
            slice(k, k + whole),
            slice(cell, cell + part),
            slice(bags[n], bags[n + 1]),
            slice(first[n], first[n + 1]),
        )
