"""Sums whose bags are listed again in the backward pass, so that none of them is kept until then.

What a bin reads follows from its box. Where the bags of all boxes would take much memory, a sum
that autograd records keeps the boxes alone. The backward pass lists the bags of some boxes, adds
their part to the gradient of the maps, and goes on to the next boxes.

The sum is linear in the maps. So the derivative of the backward pass is the sum itself, and
derivatives of any order keep boxes and no bags.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function

from roilearn.ops.batching import apply, as_channels, from_channels
from roilearn.ops.embedding_bags.bag import Bag, bag_of_entries
from roilearn.ops.embedding_bags.layout import (
    MOST_CHANNELS,
    Grid,
    allocate_output,
    sum_dtype,
)
from roilearn.ops.embedding_bags.threads import thread_team
from roilearn.ops.embedding_bags.weighted_sum import bags_by_target, like_of, weighted_sums

Like = tuple[Grid, torch.memory_format]
"""Shape without channels, and memory format, of an (N, C, H, W) tensor."""


class Lister(NamedTuple):
    """What an operator does with its boxes: functions of the boxes and of nothing that is recorded.

    Attributes
    ----------
    write : writes the sum of each bin of (maps, rois) to an output.
    list_chunks : lists the bags of the boxes, some boxes at a time: (which boxes, their bags).
    """

    write: Callable[[Sequence[Tensor], Tensor, Tensor], None]
    list_chunks: Callable[[Tensor], Iterator[tuple[slice, Bag]]]


def relisted_sum(
    maps: Sequence[Float[Tensor, "_ C _ _"]],
    rois: Float[Tensor, "K R"],
    lister: Lister,
    shape: Grid,
    memory_format: torch.memory_format,
) -> Float[Tensor, "K C PH PW"]:
    """Sum the bags of all boxes, for a derivative to the maps, of any order, and not to the boxes.

    Parameters
    ----------
    shape : (K, PH, PW).
    """
    return apply(_RelistedSum, rois, lister, (shape, memory_format), *maps)


class _RelistedSum(Function):
    """out[k] = sums of the bags of box k over the maps."""

    @staticmethod
    def forward(rois: Tensor, lister: Lister, like: Like, *maps: Tensor) -> Tensor:
        output = allocate_output(maps[0], *like)
        lister.write(maps, rois, output)
        return output

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        del output
        rois, ctx.lister, _, *maps = inputs
        ctx.maps = tuple(like_of(each) for each in maps)
        ctx.save_for_backward(rois)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> tuple[Any, Any]:
        """Many maps at once are more channels of the same bags."""
        (rois, lister, like), maps, number = inputs[:3], inputs[3:], info.batch_size
        wide = [as_channels(*each, number) for each in zip(maps, in_dims[3:], strict=True)]
        return from_channels(_RelistedSum.apply(rois, lister, like, *wide), number), 0

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
        (rois,) = ctx.saved_tensors
        return None, None, None, *apply(_RelistedAdjoint, rois, ctx.lister, ctx.maps, gradient)


class _RelistedAdjoint(Function):
    """The transpose of ``_RelistedSum``: each cell of the maps sums over the bags that read it."""

    @staticmethod
    def forward(
        rois: Tensor, lister: Lister, like: Sequence[Like], gradient: Tensor
    ) -> tuple[Tensor, ...]:
        wide = gradient.new_empty(0, gradient.shape[1], dtype=sum_dtype([gradient]))
        sums = [allocate_output(wide, *each).zero_() for each in like]
        with thread_team(rois, gradient):
            for boxes, bag in lister.list_chunks(rois):
                _add_chunk(sums, like, bag, gradient[boxes])
        return tuple(each.to(gradient.dtype) for each in sums)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        del output
        rois, ctx.lister, _, gradient = inputs
        ctx.output = like_of(gradient)
        ctx.save_for_backward(rois)

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> tuple[Any, Any]:
        """Many gradients at once are more channels of the same bags."""
        *others, gradient = inputs
        wide = as_channels(gradient, in_dims[3], info.batch_size)
        sums = _RelistedAdjoint.apply(*others, wide)
        return tuple(from_channels(each, info.batch_size) for each in sums), (0,) * len(sums)

    @staticmethod
    def backward(ctx: Any, *maps: Tensor) -> tuple[Any, ...]:
        (rois,) = ctx.saved_tensors
        return None, None, None, apply(_RelistedSum, rois, ctx.lister, ctx.output, *maps)


def _add_chunk(
    sums: Sequence[Tensor], like: Sequence[Like], bag: Bag, gradient: Float[Tensor, "k C PH PW"]
) -> None:
    """Add the part of some boxes to the gradient of the maps, some channels at a time."""
    owner = bag_of_entries(bag.offsets, bag.index.numel())
    cells = sum(images * height * width for (images, height, width), _ in like)
    by_cell = bags_by_target(owner, bag.weight, bag.index, cells)
    for first in range(0, gradient.shape[1], MOST_CHANNELS):
        some = slice(first, first + MOST_CHANNELS)
        read = gradient[:, some].to(sums[0].dtype)
        parts = weighted_sums([read], by_cell, *zip(*like, strict=True))
        for total, part in zip(sums, parts, strict=True):
            total[:, some].add_(part)
