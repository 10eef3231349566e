"""RoIAlign, forward, built up in three steps: what the book's page on GPUs runs and measures.

One map, float32, a fixed number of samples a bin. The last step has the form of the package's own
kernel (``average``), which adds pyramids, adaptive sampling, half precision and both layouts. All
three add the same products in the same order, so they give the same bits.
"""

from collections.abc import Sequence
from typing import Any

import torch
import triton
import triton.language as tl
from jaxtyping import Float
from torch import Tensor

from roilearn.arguments import check_features, check_output_size, check_spatial_scale, check_tensor
from roilearn.kernels.arguments import kernel_rois
from roilearn.kernels.device.sampling import bins_of, in_band, neighbours, sample_position
from roilearn.kernels.launch import block, check_place, launch
from roilearn.ops.dispatch import LARGEST_RATIO


# fmt: off
@triton.jit
def add_samples(
    total, cells, top, left, bin_height, bin_width, bin, rows, columns, strides, there,
    ACROSS: tl.constexpr, RATIO: tl.constexpr,
):
    """Add the samples of a bin, or of several, to ``total``: four cells each, by their weights."""
    for a in range(RATIO):
        y = sample_position(top, bin_height, bin // ACROSS, a, RATIO)
        y0, y1, fy = neighbours(y, in_band(y, rows), rows)
        for b in range(RATIO):
            x = sample_position(left, bin_width, bin % ACROSS, b, RATIO)
            x0, x1, fx = neighbours(x, in_band(x, columns), columns)
            counts = in_band(y, rows) & in_band(x, columns)
            for corner in tl.static_range(4):
                row = y1 if corner // 2 else y0
                column = x1 if corner % 2 else x0
                weight = (fy if corner // 2 else 1 - fy) * (fx if corner % 2 else 1 - fx)
                offset = row.to(tl.int64) * strides[2] + column.to(tl.int64) * strides[3]
                value = tl.load(cells + offset, mask=there, other=0.0)
                total += tl.where(counts, weight * value, 0.0)
    return total


@triton.jit
def one_number(
    features, rois, scales, output, strides, output_strides, images, channels, rows, columns,
    DOWN: tl.constexpr, ACROSS: tl.constexpr, RATIO: tl.constexpr, ALIGNED: tl.constexpr,
    SOME_BINS: tl.constexpr, SOME_CHANNELS: tl.constexpr,
):
    """Step 1: a program for each number of the output."""
    box, bin = tl.program_id(0) // (DOWN * ACROSS), tl.program_id(0) % (DOWN * ACROSS)
    channel = tl.program_id(1)
    _, _, image, top, left, bin_height, bin_width = bins_of(
        rois, None, scales, box, images, 1, DOWN, ACROSS, ALIGNED
    )
    cells = features + image.to(tl.int64) * strides[0] + channel.to(tl.int64) * strides[1]
    total = add_samples(
        tl.zeros((), tl.float32), cells, top, left, bin_height, bin_width, bin, rows, columns,
        strides, image >= 0, ACROSS, RATIO,
    )
    place = output + box.to(tl.int64) * output_strides[0] + channel * output_strides[1]
    place += bin // ACROSS * output_strides[2] + bin % ACROSS * output_strides[3]
    tl.store(place, tl.div_rn(total, RATIO * RATIO * 1.0))


@triton.jit
def one_bin(
    features, rois, scales, output, strides, output_strides, images, channels, rows, columns,
    DOWN: tl.constexpr, ACROSS: tl.constexpr, RATIO: tl.constexpr, ALIGNED: tl.constexpr,
    SOME_BINS: tl.constexpr, SOME_CHANNELS: tl.constexpr,
):
    """Step 2: a program for each bin, in a block of channels. They share its positions."""
    box, bin = tl.program_id(0) // (DOWN * ACROSS), tl.program_id(0) % (DOWN * ACROSS)
    channel = tl.program_id(1) * SOME_CHANNELS + tl.arange(0, SOME_CHANNELS)
    _, _, image, top, left, bin_height, bin_width = bins_of(
        rois, None, scales, box, images, 1, DOWN, ACROSS, ALIGNED
    )
    cells = features + image.to(tl.int64) * strides[0] + channel.to(tl.int64) * strides[1]
    there = channel < channels
    total = add_samples(
        tl.zeros((SOME_CHANNELS,), tl.float32), cells, top, left, bin_height, bin_width, bin,
        rows, columns, strides, there & (image >= 0), ACROSS, RATIO,
    )
    place = output + box.to(tl.int64) * output_strides[0] + channel * output_strides[1]
    place += bin // ACROSS * output_strides[2] + bin % ACROSS * output_strides[3]
    tl.store(place, tl.div_rn(total, RATIO * RATIO * 1.0), mask=there)


@triton.jit
def several_bins(
    features, rois, scales, output, strides, output_strides, images, channels, rows, columns,
    DOWN: tl.constexpr, ACROSS: tl.constexpr, RATIO: tl.constexpr, ALIGNED: tl.constexpr,
    SOME_BINS: tl.constexpr, SOME_CHANNELS: tl.constexpr,
):
    """Step 3: a program for several bins of a box, a tile of bins down and channels across."""
    parts = tl.cdiv(DOWN * ACROSS, SOME_BINS)
    box, part = tl.program_id(0) // parts, tl.program_id(0) % parts
    bin = part * SOME_BINS + tl.arange(0, SOME_BINS)[:, None]
    channel = tl.program_id(1) * SOME_CHANNELS + tl.arange(0, SOME_CHANNELS)[None, :]
    _, _, image, top, left, bin_height, bin_width = bins_of(
        rois, None, scales, box, images, 1, DOWN, ACROSS, ALIGNED
    )
    cells = features + image.to(tl.int64) * strides[0] + channel.to(tl.int64) * strides[1]
    there = (bin < DOWN * ACROSS) & (channel < channels)
    total = add_samples(
        tl.zeros((SOME_BINS, SOME_CHANNELS), tl.float32), cells, top, left, bin_height, bin_width,
        bin, rows, columns, strides, there & (image >= 0), ACROSS, RATIO,
    )
    place = output + box.to(tl.int64) * output_strides[0] + channel * output_strides[1]
    place += bin // ACROSS * output_strides[2] + bin % ACROSS * output_strides[3]
    tl.store(place, tl.div_rn(total, RATIO * RATIO * 1.0), mask=there)

# fmt: on


def run_step(
    step: Any,
    some_bins: int,
    some_channels: int,
    features: Float[Tensor, "N C H W"],
    boxes: Float[Tensor, "K 5"] | Sequence[Float[Tensor, "_ 4"]],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = 2,
    aligned: bool = True,
) -> Float[Tensor, "K C PH PW"]:
    """Launch one of the steps, with a program for each part of the output.

    Parameters
    ----------
    step : ``one_number``, ``one_bin`` or ``several_bins``.
    some_bins, some_channels : most bins and channels of a program; 1 where a step takes one.
    features, boxes, output_size, spatial_scale, sampling_ratio, aligned : as in
        ``roilearn.ops.roi_align``, the ratio 1 or more.

    Returns
    -------
    As ``roilearn.ops.roi_align``, laid out like ``features``.

    Raises
    ------
    ValueError: features that are not float32 or not on a GPU; a ratio below 1 or above 32; and as
        ``roilearn.ops.roi_align``.
    """
    down, across = check_output_size(output_size)
    scale = check_spatial_scale(spatial_scale)
    check_tensor("features", features)
    check_features(features)
    if not 1 <= sampling_ratio <= LARGEST_RATIO:
        raise ValueError(
            f"sampling_ratio must be from 1 to {LARGEST_RATIO} here; got {sampling_ratio}. The "
            "steps sample no bin adaptively: roilearn.kernels.roi_align does."
        )
    if features.dtype != torch.float32:
        raise ValueError(
            f"features must be float32 here; got {features.dtype}. Convert them, or call "
            "roilearn.kernels.roi_align, which takes half precision too."
        )
    check_place("features", features)
    rois = kernel_rois(boxes, features, None).detach().to(torch.float32).contiguous()
    return launch_step(
        step,
        some_bins,
        some_channels,
        features.detach(),
        rois,
        (down, across),
        scale,
        sampling_ratio,
        aligned=aligned,
    )


def launch_step(
    step: Any,
    some_bins: int,
    some_channels: int,
    features: Tensor,
    rois: Float[Tensor, "K 5"],
    bins: tuple[int, int],
    scale: float,
    ratio: int,
    *,
    aligned: bool,
) -> Tensor:
    """Make room for the output and start the programs; a bad row of ``rois`` gives zeros."""
    images, channels, rows, columns = features.shape
    last = features.stride(1) == 1 and channels > 1
    kind = torch.channels_last if last else torch.contiguous_format
    shape = (len(rois), channels, *bins)
    output = torch.empty(shape, device=features.device, memory_format=kind)
    if output.numel():
        some_channels = block(channels, some_channels)
        grid = (len(rois) * -(-bins[0] * bins[1] // some_bins), -(-channels // some_channels))
        launch(
            step,
            grid,
            features,
            *(features, rois, (scale,), output, features.stride(), output.stride()),
            *(images, channels, rows, columns),
            DOWN=bins[0],
            ACROSS=bins[1],
            RATIO=ratio,
            ALIGNED=aligned,
            SOME_BINS=some_bins,
            SOME_CHANNELS=some_channels,
        )
    return output
