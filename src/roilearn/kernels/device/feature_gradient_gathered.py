"""Gathered feature gradient of RoIAlign: each program sums the gradient of one tile of cells.

The weight of a cell in a bin is its vertical weight times its horizontal weight. Along one axis
that is a sum of hat functions: a sample less than one cell away counts 1 minus its distance. The
program goes through the boxes of its tile (``cell_to_box_index``) and those of their bins that read
from it, adds, and writes its cells once. Every sum has a fixed order, so every run gives the same
bits, and the output need not be zeroed before.
"""

import triton
import triton.language as tl

from roilearn.kernels.device.cell_to_box_index import tile_of
from roilearn.kernels.device.roi_align_forward import expand_bins, expand_channels
from roilearn.kernels.device.sampling import (
    in_band,
    region,
    sample_position,
    samples_near,
    samples_per_bin,
    select_level,
)


@triton.jit
def bins_with_samples(
    start, bin_size, samples, low, high, BINS: tl.constexpr, BLOCK_SIDE: tl.constexpr
):
    """Return the first bin with a sample in ``low`` to ``high`` on one axis, one past the last."""
    bin = tl.arange(0, BLOCK_SIDE)
    first = sample_position(start, bin_size, bin, 0, tl.maximum(samples, 1))
    last = sample_position(start, bin_size, bin, samples - 1, tl.maximum(samples, 1))
    over = (tl.maximum(first, last) >= low) & (tl.minimum(first, last) <= high)
    over &= (bin < BINS) & (samples > 0)
    return tl.min(tl.where(over, bin, BINS), 0), tl.max(tl.where(over, bin + 1, 0), 0)


# fmt: off
@triton.jit
def hat_weights(
    cell, start, bin_size, bin, samples, low, high, size,
    SAMPLING_RATIO: tl.constexpr,
):
    """Return the weight of each cell in each bin on one axis, for cells ``low`` to ``high``."""
    first, count = samples_near(
        start, bin_size, bin, samples, low, high, SAMPLING_RATIO
    )
    weight = (cell + bin) * 0.0
    for s in range(count):
        position = sample_position(start, bin_size, bin, first + s, samples)
        valid = in_band(position, size) & (first + s < samples)
        position = tl.minimum(tl.maximum(position, 0.0), size - 1.0)
        hat = tl.maximum(1 - tl.abs(position - cell), 0.0)
        weight += tl.where(valid, hat, 0.0)
    return weight
# fmt: on


