"""RoIPool on a GPU: one launch forward, which stores the argmax, and two backward."""

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
from roilearn.kernels.arguments import supports, to_rois
from roilearn.kernels.device.max_pool import max_pool_backward, max_pool_forward
from roilearn.kernels.launch import block_size, block_sizes, channels_last, check_device, launch
from roilearn.kernels.tiles import TILE_HEIGHT, TILE_WIDTH, Tiles, build_index
from roilearn.ops.boxes.rois import without_bad_rows
from roilearn.ops.embedding_bags.layout import memory_format_of
from roilearn.ops.pooling.roi_pool import POOL_MODES, pool_maxima


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
        which computes the mode ``"average"``.

    Returns
    -------
    As ``roilearn.ops.roi_pool``.

    Raises
    ------
    ValueError: as ``roilearn.ops.roi_pool``; an ``input`` that is not on a GPU.

    Source
    ------
    Girshick, Fast R-CNN (2015), section 2.1; rounding as in torchvision 0.29.
    """
    check_choice("mode", mode, POOL_MODES)
    bins = check_output_size(output_size)
    scale = check_spatial_scale(spatial_scale)
    check_tensor("input", input)
    check_features(input)
    check_one_device(input=input, boxes=boxes)
    if mode == "average" or not supports([input]):
        return ops.roi_pool(input, boxes, bins, scale, mode, validate=validate)
    check_device("input", input)
    rois = to_rois(boxes, input, validate).detach().to(torch.float32).contiguous()
    return _RoIMaxPool.apply(input, rois, bins, scale)


class _RoIMaxPool(Function):
    """The maximum of each bin; its gradient goes to the bin's first maximum (row-major)."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, rois: Tensor, bins: tuple[int, int], scale: float
    ) -> Tensor:
        needs_argmax, channels = ctx.needs_input_grad[0], features.shape[1]
        output = features.new_empty(len(rois), channels, *bins)
        argmax = output.new_empty(output.shape if needs_argmax else 0, dtype=torch.int32)
        if output.numel():
            last, (block_bins, block_channels) = block_sizes(
                [features], bins[0] * bins[1], channels
            )
            blocks_per_box = -(-bins[0] * bins[1] // block_bins)
            launch(
                max_pool_forward,
                (len(rois) * blocks_per_box, -(-channels // block_channels)),
                features,
                features,
                features.stride(),
                *features.shape[2:],
                rois,
                scale,
                output,
                argmax,
                len(features),
                channels,
                STORE_ARGMAX=needs_argmax,
                POOLED_HEIGHT=bins[0],
                POOLED_WIDTH=bins[1],
                CHANNELS_LAST=last,
                BLOCK_BINS=block_bins,
                BLOCK_CHANNELS=block_channels,
            )
        ctx.save_for_backward(features, rois, argmax)
        ctx.bins, ctx.scale = bins, scale
        return output

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        features, rois, argmax = ctx.saved_tensors
        if torch.is_grad_enabled():  # the gradient will be differentiated again
            fallback = partial(pool_maxima, bins=ctx.bins, spatial_scale=ctx.scale)
            output = fallback(features, without_bad_rows(rois, len(features)))
            gradients = torch.autograd.grad(output, [features], grad_output, create_graph=True)
            return *gradients, None, None, None
        return _feature_gradient(features, rois, argmax, grad_output, ctx.scale), None, None, None


def _feature_gradient(
    features: Tensor, rois: Tensor, argmax: Tensor, grad_output: Tensor, scale: float
) -> Tensor:
    if not grad_output.numel():
        return torch.zeros_like(features)
    grad_features = torch.empty_like(features, memory_format=memory_format_of(features))
    last, channels = channels_last([features]), features.shape[1]
    block_channels = block_size(channels, 64 if last else 32)
    tiles = Tiles.of([features], TILE_HEIGHT, TILE_WIDTH)
    box_lists, list_ranges = build_index(tiles, (scale,), rois, None, aligned=True, rounded=True)
    launch(
        max_pool_backward,
        (tiles.number, -(-channels // block_channels)),
        features,
        grad_features,
        grad_features.stride(),
        *features.shape[2:],
        tiles.first_tile,
        tiles.tiles_per_row,
        tiles.tiles_per_image,
        rois,
        scale,
        box_lists,
        list_ranges,
        argmax,
        grad_output,
        grad_output.stride(),
        tiles.images,
        channels,
        len(rois),
        POOLED_HEIGHT=grad_output.shape[2],
        POOLED_WIDTH=grad_output.shape[3],
        CHANNELS_LAST=last,
        TILE_HEIGHT=TILE_HEIGHT,
        TILE_WIDTH=TILE_WIDTH,
        BLOCK_CHANNELS=block_channels,
        BLOCK_SIDE=block_size(max(grad_output.shape[2:]), 2**20),
    )
    return grad_features
