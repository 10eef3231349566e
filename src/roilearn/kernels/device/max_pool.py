"""RoIPool: a program keeps the largest cells of some bins, and backwards finds who kept its own.

The winners of the bins are stored on the way forward. On the way back a program owns a tile of
cells, as in ``gather``, and adds what arrives at each bin over it whose winner is the cell.
"""

import triton
import triton.language as tl

from roilearn.kernels.device.cell_to_box_index import tile_of
from roilearn.kernels.device.roi_align_forward import for_bins, for_channels
from roilearn.kernels.device.roi_pool_bins import bin_cells, rounded_region


@triton.jit
def keep_largest(
    features,
    strides,
    rows,
    columns,
    rois,
    scale,
    output,
    winner,  # (K, C, bins): place of the cell in its map, row * columns + column; -1: nobody
    images,
    channels,
    KEEP: tl.constexpr,
    DOWN: tl.constexpr,
    ACROSS: tl.constexpr,
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
    image, y0, x0, tall, wide = rounded_region(rois, box, box >= 0, scale, images)
    top, bottom = bin_cells(y0, tall, bin // ACROSS, rows, DOWN)
    left, right = bin_cells(x0, wide, bin % ACROSS, columns, ACROSS)
    bin_there = (bin < BINS) & (image >= 0)
    bottom, right = tl.where(bin_there, bottom, top), tl.where(bin_there, right, left)

    bin_tile = for_bins(bin, CHANNELS_LAST)
    channel_tile = for_channels(channel, CHANNELS_LAST)
    there = (bin_tile < BINS) & (channel_tile < channels)
    feature_map = features + image.to(tl.int64) * strides[0]
    feature_map += channel_tile.to(tl.int64) * strides[1]
    best = tl.full(there.shape, float("-inf"), tl.float32)
    first = tl.full(there.shape, -1, tl.int32)
    for a in range(tl.max(bottom - top, 0)):
        row = top + a
        for b in range(tl.max(right - left, 0)):
            column = left + b
            place = row.to(tl.int64) * strides[2] + column.to(tl.int64) * strides[3]
            reads = there & for_bins((row < bottom) & (column < right), CHANNELS_LAST)
            cell = feature_map + for_bins(place, CHANNELS_LAST)
            value = tl.load(cell, mask=reads, other=0.0).to(tl.float32)
            # NaN is larger than nothing, and not equal to itself: it never wins.
            better = reads & ((value > best) | ((first < 0) & (value == value)))  # noqa: PLR0124
            best = tl.where(better, value, best)
            first = tl.where(better, for_bins(row * columns + column, CHANNELS_LAST), first)
    filled = for_bins((bottom > top) & (right > left), CHANNELS_LAST)
    best = tl.where(first < 0, tl.where(filled, float("nan"), 0.0), best)

    place = (box.to(tl.int64) * channels + channel_tile) * BINS + bin_tile
    tl.store(output + place, best.to(output.dtype.element_ty), mask=there)
    if KEEP:
        tl.store(winner + place, first, mask=there)


@triton.jit
def bins_across(first, length, low, high, size, BINS: tl.constexpr, POWER: tl.constexpr):
    """First bin with a cell from ``low`` to ``high`` along one axis, and one past the last."""
    bin = tl.arange(0, POWER)
    start, stop = bin_cells(first, length, bin, size, BINS)
    over = (start <= high) & (stop > low) & (stop > start) & (bin < BINS)
    return tl.min(tl.where(over, bin, BINS), 0), tl.max(tl.where(over, bin + 1, 0), 0)


@triton.jit
def pay_winners(
    to_features,
    strides,
    rows,
    columns,
    begins,
    tiles_across,
    per_image,
    rois,
    scale,
    lists,
    counts,
    winner,
    gradient,
    gradient_strides,
    images,
    channels,
    boxes,
    DOWN: tl.constexpr,
    ACROSS: tl.constexpr,
    CHANNELS_LAST: tl.constexpr,
    TILE_DOWN: tl.constexpr,
    TILE_ACROSS: tl.constexpr,
    SOME_CHANNELS: tl.constexpr,
    POWER: tl.constexpr,  # of two, at least DOWN and ACROSS
):
    """Write the gradient of one tile in ``SOME_CHANNELS`` channels."""
    BINS: tl.constexpr = DOWN * ACROSS
    number = tl.program_id(0)
    _, image, tile, tile_row, tile_column = tile_of(number, begins, tiles_across, per_image, 1)
    cell = tl.arange(0, TILE_DOWN * TILE_ACROSS)
    low_y, low_x = tile_row * TILE_DOWN, tile_column * TILE_ACROSS
    y = for_bins(low_y + cell // TILE_ACROSS, CHANNELS_LAST)
    x = for_bins(low_x + cell % TILE_ACROSS, CHANNELS_LAST)
    here = y * columns + x
    channel = tl.program_id(1) * SOME_CHANNELS + tl.arange(0, SOME_CHANNELS)
    q = for_channels(channel, CHANNELS_LAST)

    total = (y + q) * 0.0
    found = tl.load(counts + tl.num_programs(0) + number)
    listed = lists + tile.to(tl.int64) * boxes + tl.load(counts + number)
    for m in range(found):
        box = tl.load(listed + m)
        _, y0, x0, tall, wide = rounded_region(rois, box, box >= 0, scale, images)
        i0, i1 = bins_across(y0, tall, low_y, low_y + TILE_DOWN - 1, rows, DOWN, POWER)
        j0, j1 = bins_across(x0, wide, low_x, low_x + TILE_ACROSS - 1, columns, ACROSS, POWER)
        winners = winner + (box.to(tl.int64) * channels + q) * BINS
        paid = gradient + box.to(tl.int64) * gradient_strides[0] + q * gradient_strides[1]
        for i in range(i0, i1):
            for j in range(j0, j1):
                won = tl.load(winners + i * ACROSS + j, mask=q < channels, other=-1)
                place = paid + i * gradient_strides[2] + j * gradient_strides[3]
                value = tl.load(place, mask=q < channels, other=0.0).to(tl.float32)
                total += tl.where(won == here, value, 0.0)

    place = to_features + image.to(tl.int64) * strides[0] + q.to(tl.int64) * strides[1]
    place += y.to(tl.int64) * strides[2] + x.to(tl.int64) * strides[3]
    there = (y < rows) & (x < columns) & (q < channels)
    tl.store(place, total.to(to_features.dtype.element_ty), mask=there)
