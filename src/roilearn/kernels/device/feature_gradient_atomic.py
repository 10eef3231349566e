"""Atomic feature gradient of RoIAlign: every sample adds its gradient to four cells.

This is the forward kernel with loads and stores exchanged. Programs of overlapping boxes add to the
same cells in an order that the GPU chooses; float32 sums depend on their order, so two runs differ
in the last bits. The sums are kept in float32, since half precision would lose small gradients.
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
def feature_gradient_atomic(
    grad_maps,  # zeros, to which the gradients are added
    heights,
    widths,
    scales,
    strides,
    rois,
    levels,
    grad_output,
    grad_strides,
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
    """Add the gradient of ``BLOCK_BINS`` bins of one box, in ``BLOCK_CHANNELS`` channels."""
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

    bin_tile = expand_bins(bin, CHANNELS_LAST)
    channel_tile = expand_channels(channel, CHANNELS_LAST)
    mask = (bin_tile < BINS) & (channel_tile < channels)
    place = grad_output + box.to(tl.int64) * grad_strides[0] + channel_tile * grad_strides[1]
    place += expand_bins(i * grad_strides[2] + j * grad_strides[3], CHANNELS_LAST)
    grad = tl.load(place, mask=mask, other=0.0).to(tl.float32)
    grad = tl.div_rn(grad, tl.maximum(grid_height * grid_width, 1) * 1.0)

    read = input_channel(channel_tile, bin_tile, BINS, POSITION_SENSITIVE).to(tl.int64)
    feature_map = select_level(grad_maps, level, LEVELS)
    feature_map += image.to(tl.int64) * select_level(strides, level, LEVELS, 4, 0)
    feature_map += read * select_level(strides, level, LEVELS, 4, 1)
    row_stride = select_level(strides, level, LEVELS, 4, 2)
    column_stride = select_level(strides, level, LEVELS, 4, 3)
    for a in range(count_a):
        y = sample_position(top, bin_height, i, first_a + a, grid_height)
        y_valid = in_band(y, rows) & (first_a + a < grid_height) & (image >= 0)
        y0, y1, fy = neighbours(y, y_valid, rows)
        for b in range(count_b):
            x = sample_position(left, bin_width, j, first_b + b, grid_width)
            valid = y_valid & in_band(x, columns) & (first_b + b < grid_width)
            x0, x1, fx = neighbours(x, valid, columns)
            adds = mask & expand_bins(valid, CHANNELS_LAST)
            for corner in tl.static_range(4):
                row = y1 if corner // 2 else y0
                column = x1 if corner % 2 else x0
                weight = (fy if corner // 2 else 1 - fy) * (fx if corner % 2 else 1 - fx)
                offset = row.to(tl.int64) * row_stride + column.to(tl.int64) * column_stride
                cell = feature_map + expand_bins(offset, CHANNELS_LAST)
                tl.atomic_add(cell, expand_bins(weight, CHANNELS_LAST) * grad, mask=adds)
