"""RoIAlign's forward kernel built up in three steps, for the book's page on GPUs.

The steps take one map, float32 and a fixed number of samples per bin. The last one has the form of
the package's own kernel (``device/roi_align_forward``), which adds pyramids, adaptive sampling,
half precision and both memory layouts. All three add the same products in the same order, so they
give the same bits.
"""

from collections.abc import Sequence
from typing import Any

import torch
import triton
import triton.language as tl
from jaxtyping import Float
from torch import Tensor

from roilearn.arguments import check_features, check_output_size, check_spatial_scale, check_tensor
from roilearn.kernels.arguments import to_rois
from roilearn.kernels.device.sampling import in_band, load_bins, neighbours, sample_position
from roilearn.kernels.launch import block_size, check_device, launch
from roilearn.ops.dispatch import MAX_SAMPLING_RATIO


# fmt: off
@triton.jit
def add_samples(
    total, cells, top, left, bin_height, bin_width, bin,
    rows, columns, strides, mask,
    POOLED_WIDTH: tl.constexpr, SAMPLING_RATIO: tl.constexpr,
):
    """Add the samples of one bin or several to ``total``: four weighted cells each."""
    for a in range(SAMPLING_RATIO):
        y = sample_position(
            top, bin_height, bin // POOLED_WIDTH, a, SAMPLING_RATIO
        )
        y0, y1, fy = neighbours(y, in_band(y, rows), rows)
        for b in range(SAMPLING_RATIO):
            x = sample_position(
                left, bin_width, bin % POOLED_WIDTH, b, SAMPLING_RATIO
            )
            x0, x1, fx = neighbours(x, in_band(x, columns), columns)
            valid = in_band(y, rows) & in_band(x, columns)
            for corner in tl.static_range(4):
                row = y1 if corner // 2 else y0
                column = x1 if corner % 2 else x0
                weight = fy if corner // 2 else 1 - fy
                weight *= fx if corner % 2 else 1 - fx
                place = cells + row.to(tl.int64) * strides[2]
                place += column.to(tl.int64) * strides[3]
                value = tl.load(place, mask=mask, other=0.0)
                total += tl.where(valid, weight * value, 0.0)
    return total


@triton.jit
def one_number(
    features, rois, scales, output, strides, output_strides,
    images, channels, rows, columns,
    POOLED_HEIGHT: tl.constexpr, POOLED_WIDTH: tl.constexpr,
    SAMPLING_RATIO: tl.constexpr, ALIGNED: tl.constexpr,
    BLOCK_BINS: tl.constexpr, BLOCK_CHANNELS: tl.constexpr,
):
    """Step 1: a program for each number of the output."""
    BINS: tl.constexpr = POOLED_HEIGHT * POOLED_WIDTH
    box, bin = tl.program_id(0) // BINS, tl.program_id(0) % BINS
    channel = tl.program_id(1)
    _, _, image, top, left, bin_height, bin_width = load_bins(
        rois, None, scales, box, images, 1,
        POOLED_HEIGHT, POOLED_WIDTH, ALIGNED,
    )
    cells = features + image.to(tl.int64) * strides[0]
    cells += channel.to(tl.int64) * strides[1]
    total = add_samples(
        tl.zeros((), tl.float32), cells, top, left, bin_height, bin_width,
        bin, rows, columns, strides, image >= 0, POOLED_WIDTH, SAMPLING_RATIO,
    )
    place = output + box.to(tl.int64) * output_strides[0]
    place += channel * output_strides[1]
    place += bin // POOLED_WIDTH * output_strides[2]
    place += bin % POOLED_WIDTH * output_strides[3]
    tl.store(place, tl.div_rn(total, SAMPLING_RATIO * SAMPLING_RATIO * 1.0))


@triton.jit
def one_bin(
    features, rois, scales, output, strides, output_strides,
    images, channels, rows, columns,
    POOLED_HEIGHT: tl.constexpr, POOLED_WIDTH: tl.constexpr,
    SAMPLING_RATIO: tl.constexpr, ALIGNED: tl.constexpr,
    BLOCK_BINS: tl.constexpr, BLOCK_CHANNELS: tl.constexpr,
):
    """Step 2: a program for each bin and block of channels, which share the bin's positions."""
    BINS: tl.constexpr = POOLED_HEIGHT * POOLED_WIDTH
    box, bin = tl.program_id(0) // BINS, tl.program_id(0) % BINS
    channel = tl.program_id(1) * BLOCK_CHANNELS
    channel += tl.arange(0, BLOCK_CHANNELS)
    _, _, image, top, left, bin_height, bin_width = load_bins(
        rois, None, scales, box, images, 1,
        POOLED_HEIGHT, POOLED_WIDTH, ALIGNED,
    )
    cells = features + image.to(tl.int64) * strides[0]
    cells += channel.to(tl.int64) * strides[1]
    mask = channel < channels
    total = add_samples(
        tl.zeros((BLOCK_CHANNELS,), tl.float32),
        cells, top, left, bin_height, bin_width, bin, rows, columns,
        strides, mask & (image >= 0), POOLED_WIDTH, SAMPLING_RATIO,
    )
    place = output + box.to(tl.int64) * output_strides[0]
    place += channel * output_strides[1]
    place += bin // POOLED_WIDTH * output_strides[2]
    place += bin % POOLED_WIDTH * output_strides[3]
    mean = tl.div_rn(total, SAMPLING_RATIO * SAMPLING_RATIO * 1.0)
    tl.store(place, mean, mask=mask)