@triton.jit
def feature_gradient_gathered(
    grad_maps,  # written: gradients of the features
    heights,
    widths,
    scales,
    strides,
    first_tile,
    tiles_per_row,
    tiles_per_image,
    rois,
    box_lists,
    list_ranges,
    grad_output,
    grad_strides,
    images,
    channels,
    boxes,
    LEVELS: tl.constexpr,
    POOLED_HEIGHT: tl.constexpr,
    POOLED_WIDTH: tl.constexpr,
    SAMPLING_RATIO: tl.constexpr,
    ALIGNED: tl.constexpr,
    POSITION_SENSITIVE: tl.constexpr,
    CHANNELS_LAST: tl.constexpr,
    TILE_HEIGHT: tl.constexpr,
    TILE_WIDTH: tl.constexpr,
    BLOCK_CHANNELS: tl.constexpr,
    BLOCK_SIDE: tl.constexpr,  # power of two, at least POOLED_HEIGHT and POOLED_WIDTH
):
    """Write the gradient of one tile in ``BLOCK_CHANNELS`` channels."""
    number = tl.program_id(0)
    level, image, tile, tile_row, tile_column = tile_of(
        number, first_tile, tiles_per_row, tiles_per_image, LEVELS
    )
    scale = select_level(scales, level, LEVELS)
    rows, columns = select_level(heights, level, LEVELS), select_level(widths, level, LEVELS)
    cell = tl.arange(0, TILE_HEIGHT * TILE_WIDTH)
    row = tile_row * TILE_HEIGHT + cell // TILE_WIDTH
    column = tile_column * TILE_WIDTH + cell % TILE_WIDTH
    low_y, low_x = tile_row * TILE_HEIGHT - 1, tile_column * TILE_WIDTH - 1
    high_y, high_x = low_y + TILE_HEIGHT + 1, low_x + TILE_WIDTH + 1
    y, x = expand_bins(row, CHANNELS_LAST), expand_bins(column, CHANNELS_LAST)
    channel = tl.program_id(1) * BLOCK_CHANNELS + tl.arange(0, BLOCK_CHANNELS)
    q = expand_channels(channel, CHANNELS_LAST)
    q_bin = q % (POOLED_HEIGHT * POOLED_WIDTH)  # of a position-sensitive map: the bin that reads it
    q_output = q // (POOLED_HEIGHT * POOLED_WIDTH) if POSITION_SENSITIVE else q
    grad_of_channel = grad_output + q_output * grad_strides[1]

    total = (y + q) * 0.0
    list_start = tl.load(list_ranges + number)
    list_length = tl.load(list_ranges + tl.num_programs(0) + number)
    box_list = box_lists + tile.to(tl.int64) * boxes + list_start
    for m in range(list_length):
        box = tl.load(box_list + m)
        _, top, left, height, width = region(rois, box, box >= 0, scale, images, ALIGNED)
        bin_height, bin_width = (
            tl.div_rn(height, POOLED_HEIGHT * 1.0),
            tl.div_rn(width, POOLED_WIDTH * 1.0),
        )
        grid_height = samples_per_bin(bin_height, POOLED_HEIGHT, SAMPLING_RATIO)
        grid_width = samples_per_bin(bin_width, POOLED_WIDTH, SAMPLING_RATIO)
        sample_weight = tl.div_rn(1.0, tl.maximum(grid_height * grid_width, 1) * 1.0)
        grad_of_box = grad_of_channel + box.to(tl.int64) * grad_strides[0]
        first_i, end_i = bins_with_samples(
            top, bin_height, grid_height, low_y, high_y, POOLED_HEIGHT, BLOCK_SIDE
        )
        first_j, end_j = bins_with_samples(
            left, bin_width, grid_width, low_x, high_x, POOLED_WIDTH, BLOCK_SIDE
        )
        if POSITION_SENSITIVE:
            i, j = q_bin // POOLED_WIDTH, q_bin % POOLED_WIDTH
            weight_y = hat_weights(
                y, top, bin_height, i, grid_height, low_y, high_y, rows, SAMPLING_RATIO
            )
            weight_x = hat_weights(
                x, left, bin_width, j, grid_width, low_x, high_x, columns, SAMPLING_RATIO
            )
            reads = (q < channels) & (end_i > first_i) & (end_j > first_j)
            place = grad_of_box + i * grad_strides[2] + j * grad_strides[3]
            value = tl.load(place, mask=reads, other=0.0).to(tl.float32)
            total += weight_y * weight_x * sample_weight * value
        else:
            for i in range(first_i, end_i):
                weight_y = (
                    hat_weights(
                        y, top, bin_height, i, grid_height, low_y, high_y, rows, SAMPLING_RATIO
                    )
                    * sample_weight
                )
                for j in range(first_j, end_j):
                    weight = hat_weights(
                        x, left, bin_width, j, grid_width, low_x, high_x, columns, SAMPLING_RATIO
                    )
                    place = grad_of_box + i * grad_strides[2] + j * grad_strides[3]
                    value = tl.load(place, mask=q < channels, other=0.0).to(tl.float32)
                    total += weight_y * weight * value

    image_stride = select_level(strides, level, LEVELS, 4, 0)
    channel_stride = select_level(strides, level, LEVELS, 4, 1)
    row_stride = select_level(strides, level, LEVELS, 4, 2)
    column_stride = select_level(strides, level, LEVELS, 4, 3)
    place = select_level(grad_maps, level, LEVELS) + image.to(tl.int64) * image_stride
    place += q.to(tl.int64) * channel_stride
    place += y.to(tl.int64) * row_stride + x.to(tl.int64) * column_stride
    mask = (y < rows) & (x < columns) & (q < channels)
    tl.store(place, total.to(grad_maps[0].dtype.element_ty), mask=mask)
