"""The launches that three operators share: forward, back to the features, and back to the boxes.

RoIAlign reads one map, position-sensitive RoIAlign a map for every bin, pooling from a pyramid the
map of each box's level. To a kernel all are maps, boxes and options.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from roilearn.kernels.device.box_gradient import pull_edges
from roilearn.kernels.device.feature_gradient_atomic import scatter
from roilearn.kernels.device.feature_gradient_gathered import gather
from roilearn.kernels.device.roi_align_forward import average
from roilearn.kernels.launch import block, blocks, channels_last, launch, pyramid
from roilearn.kernels.tiles import TILE_ACROSS, TILE_DOWN, Tiles, list_touching
from roilearn.ops.embedding_bags.bag import empty
from roilearn.ops.embedding_bags.layout import format_of


@dataclass(frozen=True)
class Options:
    """All but the tensors; ``by_bags(maps, rois)`` is the same answer by the PyTorch path."""

    bins: tuple[int, int]
    scales: tuple[float, ...]
    ratio: int
    aligned: bool
    deterministic: bool
    by_bags: Callable[[Sequence[Tensor], Tensor], Tensor]
    sensitive: bool = False

    def constants(self) -> dict[str, Any]:
        """Give what kernels are compiled for."""
        return {
            "LEVELS": len(self.scales),
            "DOWN": self.bins[0],
            "ACROSS": self.bins[1],
            "RATIO": max(self.ratio, 0),
            "ALIGNED": self.aligned,
            "SENSITIVE": self.sensitive,
        }

    def channels(self, maps: Sequence[Tensor]) -> int:
        """Count the channels of the output."""
        return maps[0].shape[1] // (self.bins[0] * self.bins[1] if self.sensitive else 1)


def output_for(
    maps: Sequence[Tensor], rois: Tensor, options: Options, memory_format: torch.memory_format
) -> Tensor:
    """Memory for the output."""
    like = maps[0][:, : options.channels(maps)]
    return empty(like, (rois.shape[0], *options.bins), memory_format)


def average_samples(
    maps: Sequence[Tensor],
    rois: Tensor,
    which: Tensor | None,
    options: Options,
    output: Tensor,
) -> None:
    """Forward: write every bin to ``output``."""
    if not output.numel():
        return
    bins, channels = options.bins[0] * options.bins[1], output.shape[1]
    last, (some_bins, some_channels) = blocks(maps, bins, channels)
    grid = (len(rois) * -(-bins // some_bins), -(-channels // some_channels))
    launch(
        average,
        grid,
        rois,
        *pyramid(maps, options.scales),
        rois.detach().contiguous(),
        which,
        output,
        output.stride(),
        len(maps[0]),
        channels,
        **options.constants(),
        CHANNELS_LAST=last,
        SOME_BINS=some_bins,
        SOME_CHANNELS=some_channels,
    )


def pay_features(
    maps: Sequence[Tensor],
    rois: Tensor,
    which: Tensor | None,
    options: Options,
    gradient: Tensor,
) -> list[Tensor]:
    """Gradients to the maps: by gathering, in one order; or by adding, in any."""
    if not gradient.numel():
        return [torch.zeros_like(m) for m in maps]
    if not options.deterministic:
        return scattered(maps, rois, which, options, gradient)
    to_maps = [torch.empty_like(m, memory_format=format_of(m)) for m in maps]
    last, channels = channels_last(maps), maps[0].shape[1]
    rois, tiles = rois.detach().contiguous(), Tiles.of(maps, TILE_DOWN, TILE_ACROSS)
    lists, counts = list_touching(tiles, options.scales, rois, which, options.aligned)
    some_channels = block(channels, 64 if last else 32)
    launch(
        gather,
        (tiles.number, -(-channels // some_channels)),
        rois,
        *pyramid(to_maps, options.scales),
        tiles.begins,
        tiles.across,
        tiles.per_image,
        rois,
        lists,
        counts,
        gradient,
        gradient.stride(),
        tiles.images,
        channels,
        len(rois),
        **options.constants(),
        CHANNELS_LAST=last,
        TILE_DOWN=TILE_DOWN,
        TILE_ACROSS=TILE_ACROSS,
        SOME_CHANNELS=some_channels,
        POWER=block(max(options.bins), 2**20),
    )
    return to_maps


def scattered(
    maps: Sequence[Tensor],
    rois: Tensor,
    which: Tensor | None,
    options: Options,
    gradient: Tensor,
) -> list[Tensor]:
    """Gradients to the maps with atomics, summed in float32."""
    sums = [torch.zeros_like(m, dtype=torch.float32, memory_format=format_of(m)) for m in maps]
    bins, channels = options.bins[0] * options.bins[1], gradient.shape[1]
    last, (some_bins, some_channels) = blocks(maps, bins, channels)
    launch(
        scatter,
        (len(rois) * -(-bins // some_bins), -(-channels // some_channels)),
        rois,
        *pyramid(sums, options.scales),
        rois.detach().contiguous(),
        which,
        gradient,
        gradient.stride(),
        len(maps[0]),
        channels,
        **options.constants(),
        CHANNELS_LAST=last,
        SOME_BINS=some_bins,
        SOME_CHANNELS=some_channels,
    )
    return [each.to(m.dtype) for each, m in zip(sums, maps, strict=True)]


def pay_boxes(
    maps: Sequence[Tensor],
    rois: Tensor,
    which: Tensor | None,
    options: Options,
    gradient: Tensor,
) -> Tensor:
    """Gradient to the boxes, columns as in ``rois``."""
    to_rois = torch.zeros_like(rois, memory_format=torch.contiguous_format)
    if not gradient.numel():
        return to_rois
    channels = gradient.shape[1]
    last, (some_bins, some_channels) = blocks(maps, options.bins[0] * options.bins[1], channels)
    launch(
        pull_edges,
        (len(rois),),
        rois,
        *pyramid(maps, options.scales),
        rois.detach().contiguous(),
        which,
        gradient,
        gradient.stride(),
        to_rois,
        len(maps[0]),
        channels,
        **options.constants(),
        CHANNELS_LAST=last,
        SOME_BINS=some_bins,
        SOME_CHANNELS=some_channels,
    )
    return to_rois
