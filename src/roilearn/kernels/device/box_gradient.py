"""Box gradient of RoIAlign: one program sums over all samples of one box.

The gradient of a sample's position is the gradient of its bin times the slope of the map there. The
sample moves with both edges of its box: by 1 - t with the first and by t with the second, where t
is its relative position along the box, from 0 to 1. A side that is clamped to one cell (if not
aligned) moves with its first edge alone.
"""

import triton
import triton.language as tl

from roilearn.kernels.device.roi_align_forward import expand_bins, expand_channels, input_channel
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
def box_gradient(
    maps,
    heights,
    widths,
    scales,
    strides,
    rois,
    levels,
    grad_output,
    grad_strides,
    grad_rois,
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
    """Write the gradient of one row of ``rois``; that of its batch index is 0."""
    BINS: tl.constexpr = POOLED_HEIGHT * POOLED_WIDTH
    box = tl.program_id(0)
    level, scale, image, top, left, bin_height, bin_width = load_bins(
        rois, levels, scales, box, images, LEVELS, POOLED_HEIGHT, POOLED_WIDTH, ALIGNED
    )
    rows, columns = select_level(heights, level, LEVELS), select_level(widths, level, LEVELS)
    grid_height = samples_per_bin(bin_height, POOLED_HEIGHT, SAMPLING_RATIO)
    grid_width = samples_per_bin(bin_width, POOLED_WIDTH, SAMPLING_RATIO)
    image_stride = select_level(strides, level, LEVELS, 4, 0)
    channel_stride = select_level(strides, level, LEVELS, 4, 1)
    row_stride = select_level(strides, level, LEVELS, 4, 2)
    column_stride = select_level(strides, level, LEVELS, 4, 3)
    image_maps = select_level(maps, level, LEVELS) + image.to(tl.int64) * image_stride
    grad_of_box = grad_output + box.to(tl.int64) * grad_strides[0]

    # Gradients of the first and second edges, summed for each bin apart.
    lane = tl.arange(0, BLOCK_BINS)
    grad_top, grad_bottom = lane * 0.0, lane * 0.0
    grad_left, grad_right = lane * 0.0, lane * 0.0
    for first_bin in range(0, BINS, BLOCK_BINS):
        bin = first_bin + lane
        i, j = bin // POOLED_WIDTH, bin % POOLED_WIDTH
        bin_tile = expand_bins(bin, CHANNELS_LAST)
        first_a, count_a = samples_near(top, bin_height, i, grid_height, -1, rows, SAMPLING_RATIO)
        first_b, count_b = samples_near(left, bin_width, j, grid_width, -1, columns, SAMPLING_RATIO)
        for first_channel in range(0, channels, BLOCK_CHANNELS):
            channel = first_channel + tl.arange(0, BLOCK_CHANNELS)
            channel_tile = expand_channels(channel, CHANNELS_LAST)
            mask = (bin_tile < BINS) & (channel_tile < channels)
            place = grad_of_box + channel_tile * grad_strides[1]
            place += expand_bins(i * grad_strides[2] + j * grad_strides[3], CHANNELS_LAST)
            grad = tl.load(place, mask=mask, other=0.0).to(tl.float32)
            read = input_channel(channel_tile, bin_tile, BINS, POSITION_SENSITIVE).to(tl.int64)
            feature_map = image_maps + read * channel_stride
            for a in range(count_a):
                y = sample_position(top, bin_height, i, first_a + a, grid_height)
                y_valid = in_band(y, rows) & (first_a + a < grid_height) & (image >= 0)
                y0, y1, fy = neighbours(y, y_valid, rows)
                t = tl.div_rn(
                    i * 1.0 + (first_a + a + 0.5) / tl.maximum(grid_height, 1), POOLED_HEIGHT * 1.0
                )
                for b in range(count_b):
                    x = sample_position(left, bin_width, j, first_b + b, grid_width)
                    valid = y_valid & in_band(x, columns) & (first_b + b < grid_width)
                    x0, x1, fx = neighbours(x, valid, columns)
                    u = (first_b + b + 0.5) / tl.maximum(grid_width, 1)
                    u = tl.div_rn(j * 1.0 + u, POOLED_WIDTH * 1.0)
                    reads = mask & expand_bins(valid, CHANNELS_LAST)
                    slope_y, slope_x = grad * 0.0, grad * 0.0
                    for corner in tl.static_range(4):
                        row = y1 if corner // 2 else y0
                        column = x1 if corner % 2 else x0
                        offset = row.to(tl.int64) * row_stride + column.to(tl.int64) * column_stride
                        cell = feature_map + expand_bins(offset, CHANNELS_LAST)
                        value = tl.load(cell, mask=reads, other=0.0).to(tl.float32) * grad
                        weight_x = fx if corner % 2 else 1 - fx
                        weight_y = fy if corner // 2 else 1 - fy
                        side_y = 1.0 if corner // 2 else -1.0
                        side_x = 1.0 if corner % 2 else -1.0
                        slope_y += side_y * expand_bins(weight_x, CHANNELS_LAST) * value
                        slope_x += side_x * expand_bins(weight_y, CHANNELS_LAST) * value
                    # Positions are clamped to the map: outside its outermost cells the slope is 0.
                    slope = tl.sum(slope_y, 1 if CHANNELS_LAST else 0) * tl.where(y >= 0, 1.0, 0.0)
                    grad_top += (1 - t) * slope
                    grad_bottom += t * slope
                    slope = tl.sum(slope_x, 1 if CHANNELS_LAST else 0)
                    slope *= tl.where(x >= 0, 1.0, 0.0)
                    grad_left += (1 - u) * slope
                    grad_right += u * slope

    row = rois + box * 5
    x1, y1, x2, y2 = tl.load(row + 1), tl.load(row + 2), tl.load(row + 3), tl.load(row + 4)
    if not ALIGNED:
        clamped_y, clamped_x = y2 * scale - y1 * scale < 1, x2 * scale - x1 * scale < 1
        grad_top += tl.where(clamped_y, grad_bottom, 0.0)
        grad_bottom = tl.where(clamped_y, 0.0, grad_bottom)
        grad_left += tl.where(clamped_x, grad_right, 0.0)
        grad_right = tl.where(clamped_x, 0.0, grad_right)
    factor = tl.div_rn(scale * 1.0, tl.maximum(grid_height * grid_width, 1) * 1.0)
    grad_row = grad_rois + box * 5
    tl.store(grad_row, 0.0)
    tl.store(grad_row + 1, tl.sum(grad_left, 0) * factor)
    tl.store(grad_row + 2, tl.sum(grad_top, 0) * factor)
    tl.store(grad_row + 3, tl.sum(grad_right, 0) * factor)
    tl.store(grad_row + 4, tl.sum(grad_bottom, 0) * factor)
