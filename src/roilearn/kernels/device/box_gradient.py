"""Backward to the boxes: one program goes through all samples of one box and adds their pulls.

A sample pulls by the gradient that arrives at its bin times the slope of the map where it lies. It
moves with both edges of its box: by 1 - t with the first and by t with the second, where t is how
far along the box it lies. A side held at one cell (not aligned) moves with its first edge alone.
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
def pull_edges(
    maps,
    heights,
    widths,
    scales,
    strides,
    rois,
    which,
    gradient,
    gradient_strides,
    to_rois,
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
    """Write the gradient to one row of ``rois``; that to its batch index is 0."""
    BINS: tl.constexpr = DOWN * ACROSS
    box = tl.program_id(0)
    level, scale, image, top, left, bin_height, bin_width = bins_of(
        rois, which, scales, box, images, LEVELS, DOWN, ACROSS, ALIGNED
    )
    rows, columns = of_level(heights, level, LEVELS), of_level(widths, level, LEVELS)
    down = samples_a_bin(bin_height, DOWN, RATIO)
    across = samples_a_bin(bin_width, ACROSS, RATIO)
    image_stride = of_level(strides, level, LEVELS, 4, 0)
    channel_stride = of_level(strides, level, LEVELS, 4, 1)
    row_stride = of_level(strides, level, LEVELS, 4, 2)
    column_stride = of_level(strides, level, LEVELS, 4, 3)
    of_image = of_level(maps, level, LEVELS) + image.to(tl.int64) * image_stride
    of_box = gradient + box.to(tl.int64) * gradient_strides[0]

    # Pulls of each bin on the first edges and on the second ones.
    lane = tl.arange(0, SOME_BINS)
    pull_top, pull_bottom = lane * 0.0, lane * 0.0
    pull_left, pull_right = lane * 0.0, lane * 0.0
    for first_bin in range(0, BINS, SOME_BINS):
        bin = first_bin + lane
        i, j = bin // ACROSS, bin % ACROSS
        bin_tile = for_bins(bin, CHANNELS_LAST)
        first_a, most_a = samples_near(top, bin_height, i, down, -1, rows, RATIO)
        first_b, most_b = samples_near(left, bin_width, j, across, -1, columns, RATIO)
        for first_channel in range(0, channels, SOME_CHANNELS):
            channel = first_channel + tl.arange(0, SOME_CHANNELS)
            channel_tile = for_channels(channel, CHANNELS_LAST)
            there = (bin_tile < BINS) & (channel_tile < channels)
            place = of_box + channel_tile * gradient_strides[1]
            place += for_bins(i * gradient_strides[2] + j * gradient_strides[3], CHANNELS_LAST)
            arriving = tl.load(place, mask=there, other=0.0).to(tl.float32)
            read = channel_read(channel_tile, bin_tile, BINS, SENSITIVE).to(tl.int64)
            feature_map = of_image + read * channel_stride
            for a in range(most_a):
                y = sample_position(top, bin_height, i, first_a + a, down)
                y_counts = in_band(y, rows) & (first_a + a < down) & (image >= 0)
                y0, y1, fy = neighbours(y, y_counts, rows)
                t = tl.div_rn(i * 1.0 + (first_a + a + 0.5) / tl.maximum(down, 1), DOWN * 1.0)
                for b in range(most_b):
                    x = sample_position(left, bin_width, j, first_b + b, across)
                    counts = y_counts & in_band(x, columns) & (first_b + b < across)
                    x0, x1, fx = neighbours(x, counts, columns)
                    u = (first_b + b + 0.5) / tl.maximum(across, 1)
                    u = tl.div_rn(j * 1.0 + u, ACROSS * 1.0)
                    reads = there & for_bins(counts, CHANNELS_LAST)
                    by_row, by_column = arriving * 0.0, arriving * 0.0
                    for corner in tl.static_range(4):
                        row = y1 if corner // 2 else y0
                        column = x1 if corner % 2 else x0
                        offset = row.to(tl.int64) * row_stride + column.to(tl.int64) * column_stride
                        cell = feature_map + for_bins(offset, CHANNELS_LAST)
                        value = tl.load(cell, mask=reads, other=0.0).to(tl.float32) * arriving
                        weight_x = fx if corner % 2 else 1 - fx
                        weight_y = fy if corner // 2 else 1 - fy
                        side_y = 1.0 if corner // 2 else -1.0
                        side_x = 1.0 if corner % 2 else -1.0
                        by_row += side_y * for_bins(weight_x, CHANNELS_LAST) * value
                        by_column += side_x * for_bins(weight_y, CHANNELS_LAST) * value
                    # Before the first cell and behind the last the clamped map is flat.
                    slope = tl.sum(by_row, 1 if CHANNELS_LAST else 0) * tl.where(y >= 0, 1.0, 0.0)
                    pull_top += (1 - t) * slope
                    pull_bottom += t * slope
                    slope = tl.sum(by_column, 1 if CHANNELS_LAST else 0)
                    slope *= tl.where(x >= 0, 1.0, 0.0)
                    pull_left += (1 - u) * slope
                    pull_right += u * slope

    row = rois + box * 5
    x1, y1, x2, y2 = tl.load(row + 1), tl.load(row + 2), tl.load(row + 3), tl.load(row + 4)
    if not ALIGNED:
        held_y, held_x = y2 * scale - y1 * scale < 1, x2 * scale - x1 * scale < 1
        pull_top += tl.where(held_y, pull_bottom, 0.0)
        pull_bottom = tl.where(held_y, 0.0, pull_bottom)
        pull_left += tl.where(held_x, pull_right, 0.0)
        pull_right = tl.where(held_x, 0.0, pull_right)
    share = tl.div_rn(scale * 1.0, tl.maximum(down * across, 1) * 1.0)
    to_row = to_rois + box * 5
    tl.store(to_row, 0.0)
    tl.store(to_row + 1, tl.sum(pull_left, 0) * share)
    tl.store(to_row + 2, tl.sum(pull_top, 0) * share)
    tl.store(to_row + 3, tl.sum(pull_right, 0) * share)
    tl.store(to_row + 4, tl.sum(pull_bottom, 0) * share)
