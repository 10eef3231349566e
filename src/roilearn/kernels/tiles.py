"""Tiles of cells for the backward pass, and the launch that builds the cell-to-box index.

In the gathered backward pass each program writes the gradient of one tile. The index lists the
boxes that read from each tile; ``device/cell_to_box_index`` says how.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Int32
from torch import Tensor

from roilearn.kernels.device.cell_to_box_index import list_boxes
from roilearn.kernels.launch import block_size, launch

TILE_HEIGHT, TILE_WIDTH = 4, 16
"""Rows and columns of a tile. 16 float32 numbers fill two sectors of a GPU's memory."""
BLOCK_BOXES = 256
"""Boxes that a program of the index compares with its tile at once."""


class Tiles(NamedTuple):
    """Tiles of all maps, numbered through: levels, then images, rows of tiles, columns of tiles."""

    first_tile: tuple[int, ...]  # number of the first tile of each level
    tiles_per_row: tuple[int, ...]  # of each level
    tiles_per_image: tuple[int, ...]
    images: int
    number: int

    @classmethod
    def of(cls, maps: Sequence[Tensor], height: int, width: int) -> "Tiles":
        """Cut maps into tiles of ``height`` x ``width`` cells."""
        tiles_per_row = tuple(-(-m.shape[3] // width) for m in maps)
        tiles_per_image = tuple(
            -(-m.shape[2] // height) * n for m, n in zip(maps, tiles_per_row, strict=True)
        )
        images = len(maps[0])
        first_tile = tuple(images * sum(tiles_per_image[:level]) for level in range(len(maps)))
        return cls(
            first_tile, tiles_per_row, tiles_per_image, images, images * sum(tiles_per_image)
        )


def build_index(
    tiles: Tiles,
    scales: Sequence[float],
    rois: Tensor,
    levels: Tensor | None,
    aligned: bool,
    *,
    rounded: bool = False,
) -> tuple[Int32[Tensor, "T K"], Int32[Tensor, "2 tiles"]]:
    """Build the cell-to-box index: the boxes that read from each tile.

    Parameters
    ----------
    levels : level of each box; None: there is one map.
    rounded : boxes are rounded to whole cells, as RoIPool's are.

    Returns
    -------
    Lists of box numbers; where in its row of the lists each tile's list begins, and its length.
    """
    box_lists = rois.new_empty(max(tiles.tiles_per_image), len(rois), dtype=torch.int32)
    list_ranges = rois.new_empty(2, tiles.number, dtype=torch.int32)
    launch(
        list_boxes,
        (tiles.number,),
        rois,
        tiles.first_tile,
        tiles.tiles_per_row,
        tiles.tiles_per_image,
        tuple(scales),
        rois,
        levels,
        box_lists,
        list_ranges,
        tiles.images,
        len(rois),
        LEVELS=len(scales),
        ALIGNED=aligned,
        ROUNDED=rounded,
        TILE_HEIGHT=TILE_HEIGHT,
        TILE_WIDTH=TILE_WIDTH,
        BLOCK_BOXES=block_size(len(rois), BLOCK_BOXES),
    )
    return box_lists, list_ranges
