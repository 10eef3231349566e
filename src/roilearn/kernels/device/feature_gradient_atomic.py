"""Backward to the features with atomics: every sample pays its four cells, whoever else does.

The forward kernel the other way round. Programs of boxes that overlap add to the same cells in
whatever order the GPU finds; float32 sums depend on their order, so two runs differ in the last
bits. The sums stand in float32, since half precision would lose small payments.
"""

import triton
import triton.language as tl

from roilearn.kernels.device.roi_align_forward import channel_read, for_bins, for_channels
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
def scatter(
    maps,  # zeros, to which is added
    heights,
    widths,
    scales,
    strides,
    rois,
    which,
    gradient,
    gradient_strides,
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
    """Pay from ``SOME_BINS`` bins of one box, in ``SOME_CHANNELS`` channels."""
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

    bin_tile = for_bins(bin, CHANNELS_LAST)
    channel_tile = for_channels(channel, CHANNELS_LAST)
    there = (bin_tile < BINS) & (channel_tile < channels)
    place = gradient + box.to(tl.int64) * gradient_strides[0] + channel_tile * gradient_strides[1]
    place += for_bins(i * gradient_strides[2] + j * gradient_strides[3], CHANNELS_LAST)
    arriving = tl.load(place, mask=there, other=0.0).to(tl.float32)
    arriving = tl.div_rn(arriving, tl.maximum(down * across, 1) * 1.0)

    read = channel_read(channel_tile, bin_tile, BINS, SENSITIVE).to(tl.int64)
    feature_map = of_level(maps, level, LEVELS)
    feature_map += image.to(tl.int64) * of_level(strides, level, LEVELS, 4, 0)
    feature_map += read * of_level(strides, level, LEVELS, 4, 1)
    row_stride = of_level(strides, level, LEVELS, 4, 2)
    column_stride = of_level(strides, level, LEVELS, 4, 3)
    for a in range(most_a):
        y = sample_position(top, bin_height, i, first_a + a, down)
        y_counts = in_band(y, rows) & (first_a + a < down) & (image >= 0)
        y0, y1, fy = neighbours(y, y_counts, rows)
        for b in range(most_b):
            x = sample_position(left, bin_width, j, first_b + b, across)
            counts = y_counts & in_band(x, columns) & (first_b + b < across)
            x0, x1, fx = neighbours(x, counts, columns)
            pays = there & for_bins(counts, CHANNELS_LAST)
            for corner in tl.static_range(4):
                row = y1 if corner // 2 else y0
                column = x1 if corner % 2 else x0
                weight = (fy if corner // 2 else 1 - fy) * (fx if corner % 2 else 1 - fx)
                offset = row.to(tl.int64) * row_stride + column.to(tl.int64) * column_stride
                cell = feature_map + for_bins(offset, CHANNELS_LAST)
                tl.atomic_add(cell, for_bins(weight, CHANNELS_LAST) * arriving, mask=pays)
