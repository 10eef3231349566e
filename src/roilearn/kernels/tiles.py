"""Tiles of cells that programs own on the way back, and the launch that lists their boxes."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Int32
from torch import Tensor

from roilearn.kernels.device.cell_to_box_index import list_boxes
from roilearn.kernels.launch import block, launch

TILE_DOWN, TILE_ACROSS = 4, 16
"""Cells of a program on the way back: in a row as many as two sectors of memory hold."""
SOME_BOXES = 256
"""Boxes that the index looks at together."""


class Tiles(NamedTuple):
    """Tiles of cells that programs own, counted through: levels, images, rows, columns."""

    begins: tuple[int, ...]  # number of the first tile of each level
    across: tuple[int, ...]  # tiles in a row of each level
    per_image: tuple[int, ...]
    images: int
    number: int

    @classmethod
    def of(cls, maps: Sequence[Tensor], down: int, across: int) -> "Tiles":
        """Cut maps into tiles of ``down`` x ``across`` cells."""
        in_a_row = tuple(-(-m.shape[3] // across) for m in maps)
        per_image = tuple(-(-m.shape[2] // down) * n for m, n in zip(maps, in_a_row, strict=True))
        images = len(maps[0])
        begins = tuple(images * sum(per_image[:level]) for level in range(len(maps)))
        return cls(begins, in_a_row, per_image, images, images * sum(per_image))


def list_touching(
    tiles: Tiles,
    scales: Sequence[float],
    rois: Tensor,
    which: Tensor | None,
    aligned: bool,
    *,
    rounded: bool = False,
) -> tuple[Int32[Tensor, "T K"], Int32[Tensor, "2 tiles"]]:
    """Boxes that reach into each tile, and where they stand: the index of ``touching``."""
    lists = rois.new_empty(max(tiles.per_image), len(rois), dtype=torch.int32)
    counts = rois.new_empty(2, tiles.number, dtype=torch.int32)
    launch(
        list_boxes,
        (tiles.number,),
        rois,
        tiles.begins,
        tiles.across,
        tiles.per_image,
        tuple(scales),
        rois,
        which,
        lists,
        counts,
        tiles.images,
        len(rois),
        LEVELS=len(scales),
        ALIGNED=aligned,
        ROUNDED=rounded,
        TILE_DOWN=TILE_DOWN,
        TILE_ACROSS=TILE_ACROSS,
        SOME_BOXES=block(len(rois), SOME_BOXES),
    )
    return lists, counts
