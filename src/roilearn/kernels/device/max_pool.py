"""Max pooling of RoIPool, forward and backward.

Forward, a program finds the maximum of a block of bins and stores which cell holds it (the argmax).
Backward, a program owns a tile of cells, as in ``feature_gradient_gathered``. It adds the gradients
of those bins whose argmax is the cell.
"""

import triton
import triton.language as tl

from roilearn.kernels.device.cell_to_box_index import tile_of
from roilearn.kernels.device.roi_align_forward import expand_bins, expand_channels
from roilearn.kernels.device.roi_pool_bins import bin_cells, rounded_region


@triton.jit
def max_pool_forward(
    features,
    strides,
    rows,
    columns,
    rois,
    scale,
    output,
    argmax,  # (K, C, bins): cell of the maximum, row * columns + column; -1: none
    images,
    channels,
    STORE_ARGMAX: tl.constexpr,
    POOLED_HEIGHT: tl.constexpr,
    POOLED_WIDTH: tl.constexpr,
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
    image, y0, x0, height, width = rounded_region(rois, box, box >= 0, scale, images)
    top, bottom = bin_cells(y0, height, bin // POOLED_WIDTH, rows, POOLED_HEIGHT)
    left, right = bin_cells(x0, width, bin % POOLED_WIDTH, columns, POOLED_WIDTH)
    bin_mask = (bin < BINS) & (image >= 0)
    bottom, right = tl.where(bin_mask, bottom, top), tl.where(bin_mask, right, left)

    bin_tile = expand_bins(bin, CHANNELS_LAST)
    channel_tile = expand_channels(channel, CHANNELS_LAST)
    mask = (bin_tile < BINS) & (channel_tile < channels)
    feature_map = features + image.to(tl.int64) * strides[0]
    feature_map += channel_tile.to(tl.int64) * strides[1]
    best = tl.full(mask.shape, float("-inf"), tl.float32)
    first = tl.full(mask.shape, -1, tl.int32)
    for a in range(tl.max(bottom - top, 0)):
        row = top + a
        for b in range(tl.max(right - left, 0)):
            column = left + b
            place = row.to(tl.int64) * strides[2] + column.to(tl.int64) * strides[3]
            reads = mask & expand_bins((row < bottom) & (column < right), CHANNELS_LAST)
            cell = feature_map + expand_bins(place, CHANNELS_LAST)
            value = tl.load(cell, mask=reads, other=0.0).to(tl.float32)
            # NaN is not equal to itself, so it never becomes the maximum.
            better = reads & ((value > best) | ((first < 0) & (value == value)))  # noqa: PLR0124
            best = tl.where(better, value, best)
            first = tl.where(better, expand_bins(row * columns + column, CHANNELS_LAST), first)
    filled = expand_bins((bottom > top) & (right > left), CHANNELS_LAST)
    best = tl.where(first < 0, tl.where(filled, float("nan"), 0.0), best)

    place = (box.to(tl.int64) * channels + channel_tile) * BINS + bin_tile
    tl.store(output + place, best.to(output.dtype.element_ty), mask=mask)
    if STORE_ARGMAX:
        tl.store(argmax + place, first, mask=mask)


@triton.jit
def bins_with_cells(first, length, low, high, size, BINS: tl.constexpr, BLOCK_SIDE: tl.constexpr):
    """Return the first bin with a cell in ``low`` to ``high`` on one axis, one past the last."""
    bin = tl.arange(0, BLOCK_SIDE)
    start, stop = bin_cells(first, length, bin, size, BINS)
    over = (start <= high) & (stop > low) & (stop > start) & (bin < BINS)
    return tl.min(tl.where(over, bin, BINS), 0), tl.max(tl.where(over, bin + 1, 0), 0)


@triton.jit
def max_pool_backward(
    grad_features,
    strides,
    rows,
    columns,
    first_tile,
    tiles_per_row,
    tiles_per_image,
    rois,
    scale,
    box_lists,
    list_ranges,
    argmax,
    grad_output,
    grad_strides,
    images,
    channels,
    boxes,
    POOLED_HEIGHT: tl.constexpr,
    POOLED_WIDTH: tl.constexpr,
    CHANNELS_LAST: tl.constexpr,
    TILE_HEIGHT: tl.constexpr,
    TILE_WIDTH: tl.constexpr,
    BLOCK_CHANNELS: tl.constexpr,
    BLOCK_SIDE: tl.constexpr,  # power of two, at least POOLED_HEIGHT and POOLED_WIDTH
):
    """Write the gradient of one tile in ``BLOCK_CHANNELS`` channels."""
    BINS: tl.constexpr = POOLED_HEIGHT * POOLED_WIDTH
    number = tl.program_id(0)
    _, image, tile, tile_row, tile_column = tile_of(
        number, first_tile, tiles_per_row, tiles_per_image, 1
    )
    cell = tl.arange(0, TILE_HEIGHT * TILE_WIDTH)
    low_y, low_x = tile_row * TILE_HEIGHT, tile_column * TILE_WIDTH
    y = expand_bins(low_y + cell // TILE_WIDTH, CHANNELS_LAST)
    x = expand_bins(low_x + cell % TILE_WIDTH, CHANNELS_LAST)
    cell_number = y * columns + x
    channel = tl.program_id(1) * BLOCK_CHANNELS + tl.arange(0, BLOCK_CHANNELS)
    q = expand_channels(channel, CHANNELS_LAST)

    total = (y + q) * 0.0
    list_length = tl.load(list_ranges + tl.num_programs(0) + number)
    box_list = box_lists + tile.to(tl.int64) * boxes + tl.load(list_ranges + number)
    for m in range(list_length):
        box = tl.load(box_list + m)
        _, y0, x0, height, width = rounded_region(rois, box, box >= 0, scale, images)
        i0, i1 = bins_with_cells(
            y0, height, low_y, low_y + TILE_HEIGHT - 1, rows, POOLED_HEIGHT, BLOCK_SIDE
        )
        j0, j1 = bins_with_cells(
            x0, width, low_x, low_x + TILE_WIDTH - 1, columns, POOLED_WIDTH, BLOCK_SIDE
        )
        argmax_of_box = argmax + (box.to(tl.int64) * channels + q) * BINS
        grad_of_box = grad_output + box.to(tl.int64) * grad_strides[0] + q * grad_strides[1]
        for i in range(i0, i1):
            for j in range(j0, j1):
                largest_cell = tl.load(
                    argmax_of_box + i * POOLED_WIDTH + j, mask=q < channels, other=-1
                )
                place = grad_of_box + i * grad_strides[2] + j * grad_strides[3]
                value = tl.load(place, mask=q < channels, other=0.0).to(tl.float32)
                total += tl.where(largest_cell == cell_number, value, 0.0)

    place = grad_features + image.to(tl.int64) * strides[0] + q.to(tl.int64) * strides[1]
    place += y.to(tl.int64) * strides[2] + x.to(tl.int64) * strides[3]
    mask = (y < rows) & (x < columns) & (q < channels)
    tl.store(place, total.to(grad_features.dtype.element_ty), mask=mask)
