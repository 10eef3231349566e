"""RoIAlign: leave the box where it is, read the map between cells, average each bin's samples.

The loops of ``roilearn.reference.roi_align``, told as bags. Along one axis a sample reads two
cells. The four cells of a sample are the product of both axes, and so are all the cells of a bin:
what it reads down the map times what it reads across.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from roilearn.arguments import (
    check_features,
    check_output_size,
    check_sampling_ratio,
    check_spatial_scale,
)
from roilearn.ops.bag import Bag, weighted_sum
from roilearn.ops.boxes import as_rois
from roilearn.ops.interpolation import neighbours


def roi_align(
    input: Float[Tensor, "N C H W"],
    boxes: Float[Tensor, "K 5"] | Sequence[Float[Tensor, "_ 4"]],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
    *,
    validate: bool | None = None,
) -> Float[Tensor, "K C PH PW"]:
    """Average bilinear samples over each bin of each box."""
    bins = check_output_size(output_size)
    scale = check_spatial_scale(spatial_scale)
    ratio = check_sampling_ratio(sampling_ratio)
    check_features(input)
    rois = as_rois(boxes, len(input), input.dtype, validate=validate)
    top, left, height, width = region(rois, scale, aligned)
    rows = sample_positions(top, height, bins[0], ratio)
    columns = sample_positions(left, width, bins[1], ratio)
    make = direct_bag if 0 < ratio <= 4 else merged_bag
    bag = make(rois[:, 0], rows, columns, tuple(input.shape[-2:]))
    return weighted_sum(input, bag, (len(rois), *bins))


def region(rois, spatial_scale, aligned):
    """Boxes in index coordinates of the map: top, left, height and width of each, in cells."""
    x1, y1, x2, y2 = (rois[:, 1:] * spatial_scale - (0.5 if aligned else 0.0)).unbind(1)
    height, width = y2 - y1, x2 - x1
    if not aligned:
        height, width = height.clamp(min=1), width.clamp(min=1)
    return y1, x1, height, width


def sample_positions(start, length, bins, sampling_ratio=-1):
    """Index positions of the samples of each bin; NaN past the last sample of an adaptive box."""
    bin_size = (length / bins)[:, None, None]  # [K, 1, 1]
    i = torch.arange(bins, dtype=start.dtype, device=start.device)[:, None]  # [bins, 1]
    if sampling_ratio > 0:
        s = torch.arange(sampling_ratio, dtype=start.dtype, device=start.device)  # [S]
        return start[:, None, None] + i * bin_size + (s + 0.5) * bin_size / sampling_ratio
    samples = bin_size.detach().ceil().clamp(min=0)  # [K, 1, 1]
    most = int(samples.max()) if len(samples) else 0
    s = torch.arange(most, dtype=start.dtype, device=start.device)
    position = start[:, None, None] + i * bin_size + (s + 0.5) * bin_size / samples.clamp(min=1)
    return torch.where(s < samples, position, torch.nan)


def in_band(position, size):
    return (position >= -1) & (position <= size)


def direct_bag(image, rows, columns, size):
    K, PH, S = rows.shape
    row, row_weight = axis_entries(rows, size[0])
    column, column_weight = axis_entries(columns, size[1])
    row = (image.to(torch.int32)[:, None, None] * size[0] + row) * size[1]
    index = row[:, :, None, :, None] + column[:, None, :, None, :]
    weight = row_weight[:, :, None, :, None] * column_weight[:, None, :, None, :]
    offsets = torch.arange(0, index.numel(), 4 * S * S, dtype=torch.int32, device=index.device)
    return Bag(index.flatten(), weight.flatten(), offsets)


def axis_entries(position, size):
    low, high, fraction = neighbours(position, size)
    share = in_band(position, size).to(position.dtype) / position.shape[-1]
    weight = torch.stack([1 - fraction, fraction], -1) * share[..., None]
    return torch.stack([low, high], -1).flatten(2).to(torch.int32), weight.flatten(2)


def spans(position, size):
    live = ~position.isnan()
    inside = in_band(position, size)
    low, _, fraction = neighbours(torch.where(inside, position, 0), size)
    first = torch.where(inside, low, size - 1).amin(-1, keepdim=True)
    place = torch.where(inside, low - first, 0)
    share = inside.to(position.dtype) / live.sum(-1, keepdim=True).clamp(min=1)
    most = int(place.max()) + 2 if place.numel() else 2
    weight = share.new_zeros(*position.shape[:2], most)
    weight = weight.scatter_add(2, place, share * (1 - fraction))
    weight = weight.scatter_add(2, place + 1, share * fraction)
    count = torch.minimum(place.amax(-1) + 2, size - first[..., 0]) * inside.any(-1)
    return first[..., 0], count, weight


def spread(counts):
    owner = torch.repeat_interleave(counts)
    return owner, torch.arange(len(owner), device=counts.device) - (counts.cumsum(0) - counts)[
        owner
    ]


def merged_bag(image, rows, columns, size):
    K = len(image)
    ph, pw = rows.shape[1], columns.shape[1]
    if rows.shape[2] == 0 or columns.shape[2] == 0:
        z = torch.zeros(0, dtype=torch.int64)
        return Bag(z, rows.new_zeros(0), torch.zeros(K * ph * pw, dtype=torch.int64))
    fy, ny, wy = spans(rows, size[0])
    fx, nx, wx = spans(columns, size[1])
    bin, r = spread(ny[:, :, None].expand(K, ph, pw).flatten())
    k, i, j = bin // (ph * pw), bin // pw % ph, bin % pw
    run_cells = nx[k, j]
    run_first = (image.long()[k] * size[0] + fy[k, i] + r) * size[1] + fx[k, j]
    run_weight = wy[k, i, r]
    run, t = spread(run_cells)
    index = run_first[run] + t
    weight = run_weight[run] * wx.flatten()[((k * pw + j) * wx.shape[-1])[run] + t]
    cells = (ny[:, :, None] * nx[:, None, :]).flatten()
    return Bag(index, weight, cells.cumsum(0) - cells)


class RoIAlign(nn.Module):
    """``roi_align`` as a module, with torchvision's constructor."""

    def __init__(
        self,
        output_size: int | Sequence[int],
        spatial_scale: float,
        sampling_ratio: int,
        aligned: bool = False,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.spatial_scale = spatial_scale
        self.sampling_ratio = sampling_ratio
        self.aligned = aligned

    def forward(self, input: Tensor, rois: Tensor | Sequence[Tensor]) -> Tensor:
        """Pool ``rois``; see ``roi_align``."""
        return roi_align(
            input, rois, self.output_size, self.spatial_scale, self.sampling_ratio, self.aligned
        )

    def __repr__(self) -> str:
        """Write the settings as torchvision does."""
        return (
            f"{type(self).__name__}(output_size={self.output_size}, "
            f"spatial_scale={self.spatial_scale}, sampling_ratio={self.sampling_ratio}, "
            f"aligned={self.aligned})"
        )
