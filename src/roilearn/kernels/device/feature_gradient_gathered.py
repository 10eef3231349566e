"""Backward to the features: one program owns a tile of cells and collects from the bins over it.

A bin pays a cell its weight down times its weight across. Along one axis the weight of a cell is
the sum of hats: a sample within one cell of it pays 1 minus the distance. The program goes through
the boxes of its tile (``touching``) and through those of their bins that reach into it, adds, and
writes its cells once. Every sum has one order, so every run gives the same bits, and no zeros have
to be written before.
"""

import triton
import triton.language as tl

from roilearn.kernels.device.cell_to_box_index import tile_of
from roilearn.kernels.device.roi_align_forward import for_bins, for_channels
from roilearn.kernels.device.sampling import (
    in_band,
    of_level,
    region,
    sample_position,
    samples_a_bin,
    samples_near,
)


@triton.jit
def bins_over(start, bin_size, samples, low, high, BINS: tl.constexpr, POWER: tl.constexpr):
    """First bin with a sample from ``low`` to ``high`` along one axis, and one past the last."""
    bin = tl.arange(0, POWER)
    first = sample_position(start, bin_size, bin, 0, tl.maximum(samples, 1))
    last = sample_position(start, bin_size, bin, samples - 1, tl.maximum(samples, 1))
    over = (tl.maximum(first, last) >= low) & (tl.minimum(first, last) <= high)
    over &= (bin < BINS) & (samples > 0)
    return tl.min(tl.where(over, bin, BINS), 0), tl.max(tl.where(over, bin + 1, 0), 0)


@triton.jit
def hats(cell, start, bin_size, bin, samples, low, high, size, RATIO: tl.constexpr):
    """Weight of each cell in each bin's average along one axis, for cells ``low`` to ``high``."""
    first, most = samples_near(start, bin_size, bin, samples, low, high, RATIO)
    weight = (cell + bin) * 0.0
    for s in range(most):
        position = sample_position(start, bin_size, bin, first + s, samples)
        counts = in_band(position, size) & (first + s < samples)
        position = tl.minimum(tl.maximum(position, 0.0), size - 1.0)
        weight += tl.where(counts, tl.maximum(1 - tl.abs(position - cell), 0.0), 0.0)
    return weight


@triton.jit
def gather(
    maps,  # what is written: gradients to the features
    heights,
    widths,
    scales,
    strides,
    begins,
    tiles_across,
    per_image,
    rois,
    lists,
    counts,
    gradient,
    gradient_strides,
    images,
    channels,
    boxes,
    LEVELS: tl.constexpr,
    DOWN: tl.constexpr,
    ACROSS: tl.constexpr,
    RATIO: tl.constexpr,
    ALIGNED: tl.constexpr,
    SENSITIVE: tl.constexpr,
    CHANNELS_LAST: tl.constexpr,
    TILE_DOWN: tl.constexpr,
    TILE_ACROSS: tl.constexpr,
    SOME_CHANNELS: tl.constexpr,
    POWER: tl.constexpr,  # of two, at least DOWN and ACROSS
):
    """Write the gradient of one tile in ``SOME_CHANNELS`` channels."""
    number = tl.program_id(0)
    level, image, tile, tile_row, tile_column = tile_of(
        number, begins, tiles_across, per_image, LEVELS
    )
    scale = of_level(scales, level, LEVELS)
    rows, columns = of_level(heights, level, LEVELS), of_level(widths, level, LEVELS)
    cell = tl.arange(0, TILE_DOWN * TILE_ACROSS)
    row = tile_row * TILE_DOWN + cell // TILE_ACROSS
    column = tile_column * TILE_ACROSS + cell % TILE_ACROSS
    low_y, low_x = tile_row * TILE_DOWN - 1, tile_column * TILE_ACROSS - 1
    high_y, high_x = low_y + TILE_DOWN + 1, low_x + TILE_ACROSS + 1
    y, x = for_bins(row, CHANNELS_LAST), for_bins(column, CHANNELS_LAST)
    channel = tl.program_id(1) * SOME_CHANNELS + tl.arange(0, SOME_CHANNELS)
    q = for_channels(channel, CHANNELS_LAST)
    q_bin = q % (DOWN * ACROSS)  # of a position-sensitive map: the bin that reads it
    paid = gradient + (q // (DOWN * ACROSS) if SENSITIVE else q) * gradient_strides[1]

    total = (y + q) * 0.0
    begin = tl.load(counts + number)
    found = tl.load(counts + tl.num_programs(0) + number)
    listed = lists + tile.to(tl.int64) * boxes + begin
    for m in range(found):
        box = tl.load(listed + m)
        _, top, left, height, width = region(rois, box, box >= 0, scale, images, ALIGNED)
        bin_height, bin_width = tl.div_rn(height, DOWN * 1.0), tl.div_rn(width, ACROSS * 1.0)
        down = samples_a_bin(bin_height, DOWN, RATIO)
        across = samples_a_bin(bin_width, ACROSS, RATIO)
        share = tl.div_rn(1.0, tl.maximum(down * across, 1) * 1.0)
        of_box = paid + box.to(tl.int64) * gradient_strides[0]
        first_i, end_i = bins_over(top, bin_height, down, low_y, high_y, DOWN, POWER)
        first_j, end_j = bins_over(left, bin_width, across, low_x, high_x, ACROSS, POWER)
        if SENSITIVE:
            i, j = q_bin // ACROSS, q_bin % ACROSS
            down_y = hats(y, top, bin_height, i, down, low_y, high_y, rows, RATIO)
            across_x = hats(x, left, bin_width, j, across, low_x, high_x, columns, RATIO)
            here = (q < channels) & (end_i > first_i) & (end_j > first_j)
            place = of_box + i * gradient_strides[2] + j * gradient_strides[3]
            value = tl.load(place, mask=here, other=0.0).to(tl.float32)
            total += down_y * across_x * share * value
        else:
            for i in range(first_i, end_i):
                down_y = hats(y, top, bin_height, i, down, low_y, high_y, rows, RATIO) * share
                for j in range(first_j, end_j):
                    weight = hats(x, left, bin_width, j, across, low_x, high_x, columns, RATIO)
                    place = of_box + i * gradient_strides[2] + j * gradient_strides[3]
                    value = tl.load(place, mask=q < channels, other=0.0).to(tl.float32)
                    total += down_y * weight * value

    image_stride = of_level(strides, level, LEVELS, 4, 0)
    channel_stride = of_level(strides, level, LEVELS, 4, 1)
    row_stride = of_level(strides, level, LEVELS, 4, 2)
    column_stride = of_level(strides, level, LEVELS, 4, 3)
    place = of_level(maps, level, LEVELS) + image.to(tl.int64) * image_stride
    place += q.to(tl.int64) * channel_stride
    place += y.to(tl.int64) * row_stride + x.to(tl.int64) * column_stride
    there = (y < rows) & (x < columns) & (q < channels)
    tl.store(place, total.to(maps[0].dtype.element_ty), mask=there)
