"""RoIPool on a GPU: one launch forward, which keeps the winners, two backward."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function

from roilearn import ops
from roilearn.arguments import (
    check_choice,
    check_features,
    check_one_device,
    check_output_size,
    check_spatial_scale,
    check_tensor,
)
from roilearn.kernels.arguments import covers, kernel_rois
from roilearn.kernels.device.max_pool import keep_largest, pay_winners
from roilearn.kernels.launch import block, blocks, channels_last, check_place, launch
from roilearn.kernels.tiles import TILE_ACROSS, TILE_DOWN, Tiles, list_touching
from roilearn.ops.boxes.boxes import without_bad_rows
from roilearn.ops.embedding_bags.layout import format_of
from roilearn.ops.pooling.roi_pool import POOL_MODES, by_gathers


def roi_pool(
    input: Float[Tensor, "N C H W"],
    boxes: Float[Tensor, "K 5"] | Sequence[Float[Tensor, "_ 4"]],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    mode: str = "max",
    *,
    validate: bool | None = None,
) -> Float[Tensor, "K C PH PW"]:
    """Pool each box into a grid of ``output_size`` bins of whole cells.

    Parameters
    ----------
    input, boxes, output_size, spatial_scale, mode, validate : as in ``roilearn.ops.roi_pool``,
        which answers for the mode ``"average"``.

    Returns
    -------
    As ``roilearn.ops.roi_pool``.

    Raises
    ------
    ValueError: as ``roilearn.ops.roi_pool``; an ``input`` that is not on a GPU.

    Source
    ------
    Girshick, Fast R-CNN (2015), section 2.1; rounding as in torchvision 0.27.
    """
    check_choice("mode", mode, POOL_MODES)
    bins = check_output_size(output_size)
    scale = check_spatial_scale(spatial_scale)
    check_tensor("input", input)
    check_features(input)
    check_one_device(input=input, boxes=boxes)
    if mode == "average" or not covers([input]):
        return ops.roi_pool(input, boxes, bins, scale, mode, validate=validate)
    check_place("input", input)
    rois = kernel_rois(boxes, input, validate).detach().to(torch.float32).contiguous()
    return _Largest.apply(input, rois, bins, scale)


class _Largest(Function):
    """The largest cell of each bin; its gradient goes to the first of them."""

    @staticmethod
    def forward(
        ctx: Any, input: Tensor, rois: Tensor, bins: tuple[int, int], scale: float
    ) -> Tensor:
        keep, channels = ctx.needs_input_grad[0], input.shape[1]
        output = input.new_empty(len(rois), channels, *bins)
        winner = output.new_empty(output.shape if keep else 0, dtype=torch.int32)
        if output.numel():
            last, (some_bins, some_channels) = blocks([input], bins[0] * bins[1], channels)
            parts = -(-bins[0] * bins[1] // some_bins)
            launch(
                keep_largest,
                (len(rois) * parts, -(-channels // some_channels)),
                input,
                input,
                input.stride(),
                *input.shape[2:],
                rois,
                scale,
                output,
                winner,
                len(input),
                channels,
                KEEP=keep,
                DOWN=bins[0],
                ACROSS=bins[1],
                CHANNELS_LAST=last,
                SOME_BINS=some_bins,
                SOME_CHANNELS=some_channels,
            )
        ctx.save_for_backward(input, rois, winner)
        ctx.bins, ctx.scale = bins, scale
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        input, rois, winner = ctx.saved_tensors
        if torch.is_grad_enabled():  # the derivative will be differentiated
            again = partial(by_gathers, bins=ctx.bins, spatial_scale=ctx.scale)
            output = again(input, without_bad_rows(rois, len(input)))
            found = torch.autograd.grad(output, [input], gradient, create_graph=True)
            return *found, None, None, None
        return _to_features(input, rois, winner, gradient, ctx.scale), None, None, None


def _to_features(
    input: Tensor, rois: Tensor, winner: Tensor, gradient: Tensor, scale: float
) -> Tensor:
    if not gradient.numel():
        return torch.zeros_like(input)
    to_features = torch.empty_like(input, memory_format=format_of(input))
    last, channels = channels_last([input]), input.shape[1]
    some_channels = block(channels, 64 if last else 32)
    tiles = Tiles.of([input], TILE_DOWN, TILE_ACROSS)
    lists, counts = list_touching(tiles, (scale,), rois, None, aligned=True, rounded=True)
    launch(
        pay_winners,
        (tiles.number, -(-channels // some_channels)),
        input,
        to_features,
        to_features.stride(),
        *input.shape[2:],
        tiles.begins,
        tiles.across,
        tiles.per_image,
        rois,
        scale,
        lists,
        counts,
        winner,
        gradient,
        gradient.stride(),
        tiles.images,
        channels,
        len(rois),
        DOWN=gradient.shape[2],
        ACROSS=gradient.shape[3],
        CHANNELS_LAST=last,
        TILE_DOWN=TILE_DOWN,
        TILE_ACROSS=TILE_ACROSS,
        SOME_CHANNELS=some_channels,
        POWER=block(max(gradient.shape[2:]), 2**20),
    )
    return to_features