@triton.jit
def several_bins(
    features, rois, scales, output, strides, output_strides,
    images, channels, rows, columns,
    POOLED_HEIGHT: tl.constexpr, POOLED_WIDTH: tl.constexpr,
    SAMPLING_RATIO: tl.constexpr, ALIGNED: tl.constexpr,
    BLOCK_BINS: tl.constexpr, BLOCK_CHANNELS: tl.constexpr,
):
    """Step 3: a program for a tile: several bins of a box (rows) by several channels (columns)."""
    blocks_per_box = tl.cdiv(POOLED_HEIGHT * POOLED_WIDTH, BLOCK_BINS)
    box = tl.program_id(0) // blocks_per_box
    block = tl.program_id(0) % blocks_per_box
    bin = block * BLOCK_BINS + tl.arange(0, BLOCK_BINS)[:, None]
    channel = tl.program_id(1) * BLOCK_CHANNELS
    channel += tl.arange(0, BLOCK_CHANNELS)[None, :]
    _, _, image, top, left, bin_height, bin_width = load_bins(
        rois, None, scales, box, images, 1,
        POOLED_HEIGHT, POOLED_WIDTH, ALIGNED,
    )
    cells = features + image.to(tl.int64) * strides[0]
    cells += channel.to(tl.int64) * strides[1]
    mask = (bin < POOLED_HEIGHT * POOLED_WIDTH) & (channel < channels)
    total = add_samples(
        tl.zeros((BLOCK_BINS, BLOCK_CHANNELS), tl.float32),
        cells, top, left, bin_height, bin_width, bin, rows, columns,
        strides, mask & (image >= 0), POOLED_WIDTH, SAMPLING_RATIO,
    )
    place = output + box.to(tl.int64) * output_strides[0]
    place += channel * output_strides[1]
    place += bin // POOLED_WIDTH * output_strides[2]
    place += bin % POOLED_WIDTH * output_strides[3]
    mean = tl.div_rn(total, SAMPLING_RATIO * SAMPLING_RATIO * 1.0)
    tl.store(place, mean, mask=mask)

# fmt: on


def run_step(
    step: Any,
    block_bins: int,
    block_channels: int,
    features: Float[Tensor, "N C H W"],
    boxes: Float[Tensor, "K 5"] | Sequence[Float[Tensor, "_ 4"]],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = 2,
    aligned: bool = True,
) -> Float[Tensor, "K C PH PW"]:
    """Launch one of the steps, with a program for each block of the output.

    Parameters
    ----------
    step : ``one_number``, ``one_bin`` or ``several_bins``.
    block_bins, block_channels : bins and channels of a program, at most; 1 where a step takes one.
    features, boxes, output_size, spatial_scale, sampling_ratio, aligned : as in
        ``roilearn.ops.roi_align``; the ratio must be 1 or more.

    Returns
    -------
    As ``roilearn.ops.roi_align``, laid out like ``features``.

    Raises
    ------
    ValueError: features that are not float32 or not on a GPU; a ratio below 1 or above 32; and as
        ``roilearn.ops.roi_align``.
    """
    bins = check_output_size(output_size)
    scale = check_spatial_scale(spatial_scale)
    check_tensor("features", features)
    check_features(features)
    if not 1 <= sampling_ratio <= MAX_SAMPLING_RATIO:
        raise ValueError(
            f"sampling_ratio must be from 1 to {MAX_SAMPLING_RATIO} here; got {sampling_ratio}. "
            "The steps have no adaptive sampling; roilearn.kernels.roi_align has."
        )
    if features.dtype != torch.float32:
        raise ValueError(
            f"features must be float32 here; got {features.dtype}. Convert them, or call "
            "roilearn.kernels.roi_align, which takes half precision too."
        )
    check_device("features", features)
    rois = to_rois(boxes, features, None).detach().to(torch.float32).contiguous()
    return launch_step(
        step,
        block_bins,
        block_channels,
        features.detach(),
        rois,
        bins,
        scale,
        sampling_ratio,
        aligned=aligned,
    )


def launch_step(
    step: Any,
    block_bins: int,
    block_channels: int,
    features: Tensor,
    rois: Float[Tensor, "K 5"],
    bins: tuple[int, int],
    scale: float,
    ratio: int,
    *,
    aligned: bool,
) -> Tensor:
    """Allocate the output and launch the programs; a bad row of ``rois`` gives zeros."""
    images, channels, rows, columns = features.shape
    last = features.stride(1) == 1 and channels > 1
    layout = torch.channels_last if last else torch.contiguous_format
    shape = (len(rois), channels, *bins)
    output = torch.empty(shape, device=features.device, memory_format=layout)
    if output.numel():
        block_channels = block_size(channels, block_channels)
        grid = (len(rois) * -(-bins[0] * bins[1] // block_bins), -(-channels // block_channels))
        launch(
            step,
            grid,
            features,
            *(features, rois, (scale,), output, features.stride(), output.stride()),
            *(images, channels, rows, columns),
            POOLED_HEIGHT=bins[0],
            POOLED_WIDTH=bins[1],
            SAMPLING_RATIO=ratio,
            ALIGNED=aligned,
            BLOCK_BINS=block_bins,
            BLOCK_CHANNELS=block_channels,
        )
    return output
