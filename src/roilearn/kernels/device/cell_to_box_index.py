"""An index for the way back: which boxes reach into which part of the maps.

Backwards every cell of the maps collects from the bins that read it. The maps are cut into tiles of
cells, and a program that owns a tile has to know its boxes. One launch writes the list of every
tile, in the order of the boxes: no atomics, so that the sums that follow have one order.

Each box lies in one image of one level. So the lists of a tile's number, taken over all images and
levels, hold every box at most once, and a table of (tiles of an image, boxes) has room for all.
"""

import triton
import triton.language as tl

from roilearn.kernels.device.roi_pool_bins import rounded_region
from roilearn.kernels.device.sampling import level_of, of_level, region


@triton.jit
def reach(rois, box, there, scale, images, ALIGNED: tl.constexpr, ROUNDED: tl.constexpr):
    """Image of each box, and first and last row and column that it may read.

    A sampled box reads between its edges, either of which may come first, but for rounding; a
    rounded box reads whole cells, and with the last bin's edge rounded up perhaps one more.
    """
    if ROUNDED:
        image, y0, x0, tall, wide = rounded_region(rois, box, there, scale, images)
        y1, x1 = y0 + tall, x0 + wide
    else:
        image, top, left, height, width = region(rois, box, there, scale, images, ALIGNED)
        slack = (tl.abs(top) + tl.abs(height)) * 1e-6
        y0, y1 = tl.minimum(top, top + height) - slack, tl.maximum(top, top + height) + slack
        slack = (tl.abs(left) + tl.abs(width)) * 1e-6
        x0, x1 = tl.minimum(left, left + width) - slack, tl.maximum(left, left + width) + slack
    return image, y0, y1, x0, x1


@triton.jit
def tile_of(number, begins, across, per_image, LEVELS: tl.constexpr):
    """Level, image, tile of the image, and row and column of tiles, of the ``number``-th tile."""
    level = 0
    for other in tl.static_range(1, LEVELS):
        level += (number >= begins[other]).to(tl.int32)
    number -= of_level(begins, level, LEVELS)
    tiles, tiles_across = of_level(per_image, level, LEVELS), of_level(across, level, LEVELS)
    tile = number % tiles
    return level, number // tiles, tile, tile // tiles_across, tile % tiles_across


@triton.jit
def list_boxes(
    begins,
    across,
    per_image,
    scales,
    rois,
    which,
    lists,
    counts,  # (2, tiles): where in its row of ``lists`` a tile's boxes begin; how many there are
    images,
    boxes,
    LEVELS: tl.constexpr,
    ALIGNED: tl.constexpr,
    ROUNDED: tl.constexpr,
    TILE_DOWN: tl.constexpr,
    TILE_ACROSS: tl.constexpr,
    SOME_BOXES: tl.constexpr,
):
    """Write the boxes of one tile."""
    number = tl.program_id(0)
    level, image, tile, tile_row, tile_column = tile_of(number, begins, across, per_image, LEVELS)
    lowest_row, lowest_column = tile_row * TILE_DOWN - 1, tile_column * TILE_ACROSS - 1
    highest_row, highest_column = lowest_row + TILE_DOWN + 1, lowest_column + TILE_ACROSS + 1
    key = level * images + image
    begin = key * 0
    for first in range(0, boxes, SOME_BOXES):
        box = first + tl.arange(0, SOME_BOXES)
        there = box < boxes
        of_box = level_of(which, box, there, LEVELS)
        scale = of_level(scales, of_box, LEVELS)
        of_image, _, _, _, _ = region(rois, box, there, scale, images, ALIGNED)
        before = (of_image >= 0) & (of_box * images + of_image < key)
        begin += tl.sum(before.to(tl.int32), 0)
    row = lists + tile.to(tl.int64) * boxes + begin
    found = key * 0
    for first in range(0, boxes, SOME_BOXES):
        box = first + tl.arange(0, SOME_BOXES)
        there = box < boxes
        of_box = level_of(which, box, there, LEVELS)
        scale = of_level(scales, of_box, LEVELS)
        of_image, y0, y1, x0, x1 = reach(rois, box, there, scale, images, ALIGNED, ROUNDED)
        touches = (of_image == image) & (of_box == level)
        touches &= (y1 >= lowest_row) & (y0 <= highest_row)
        touches &= (x1 >= lowest_column) & (x0 <= highest_column)
        touches = touches.to(tl.int32)
        place = row + found + tl.cumsum(touches, 0) - 1
        tl.store(place, box, mask=touches > 0)
        found += tl.sum(touches, 0)
    tl.store(counts + number, begin)
    tl.store(counts + tl.num_programs(0) + number, found)
