"""Forward pass of RoIAlign: a program averages the samples of some bins of one box.

It does so for a block of bins and a block of channels. A sample's position is computed once and
serves all channels of the program. The threads run along the axis that is contiguous in memory:
channels, if the maps are channels last; else bins, since the samples of neighbouring bins lie near
each other in a row.
"""

import triton
import triton.language as tl

from roilearn.kernels.device.sampling import (
    in_band,
    load_bins,
    neighbours,
    sample_position,
    samples_near,
    samples_per_bin,
    select_level,
)


@triton.jit
def expand_bins(values, CHANNELS_LAST: tl.constexpr):
    """Add an axis for channels to values of which each bin has one."""
    return values[:, None] if CHANNELS_LAST else values[None, :]


@triton.jit
def expand_channels(values, CHANNELS_LAST: tl.constexpr):
    """Add an axis for bins to values of which each channel has one."""
    return values[None, :] if CHANNELS_LAST else values[:, None]


@triton.jit
def input_channel(channel, bin, BINS: tl.constexpr, POSITION_SENSITIVE: tl.constexpr):
    """Return the channel of the map that a bin reads: one per bin, if position-sensitive."""
    return channel * BINS + bin if POSITION_SENSITIVE else channel


@triton.jit
def roi_align_forward(
    maps,
    heights,
    widths,
    scales,
    strides,  # of image, channel, row and column, for each level in turn
    rois,
    levels,
    output,
    output_strides,
    images,
    channels,
    LEVELS: tl.constexpr,
    POOLED_HEIGHT: tl.constexpr,
    POOLED_WIDTH: tl.constexpr,
    SAMPLING_RATIO: tl.constexpr,
    ALIGNED: tl.constexpr,
    POSITION_SENSITIVE: tl.constexpr,
    CHANNELS_LAST: tl.constexpr,
    BLOCK_BINS: tl.constexpr,
    BLOCK_CHANNELS: tl.constexpr,
):
    """Write ``BLOCK_BINS`` bins of one box, in ``BLOCK_CHANNELS`` channels."""
    BINS: tl.constexpr = POOLED_HEIGHT * POOLED_WIDTH
    blocks_per_box = tl.cdiv(BINS, BLOCK_BINS)
    box = tl.program_id(0) // blocks_per_box
    bin = tl.program_id(0) % blocks_per_box * BLOCK_BINS + tl.arange(0, BLOCK_BINS)
    channel = tl.program_id(1) * BLOCK_CHANNELS + tl.arange(0, BLOCK_CHANNELS)
    i, j = bin // POOLED_WIDTH, bin % POOLED_WIDTH

    level, _, image, top, left, bin_height, bin_width = load_bins(
        rois, levels, scales, box, images, LEVELS, POOLED_HEIGHT, POOLED_WIDTH, ALIGNED
    )
    rows, columns = select_level(heights, level, LEVELS), select_level(widths, level, LEVELS)
    grid_height = samples_per_bin(bin_height, POOLED_HEIGHT, SAMPLING_RATIO)
    grid_width = samples_per_bin(bin_width, POOLED_WIDTH, SAMPLING_RATIO)
    first_a, count_a = samples_near(top, bin_height, i, grid_height, -1, rows, SAMPLING_RATIO)
    first_b, count_b = samples_near(left, bin_width, j, grid_width, -1, columns, SAMPLING_RATIO)

    image_stride = select_level(strides, level, LEVELS, 4, 0)
    channel_stride = select_level(strides, level, LEVELS, 4, 1)
    row_stride = select_level(strides, level, LEVELS, 4, 2)
    column_stride = select_level(strides, level, LEVELS, 4, 3)
    bin_tile = expand_bins(bin, CHANNELS_LAST)
    channel_tile = expand_channels(channel, CHANNELS_LAST)
    mask = (bin_tile < BINS) & (channel_tile < channels)
    read = input_channel(channel_tile, bin_tile, BINS, POSITION_SENSITIVE).to(tl.int64)
    feature_map = select_level(maps, level, LEVELS) + image.to(tl.int64) * image_stride
    feature_map += read * channel_stride

    total = tl.zeros(mask.shape, tl.float32)
    for a in range(count_a):
        y = sample_position(top, bin_height, i, first_a + a, grid_height)
        y_valid = in_band(y, rows) & (first_a + a < grid_height) & (image >= 0)
        y0, y1, fy = neighbours(y, y_valid, rows)
        for b in range(count_b):
            x = sample_position(left, bin_width, j, first_b + b, grid_width)
            valid = y_valid & in_band(x, columns) & (first_b + b < grid_width)
            x0, x1, fx = neighbours(x, valid, columns)
            reads = mask & expand_bins(valid, CHANNELS_LAST)
            for corner in tl.static_range(4):
                row = y1 if corner // 2 else y0
                column = x1 if corner % 2 else x0
                weight = (fy if corner // 2 else 1 - fy) * (fx if corner % 2 else 1 - fx)
                offset = row.to(tl.int64) * row_stride + column.to(tl.int64) * column_stride
                cell = feature_map + expand_bins(offset, CHANNELS_LAST)
                value = tl.load(cell, mask=reads, other=0.0).to(tl.float32)
                total += expand_bins(weight, CHANNELS_LAST) * value
    total = tl.div_rn(total, tl.maximum(grid_height * grid_width, 1) * 1.0)

    place = output + box.to(tl.int64) * output_strides[0] + channel_tile * output_strides[1]
    place += expand_bins(i * output_strides[2] + j * output_strides[3], CHANNELS_LAST)
    tl.store(place, total.to(output.dtype.element_ty), mask=mask)
