"""RoIPool: round the box to whole cells, cut it into whole-cell bins, keep each bin's maximum."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.autograd import Function

from roilearn.arguments import (
    check_choice,
    check_features,
    check_output_size,
    check_spatial_scale,
)
from roilearn.ops.bag import cell_table
from roilearn.ops.boxes import as_rois
from roilearn.ops.quantize import quantize_box

POOL_MODES = ("max", "average")
CELLS_AT_ONCE = 2**12
"""Rows of the table gathered before their maximum is taken: few enough to stay in the cache."""


def bin_edges(first, last, bins, limit):
    """Cells of each bin along one axis: rounded outwards, so that neighbouring bins overlap."""
    bin_size = ((last - first + 1).clamp(min=1) / bins)[:, None]  # [K, 1]
    i = torch.arange(bins, dtype=first.dtype, device=first.device)
    start = first[:, None] + (i * bin_size).floor()
    stop = first[:, None] + ((i + 1) * bin_size).ceil()
    return start.clamp(0, limit).long(), stop.clamp(0, limit).long()


def roi_pool(input, boxes, output_size, spatial_scale=1.0, mode="max", *, validate=None):
    check_choice("mode", mode, POOL_MODES)
    bins = check_output_size(output_size)
    check_features(input)
    rois = as_rois(boxes, len(input), input.dtype, validate=validate)
    H, W = input.shape[-2:]
    x1, y1, x2, y2 = quantize_box(rois[:, 1:].detach(), spatial_scale)
    top, bottom = bin_edges(y1, y2, bins[0], H)
    left, right = bin_edges(x1, x2, bins[1], W)
    h = (bottom - top).clamp(min=0)[:, :, None].expand(-1, -1, bins[1]).flatten()
    w = (right - left).clamp(min=0)[:, None, :].expand(-1, bins[0], -1).flatten()
    corner = (
        (rois[:, 0].long()[:, None, None] * H + top[:, :, None]) * W + left[:, None, :]
    ).flatten()
    table = cell_table(input)
    return (
        _Max.apply(table, corner, h, w, W)
        .view(len(rois), *bins, -1)
        .permute(0, 3, 1, 2)
        .contiguous()
    )


class _Max(Function):
    @staticmethod
    def forward(ctx, table, corner, h, w, W):
        area = h * w
        order = area.argsort()
        out = table.new_zeros(len(area), table.shape[1])
        win = torch.full(out.shape, -1, dtype=torch.int64)
        sizes = area[order].tolist()
        i = sum(s == 0 for s in sizes)
        while i < len(sizes):
            m = max(1, CELLS_AT_ONCE // sizes[min(len(sizes) - 1, i + CELLS_AT_ONCE // sizes[i])])
            b = order[i : i + m]
            n = int(area[b[-1]])
            t = torch.minimum(torch.arange(n), area[b, None] - 1)
            row = corner[b, None] + t // w[b, None] * W + t % w[b, None]
            cells = table[row.flatten()].view(len(b), n, -1)
            best, arg = cells.max(1)
            out[b] = best
            win[b] = row.gather(1, arg)
            i += m
        ctx.save_for_backward(win)
        ctx.shape = table.shape
        return out

    @staticmethod
    def backward(ctx, g):
        (win,) = ctx.saved_tensors
        out = g.new_zeros(ctx.shape[0] + 1, ctx.shape[1])
        return (
            out.scatter_add_(0, torch.where(win < 0, ctx.shape[0], win), g)[:-1],
            None,
            None,
            None,
            None,
        )


class RoIPool(nn.Module):
    """``roi_pool`` as a module, with torchvision's constructor."""

    def __init__(self, output_size: int | Sequence[int], spatial_scale: float) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale

    def forward(self, input: Tensor, rois: Tensor | Sequence[Tensor]) -> Tensor:
        """Pool ``rois``; see ``roi_pool``."""
        return roi_pool(input, rois, self.output_size, self.spatial_scale)

    def __repr__(self) -> str:
        """Write the settings as torchvision does."""
        return (
            f"{type(self).__name__}(output_size={self.output_size}, "
            f"spatial_scale={self.spatial_scale})"
        )
