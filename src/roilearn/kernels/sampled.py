"""What three operators share: the launches of a pooling by samples, and its place in autograd.

RoIAlign reads one map, position-sensitive RoIAlign a map for every bin, pooling from a pyramid the
map of each box's level. To a kernel all are maps, boxes and options.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int32
from torch import Tensor
from torch.autograd import Function

from roilearn.kernels.average import average
from roilearn.kernels.gather import gather
from roilearn.kernels.launch import (
    EXACT,
    Tiles,
    block,
    blocks,
    channels_last,
    check_place,
    pyramid,
)
from roilearn.kernels.scatter import scatter
from roilearn.kernels.to_boxes import pull_edges
from roilearn.kernels.touching import list_boxes
from roilearn.ops.bag import empty
from roilearn.ops.boxes import without_bad_rows
from roilearn.ops.layout import format_of
from roilearn.ops.memory import check_out, check_unrecorded, recording

TILE_DOWN, TILE_ACROSS = 4, 16
"""Cells of a program on the way back: in a row as many as two sectors of memory hold."""
SOME_BOXES = 256
"""Boxes that the index looks at together."""


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


def pool_samples(
    maps: Sequence[Float[Tensor, "N _ _ _"]],
    rois: Float[Tensor, "K 5"],
    which: Int32[Tensor, " K"] | None,
    options: Options,
    out: Float[Tensor, "K C PH PW"] | None = None,
    memory_format: torch.memory_format = torch.contiguous_format,
) -> Float[Tensor, "K C PH PW"]:
    """Average the samples of every bin.

    Parameters
    ----------
    maps : one map, or the levels of a pyramid.
    rois : batch index, x1, y1, x2, y2 in image pixels; bad rows give zeros.
    which : number of the map that each box reads; None: there is one.
    """
    check_place("input", maps[0])
    rois = rois.to(torch.float32)
    if recording(*maps, rois):
        check_unrecorded(out)
        return _Samples.apply(options, memory_format, rois, which, *maps)
    if out is None:
        out = _output(maps, rois, options, memory_format)
    else:
        check_out(out, maps, (rois.shape[0], *options.bins))
    _average(maps, rois, which, options, out)
    return out


class _Samples(Function):
    """The mean of the samples of each bin; back to the features by gathering, and to the boxes."""

    @staticmethod
    def forward(
        options: Options,
        memory_format: torch.memory_format,
        rois: Tensor,
        which: Tensor | None,
        *maps: Tensor,
    ) -> Tensor:
        output = _output(maps, rois, options, memory_format)
        _average(maps, rois, which, options, output)
        return output

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        del output
        ctx.options, _, rois, which, *maps = inputs
        ctx.save_for_backward(rois, which, *maps)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rois, which, *maps = ctx.saved_tensors
        to_rois, to_maps = None, [None] * len(maps)
        if torch.is_grad_enabled():  # the derivative will be differentiated
            to_rois, *to_maps = _by_bags(ctx.options, [rois, *maps], gradient)
        else:
            if any(ctx.needs_input_grad[4:]):
                to_maps = _to_features(maps, rois, which, ctx.options, gradient)
            if ctx.needs_input_grad[2]:
                to_rois = _to_boxes(maps, rois, which, ctx.options, gradient)
        return None, None, to_rois, None, *to_maps


def _output(
    maps: Sequence[Tensor], rois: Tensor, options: Options, memory_format: torch.memory_format
) -> Tensor:
    like = maps[0][:, : options.channels(maps)]
    return empty(like, (rois.shape[0], *options.bins), memory_format)


def _average(
    maps: Sequence[Tensor],
    rois: Tensor,
    which: Tensor | None,
    options: Options,
    output: Tensor,
) -> None:
    if not output.numel():
        return
    bins, channels = options.bins[0] * options.bins[1], output.shape[1]
    last, (some_bins, some_channels) = blocks(maps, bins, channels)
    grid = (len(rois) * -(-bins // some_bins), -(-channels // some_channels))
    with torch.cuda.device_of(rois):
        average[grid](
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
            **EXACT,
        )


def _to_features(
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
        return _scattered(maps, rois, which, options, gradient)
    to_maps = [torch.empty_like(m, memory_format=format_of(m)) for m in maps]
    last, channels = channels_last(maps), maps[0].shape[1]
    rois, tiles = rois.detach().contiguous(), Tiles.of(maps, TILE_DOWN, TILE_ACROSS)
    lists, counts = list_touching(tiles, options.scales, rois, which, options.aligned)
    some_channels = block(channels, 64 if last else 32)
    with torch.cuda.device_of(rois):
        gather[(tiles.number, -(-channels // some_channels))](
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
            **EXACT,
        )
    return to_maps


def list_touching(
    tiles: Tiles,
    scales: Sequence[float],
    rois: Tensor,
    which: Tensor | None,
    aligned: bool,
    *,
    rounded: bool = False,
) -> tuple[Int32[Tensor, "T K"], Int32[Tensor, "2 tiles"]]:
    """Boxes that reach into each tile, and where they stand: the index of ``touching``."""
    lists = rois.new_empty(max(tiles.per_image), len(rois), dtype=torch.int32)
    counts = rois.new_empty(2, tiles.number, dtype=torch.int32)
    with torch.cuda.device_of(rois):
        list_boxes[(tiles.number,)](
            tiles.begins,
            tiles.across,
            tiles.per_image,
            tuple(scales),
            rois,
            which,
            lists,
            counts,
            tiles.images,
            len(rois),
            LEVELS=len(scales),
            ALIGNED=aligned,
            ROUNDED=rounded,
            TILE_DOWN=TILE_DOWN,
            TILE_ACROSS=TILE_ACROSS,
            SOME_BOXES=block(len(rois), SOME_BOXES),
            **EXACT,
        )
    return lists, counts


def _scattered(
    maps: Sequence[Tensor],
    rois: Tensor,
    which: Tensor | None,
    options: Options,
    gradient: Tensor,
) -> list[Tensor]:
    sums = [torch.zeros_like(m, dtype=torch.float32, memory_format=format_of(m)) for m in maps]
    bins, channels = options.bins[0] * options.bins[1], gradient.shape[1]
    last, (some_bins, some_channels) = blocks(maps, bins, channels)
    with torch.cuda.device_of(rois):
        scatter[(len(rois) * -(-bins // some_bins), -(-channels // some_channels))](
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
            **EXACT,
        )
    return [each.to(m.dtype) for each, m in zip(sums, maps, strict=True)]


def _to_boxes(
    maps: Sequence[Tensor],
    rois: Tensor,
    which: Tensor | None,
    options: Options,
    gradient: Tensor,
) -> Tensor:
    to_rois = torch.zeros_like(rois, memory_format=torch.contiguous_format)
    if not gradient.numel():
        return to_rois
    channels = gradient.shape[1]
    last, (some_bins, some_channels) = blocks(maps, options.bins[0] * options.bins[1], channels)
    with torch.cuda.device_of(rois):
        pull_edges[(len(rois),)](
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
            **EXACT,
        )
    return to_rois


def _by_bags(
    options: Options, inputs: Sequence[Tensor], gradient: Tensor
) -> Sequence[Tensor | None]:
    """Gradients to boxes and maps that can be differentiated again: by the PyTorch path."""
    rois, *maps = inputs
    output = options.by_bags(maps, without_bad_rows(rois, len(maps[0])))
    wanted = [each for each in inputs if each.requires_grad]
    found = iter(torch.autograd.grad(output, wanted, gradient, create_graph=True))
    return [next(found) if each.requires_grad else None for each in inputs]
