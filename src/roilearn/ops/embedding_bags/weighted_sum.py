"""Weighted sums of cells, and their derivatives, which are weighted sums again.

In the backward pass, each cell sums the gradients of the bags that read it. These sums are bags
again, with the same entries sorted by cell instead of by bag. So the derivative of a bag is
computed as bags, and so is the derivative of that.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from jaxtyping import Float, Integer
from torch import Tensor
from torch.autograd import Function

from roilearn.ops.batching import apply, as_channels, call_for_each, from_channels
from roilearn.ops.embedding_bags.bag import Bag, bag_of_entries
from roilearn.ops.embedding_bags.executor import write_weighted_sums
from roilearn.ops.embedding_bags.gathered_sum import gathered_sum
from roilearn.ops.embedding_bags.layout import (
    BLOCK_SIZE,
    Grid,
    allocate_output,
    as_single_map,
    cell_table,
    memory_format_of,
    sum_dtype,
)
from roilearn.ops.embedding_bags.threads import thread_team
from roilearn.ops.tracing import is_exporting_onnx, is_mapping, is_tracing, records_gradients


def weighted_sum(
    features: Float[Tensor, "N C H W"],
    bag: Bag,
    shape: Grid,
    memory_format: torch.memory_format = torch.contiguous_format,
) -> Float[Tensor, "K C PH PW"]:
    """Sum each bag, and write the sums as K maps of PH x PW cells.

    Parameters
    ----------
    features : the maps that the bags read.
    bag : K * PH * PW bags; that of cell (i, j) of map k is number (k * PH + i) * PW + j.
    shape : (K, PH, PW).
    memory_format : ``torch.contiguous_format`` or ``torch.channels_last``.

    Returns
    -------
    (K, C, PH, PW) tensor; an empty bag gives 0. Differentiable in the features and in the weights,
    to any order.
    """
    return weighted_sums([features], bag, [shape], [memory_format])[0]


def weighted_sums(
    maps: Sequence[Float[Tensor, "_ C _ _"]],
    bag: Bag,
    shapes: Sequence[Grid],
    formats: Sequence[torch.memory_format],
) -> Sequence[Float[Tensor, "_ C _ _"]]:
    """Sum bags that read several maps, and write the sums as several outputs.

    Parameters
    ----------
    maps : their cells are numbered consecutively, the second map's after the first's.
    bag : the bags of all outputs, numbered in the same way.
    shapes, formats : (K, PH, PW) and memory format of each output.
    """
    weight = bag.weight.to(sum_dtype(maps))
    if is_exporting_onnx():
        listed = Bag(bag.index, weight, bag.offsets)
        return [gathered_sum(maps, listed, shape) for shape in shapes]
    inputs = (bag.index, weight, bag.offsets, tuple(shapes), tuple(formats), *maps)
    if is_tracing() and not is_mapping() and not records_gradients(weight, *maps):
        # With several maps torch.compile miscounts the inputs of apply.
        return _WeightedSum.forward(*inputs)
    return apply(_WeightedSum, *inputs)


def sum_by_target(
    maps: Sequence[Float[Tensor, "_ C _ _"]],
    index: Integer[Tensor, " entries"],
    weight: Float[Tensor, " entries"],
    target: Integer[Tensor, " entries"],
    like: Sequence[tuple[Grid, torch.memory_format]],
) -> Sequence[Float[Tensor, "_ C _ _"]]:
    """Weighted sum of single entries: entry e adds weight[e] * cell index[e] to cell target[e].

    Sorting the entries by target turns them into bags; entries of one bag keep their order.
    """
    cells = sum(k * height * width for (k, height, width), _ in like)
    bag = bags_by_target(index, weight, target, cells)
    return weighted_sums(maps, bag, *zip(*like, strict=True))


def bags_by_target(
    index: Integer[Tensor, " entries"],
    weight: Float[Tensor, " entries"],
    target: Integer[Tensor, " entries"],
    cells: int,
) -> Bag:
    """List a bag for each of ``cells`` cells: the entries whose target it is, in their order."""
    target, order = target.sort(stable=True)
    each = target.new_zeros(cells).index_add_(0, target, torch.ones_like(target))
    offsets = each.cumsum(0, dtype=target.dtype) - each
    return Bag(index.index_select(0, order), weight.index_select(0, order), offsets)


class _WeightedSum(Function):
    """out[cell b] = sum of weight[e] * maps[cell index[e]] over the entries e of bag b."""

    @staticmethod
    def forward(
        index: Tensor,
        weight: Tensor,
        offsets: Tensor,
        shapes: tuple[Grid, ...],
        formats: tuple[torch.memory_format, ...],
        *maps: Tensor,
    ) -> tuple[Tensor, ...]:
        outputs = tuple(
            allocate_output(maps[0], shape, layout)
            for shape, layout in zip(shapes, formats, strict=True)
        )
        write_weighted_sums(maps, Bag(index, weight, offsets), outputs)
        return outputs

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        del output
        index, weight, offsets, _, _, *maps = inputs
        ctx.like = [like_of(m) for m in maps]
        # The maps are large, so they are saved only for a gradient to the weights.
        kept = maps if ctx.needs_input_grad[1] else []
        ctx.save_for_backward(index, weight, offsets, *kept)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> tuple[Any, Any]:
        """Many maps at once are more channels of the same bags; for many bags call for each."""
        bag, (shapes, formats), maps = inputs[:3], inputs[3:5], inputs[5:]
        if any(axis is not None for axis in in_dims[:3]):
            return call_for_each(_WeightedSum.apply, info, in_dims, *inputs)
        number, axes = info.batch_size, in_dims[5:]
        wide = [as_channels(*each, number) for each in zip(maps, axes, strict=True)]
        outputs = _WeightedSum.apply(*bag, shapes, formats, *wide)
        return tuple(from_channels(each, number) for each in outputs), (0,) * len(outputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        index, weight, offsets, *maps = ctx.saved_tensors
        weight_gradient, map_gradients = None, [None] * len(ctx.like)
        with thread_team(index, weight, *gradients):
            owner = bag_of_entries(offsets, index.numel())
            if any(ctx.needs_input_grad[5:]):  # each cell sums over the bags that read it
                map_gradients = sum_by_target(gradients, owner, weight, index, ctx.like)
            if ctx.needs_input_grad[1]:
                pair = as_single_map(gradients), as_single_map(maps)
                weight_gradient = apply(_DotProducts, *pair, owner, index)
        return None, weight_gradient, None, None, None, *map_gradients


class _DotProducts(Function):
    """out[e] = dot product of cell i[e] of left and cell j[e] of right, over the channels."""

    @staticmethod
    def forward(left: Tensor, right: Tensor, i: Tensor, j: Tensor) -> Tensor:
        dtype = sum_dtype([left])
        left, right = cell_table(left).to(dtype), cell_table(right).to(dtype)
        at_once = max(BLOCK_SIZE // left.shape[1], 1)
        with thread_team(left, right) as team:
            pairs = zip(i.split(at_once), j.split(at_once), strict=True)
            return torch.cat(
                team.run([partial(_dot_products, left, right, *each) for each in pairs])
            )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        del output
        ctx.save_for_backward(*inputs)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Tensor) -> tuple[Any, Any]:
        """Call for each of the tensors that are mapped over."""
        return call_for_each(_DotProducts.apply, info, in_dims, *inputs)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        left, right, i, j = ctx.saved_tensors
        with thread_team(left, right, gradient):
            (left_gradient,) = sum_by_target([right], j, gradient, i, [like_of(left)])
            (right_gradient,) = sum_by_target([left], i, gradient, j, [like_of(right)])
        return left_gradient, right_gradient, None, None


def _dot_products(left: Tensor, right: Tensor, i: Tensor, j: Tensor) -> Tensor:
    """Dot product of row i[e] of left and row j[e] of right, for each e."""
    return left.index_select(0, i).mul_(right.index_select(0, j)).sum(1)


def like_of(features: Tensor) -> tuple[Grid, torch.memory_format]:
    """Shape without channels, and memory format, of an (N, C, H, W) tensor."""
    images, _, height, width = features.shape
    return (images, height, width), memory_format_of(features)
