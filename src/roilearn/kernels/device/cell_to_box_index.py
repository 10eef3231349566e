"""Cell-to-box index: for each tile of cells, the list of the boxes that read from it.

In the gathered backward pass a program owns a tile and sums the gradients of the bins that read it,
so it has to know its boxes. One launch writes the list of every tile, in the order of the boxes and
without atomics: so the sums that follow have a fixed order.

Each box lies in one image of one level. So the lists of one tile number, taken over all images and
levels, hold every box at most once, and a table of (tiles of an image, boxes) has room for all.
"""

import triton
import triton.language as tl

from roilearn.kernels.device.roi_pool_bins import rounded_region
from roilearn.kernels.device.sampling import load_level, region, select_level


@triton.jit
def extent(rois, box, mask, scale, images, ALIGNED: tl.constexpr, ROUNDED: tl.constexpr):
    """Return the image of each box, and the first and last row and column that it may read.

    RoIAlign reads between the edges of a box, either of which may come first; the slack covers
    rounding. RoIPool reads whole cells, and perhaps one more if the last bin's edge is rounded up.
    """
    if ROUNDED:
        image, y0, x0, height, width = rounded_region(rois, box, mask, scale, images)
        y1, x1 = y0 + height, x0 + width
    else:
        image, top, left, height, width = region(rois, box, mask, scale, images, ALIGNED)
        slack = (tl.abs(top) + tl.abs(height)) * 1e-6
        y0, y1 = tl.minimum(top, top + height) - slack, tl.maximum(top, top + height) + slack
        slack = (tl.abs(left) + tl.abs(width)) * 1e-6
        x0, x1 = tl.minimum(left, left + width) - slack, tl.maximum(left, left + width) + slack
    return image, y0, y1, x0, x1


@triton.jit
def tile_of(number, first_tile, tiles_per_row, tiles_per_image, LEVELS: tl.constexpr):
    """Find tile ``number``: its level, image, number in the image, row and column of tiles."""
    level = 0
    for other in tl.static_range(1, LEVELS):
        level += (number >= first_tile[other]).to(tl.int32)
    number -= select_level(first_tile, level, LEVELS)
    in_image = select_level(tiles_per_image, level, LEVELS)
    in_row = select_level(tiles_per_row, level, LEVELS)
    tile = number % in_image
    return level, number // in_image, tile, tile // in_row, tile % in_row


@triton.jit
def list_boxes(
    first_tile,
    tiles_per_row,
    tiles_per_image,
    scales,
    rois,
    levels,
    box_lists,
    list_ranges,  # (2, tiles): where in its row of ``box_lists`` a list begins; its length
    images,
    boxes,
    LEVELS: tl.constexpr,
    ALIGNED: tl.constexpr,
    ROUNDED: tl.constexpr,
    TILE_HEIGHT: tl.constexpr,
    TILE_WIDTH: tl.constexpr,
    BLOCK_BOXES: tl.constexpr,
):
    """Write the list of boxes of one tile."""
    number = tl.program_id(0)
    level, image, tile, tile_row, tile_column = tile_of(
        number, first_tile, tiles_per_row, tiles_per_image, LEVELS
    )
    lowest_row, lowest_column = tile_row * TILE_HEIGHT - 1, tile_column * TILE_WIDTH - 1
    highest_row, highest_column = lowest_row + TILE_HEIGHT + 1, lowest_column + TILE_WIDTH + 1
    key = level * images + image
    list_start = key * 0
    for first in range(0, boxes, BLOCK_BOXES):
        box = first + tl.arange(0, BLOCK_BOXES)
        mask = box < boxes
        box_level = load_level(levels, box, mask, LEVELS)
        scale = select_level(scales, box_level, LEVELS)
        box_image, _, _, _, _ = region(rois, box, mask, scale, images, ALIGNED)
        before = (box_image >= 0) & (box_level * images + box_image < key)
        list_start += tl.sum(before.to(tl.int32), 0)
    row = box_lists + tile.to(tl.int64) * boxes + list_start
    list_length = key * 0
    for first in range(0, boxes, BLOCK_BOXES):
        box = first + tl.arange(0, BLOCK_BOXES)
        mask = box < boxes
        box_level = load_level(levels, box, mask, LEVELS)
        scale = select_level(scales, box_level, LEVELS)
        box_image, y0, y1, x0, x1 = extent(rois, box, mask, scale, images, ALIGNED, ROUNDED)
        reaches = (box_image == image) & (box_level == level)
        reaches &= (y1 >= lowest_row) & (y0 <= highest_row)
        reaches &= (x1 >= lowest_column) & (x0 <= highest_column)
        reaches = reaches.to(tl.int32)
        place = row + list_length + tl.cumsum(reaches, 0) - 1
        tl.store(place, box, mask=reaches > 0)
        list_length += tl.sum(reaches, 0)
    tl.store(list_ranges + number, list_start)
    tl.store(list_ranges + tl.num_programs(0) + number, list_length)
