"""Launches of RoIAlign's kernels: forward, feature gradients and box gradients.

Three operators share them. RoIAlign reads one map, position-sensitive RoIAlign other channels for
every bin, and multi-scale RoIAlign the map of each box's level. To a kernel all are maps, boxes and
options.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from roilearn.kernels.device.box_gradient import box_gradient
from roilearn.kernels.device.feature_gradient_atomic import feature_gradient_atomic
from roilearn.kernels.device.feature_gradient_gathered import feature_gradient_gathered
from roilearn.kernels.device.roi_align_forward import roi_align_forward
from roilearn.kernels.launch import Pyramid, block_size, block_sizes, channels_last, launch
from roilearn.kernels.tiles import TILE_HEIGHT, TILE_WIDTH, Tiles, build_index
from roilearn.ops.embedding_bags.layout import allocate_output, memory_format_of


@dataclass(frozen=True)
class PoolingOptions:
    """All arguments but the tensors; ``fallback(maps, rois)`` does the same in ``roilearn.ops``."""

    bins: tuple[int, int]
    scales: tuple[float, ...]
    sampling_ratio: int
    aligned: bool
    deterministic: bool
    fallback: Callable[[Sequence[Tensor], Tensor], Tensor]
    position_sensitive: bool = False

    def constants(self) -> dict[str, Any]:
        """Return the compile-time constants of the kernels."""
        return {
            "LEVELS": len(self.scales),
            "POOLED_HEIGHT": self.bins[0],
            "POOLED_WIDTH": self.bins[1],
            "SAMPLING_RATIO": max(self.sampling_ratio, 0),
            "ALIGNED": self.aligned,
            "POSITION_SENSITIVE": self.position_sensitive,
        }

    def channels(self, maps: Sequence[Tensor]) -> int:
        """Return the number of channels of the output."""
        return maps[0].shape[1] // (self.bins[0] * self.bins[1] if self.position_sensitive else 1)


def empty_output(
    maps: Sequence[Tensor],
    rois: Tensor,
    options: PoolingOptions,
    memory_format: torch.memory_format,
) -> Tensor:
    """Allocate the output."""
    like = maps[0][:, : options.channels(maps)]
    return allocate_output(like, (rois.shape[0], *options.bins), memory_format)


def pool_forward(
    maps: Sequence[Tensor],
    rois: Tensor,
    levels: Tensor | None,
    options: PoolingOptions,
    output: Tensor,
) -> None:
    """Write every bin to ``output``."""
    if not output.numel():
        return
    bins, channels = options.bins[0] * options.bins[1], output.shape[1]
    last, (block_bins, block_channels) = block_sizes(maps, bins, channels)
    grid = (len(rois) * -(-bins // block_bins), -(-channels // block_channels))
    launch(
        roi_align_forward,
        grid,
        rois,
        *Pyramid.of(maps, options.scales),
        rois.detach().contiguous(),
        levels,
        output,
        output.stride(),
        len(maps[0]),
        channels,
        **options.constants(),
        CHANNELS_LAST=last,
        BLOCK_BINS=block_bins,
        BLOCK_CHANNELS=block_channels,
    )


def feature_gradients(
    maps: Sequence[Tensor],
    rois: Tensor,
    levels: Tensor | None,
    options: PoolingOptions,
    grad_output: Tensor,
) -> list[Tensor]:
    """Return the gradients of the maps: gathered if deterministic, else summed with atomics."""
    if not grad_output.numel():
        return [torch.zeros_like(m) for m in maps]
    if not options.deterministic:
        return atomic_feature_gradients(maps, rois, levels, options, grad_output)
    grad_maps = [torch.empty_like(m, memory_format=memory_format_of(m)) for m in maps]
    last, channels = channels_last(maps), maps[0].shape[1]
    rois, tiles = rois.detach().contiguous(), Tiles.of(maps, TILE_HEIGHT, TILE_WIDTH)
    box_lists, list_ranges = build_index(tiles, options.scales, rois, levels, options.aligned)
    block_channels = block_size(channels, 64 if last else 32)
    launch(
        feature_gradient_gathered,
        (tiles.number, -(-channels // block_channels)),
        rois,
        *Pyramid.of(grad_maps, options.scales),
        tiles.first_tile,
        tiles.tiles_per_row,
        tiles.tiles_per_image,
        rois,
        box_lists,
        list_ranges,
        grad_output,
        grad_output.stride(),
        tiles.images,
        channels,
        len(rois),
        **options.constants(),
        CHANNELS_LAST=last,
        TILE_HEIGHT=TILE_HEIGHT,
        TILE_WIDTH=TILE_WIDTH,
        BLOCK_CHANNELS=block_channels,
        BLOCK_SIDE=block_size(max(options.bins), 2**20),
    )
    return grad_maps


def atomic_feature_gradients(
    maps: Sequence[Tensor],
    rois: Tensor,
    levels: Tensor | None,
    options: PoolingOptions,
    grad_output: Tensor,
) -> list[Tensor]:
    """Return the gradients of the maps, summed with atomics in float32."""
    sums = [
        torch.zeros_like(m, dtype=torch.float32, memory_format=memory_format_of(m)) for m in maps
    ]
    bins, channels = options.bins[0] * options.bins[1], grad_output.shape[1]
    last, (block_bins, block_channels) = block_sizes(maps, bins, channels)
    launch(
        feature_gradient_atomic,
        (len(rois) * -(-bins // block_bins), -(-channels // block_channels)),
        rois,
        *Pyramid.of(sums, options.scales),
        rois.detach().contiguous(),
        levels,
        grad_output,
        grad_output.stride(),
        len(maps[0]),
        channels,
        **options.constants(),
        CHANNELS_LAST=last,
        BLOCK_BINS=block_bins,
        BLOCK_CHANNELS=block_channels,
    )
    return [each.to(m.dtype) for each, m in zip(sums, maps, strict=True)]


def box_gradients(
    maps: Sequence[Tensor],
    rois: Tensor,
    levels: Tensor | None,
    options: PoolingOptions,
    grad_output: Tensor,
) -> Tensor:
    """Return the gradient of the boxes, columns as in ``rois``."""
    grad_rois = torch.zeros_like(rois, memory_format=torch.contiguous_format)
    if not grad_output.numel():
        return grad_rois
    channels = grad_output.shape[1]
    last, (block_bins, block_channels) = block_sizes(
        maps, options.bins[0] * options.bins[1], channels
    )
    launch(
        box_gradient,
        (len(rois),),
        rois,
        *Pyramid.of(maps, options.scales),
        rois.detach().contiguous(),
        levels,
        grad_output,
        grad_output.stride(),
        grad_rois,
        len(maps[0]),
        channels,
        **options.constants(),
        CHANNELS_LAST=last,
        BLOCK_BINS=block_bins,
        BLOCK_CHANNELS=block_channels,
    )
    return grad_rois
