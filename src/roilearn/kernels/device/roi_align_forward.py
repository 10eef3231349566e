"""Forward: one program averages the samples of some bins of one box, in some channels.

Where a sample lies is worked out once and then serves all channels of the program. Its lanes run
along whatever is contiguous in memory: channels, if the maps are channels last, else bins, whose
samples lie side by side.
"""

import triton
import triton.language as tl

from roilearn.kernels.device.sampling import (
    bins_of,
    in_band,
    neighbours,
    of_level,
    sample_position,
    samples_a_bin,
    samples_near,
)


@triton.jit
def for_bins(values, CHANNELS_LAST: tl.constexpr):
    """Lay numbers, one a bin, along the axis of bins of a tile."""
    return values[:, None] if CHANNELS_LAST else values[None, :]


@triton.jit
def for_channels(values, CHANNELS_LAST: tl.constexpr):
    """Lay numbers, one a channel, along the other axis."""
    return values[None, :] if CHANNELS_LAST else values[:, None]


@triton.jit
def channel_read(channel, bin, BINS: tl.constexpr, SENSITIVE: tl.constexpr):
    """Channel of the map that a bin reads: its own, if the operator is position-sensitive."""
    return channel * BINS + bin if SENSITIVE else channel


@triton.jit
def average(
    maps,
    heights,
    widths,
    scales,
    strides,  # of image, channel, row, column; level after level
    rois,
    which,
    output,
    output_strides,
    images,
    channels,
    LEVELS: tl.constexpr,
    DOWN: tl.constexpr,
    ACROSS: tl.constexpr,
    RATIO: tl.constexpr,
    ALIGNED: tl.constexpr,
    SENSITIVE: tl.constexpr,
    CHANNELS_LAST: tl.constexpr,
    SOME_BINS: tl.constexpr,
    SOME_CHANNELS: tl.constexpr,
):
    """Write ``SOME_BINS`` bins of one box, in ``SOME_CHANNELS`` channels."""
    BINS: tl.constexpr = DOWN * ACROSS
    parts = tl.cdiv(BINS, SOME_BINS)
    box = tl.program_id(0) // parts
    bin = tl.program_id(0) % parts * SOME_BINS + tl.arange(0, SOME_BINS)
    channel = tl.program_id(1) * SOME_CHANNELS + tl.arange(0, SOME_CHANNELS)
    i, j = bin // ACROSS, bin % ACROSS

    level, _, image, top, left, bin_height, bin_width = bins_of(
        rois, which, scales, box, images, LEVELS, DOWN, ACROSS, ALIGNED
    )
    rows, columns = of_level(heights, level, LEVELS), of_level(widths, level, LEVELS)
    down = samples_a_bin(bin_height, DOWN, RATIO)
    across = samples_a_bin(bin_width, ACROSS, RATIO)
    first_a, most_a = samples_near(top, bin_height, i, down, -1, rows, RATIO)
    first_b, most_b = samples_near(left, bin_width, j, across, -1, columns, RATIO)

    image_stride = of_level(strides, level, LEVELS, 4, 0)
    channel_stride = of_level(strides, level, LEVELS, 4, 1)
    row_stride = of_level(strides, level, LEVELS, 4, 2)
    column_stride = of_level(strides, level, LEVELS, 4, 3)
    bin_tile = for_bins(bin, CHANNELS_LAST)
    channel_tile = for_channels(channel, CHANNELS_LAST)
    there = (bin_tile < BINS) & (channel_tile < channels)
    read = channel_read(channel_tile, bin_tile, BINS, SENSITIVE).to(tl.int64)
    feature_map = of_level(maps, level, LEVELS) + image.to(tl.int64) * image_stride
    feature_map += read * channel_stride

    total = tl.zeros(there.shape, tl.float32)
    for a in range(most_a):
        y = sample_position(top, bin_height, i, first_a + a, down)
        y_counts = in_band(y, rows) & (first_a + a < down) & (image >= 0)
        y0, y1, fy = neighbours(y, y_counts, rows)
        for b in range(most_b):
            x = sample_position(left, bin_width, j, first_b + b, across)
            counts = y_counts & in_band(x, columns) & (first_b + b < across)
            x0, x1, fx = neighbours(x, counts, columns)
            reads = there & for_bins(counts, CHANNELS_LAST)
            for corner in tl.static_range(4):
                row = y1 if corner // 2 else y0
                column = x1 if corner % 2 else x0
                weight = (fy if corner // 2 else 1 - fy) * (fx if corner % 2 else 1 - fx)
                offset = row.to(tl.int64) * row_stride + column.to(tl.int64) * column_stride
                cell = feature_map + for_bins(offset, CHANNELS_LAST)
                value = tl.load(cell, mask=reads, other=0.0).to(tl.float32)
                total += for_bins(weight, CHANNELS_LAST) * value
    total = tl.div_rn(total, tl.maximum(down * across, 1) * 1.0)

    place = output + box.to(tl.int64) * output_strides[0] + channel_tile * output_strides[1]
    place += for_bins(i * output_strides[2] + j * output_strides[3], CHANNELS_LAST)
    tl.store(place, total.to(output.dtype.element_ty), mask=there)
