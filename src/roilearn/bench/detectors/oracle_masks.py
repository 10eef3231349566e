"""Oracle masks: the mask IoU of a mask head that predicts every target exactly.

The target of 28 x 28 cells is cropped from the true mask, pasted back into the image, and compared
with the true mask. What is lost is the error of the target's and the pasting's coordinates and of
the 28 cells; no training can remove it.

    python -m roilearn.bench.detectors.oracle_masks
"""

from collections.abc import Iterator
from itertools import product

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from roilearn.bench.environment import versions
from roilearn.bench.recorded.oracle_masks import FILE, OracleIoU
from roilearn.bench.recorded.results import write
from roilearn.models.targets.mask_targets import mask_targets
from roilearn.ops import PASTE_RULES, masks_to_boxes, paste_masks_in_image

BOXES = ("exact", "jittered", "inclusive")
"""Kinds of boxes: tight around the mask's pixels; the same with each edge moved by up to a pixel,
as a detector's are; and without the last pixel, as ``masks_to_boxes`` returns them by default."""
SIZES = ((8, 16), (16, 32), (32, 96))
"""Smallest and largest side of the objects, in pixels."""
OBJECTS = 150
CELLS = 28
CANVAS = (128, 128)


def measure_all() -> Iterator[OracleIoU]:
    """Measure every kind of box, size, target and pasting."""
    for boxes, size, target, paste in product(BOXES, SIZES, PASTE_RULES, PASTE_RULES):
        iou = oracle_iou(boxes, size, target, paste)
        yield OracleIoU(boxes, *size, target, paste, iou, OBJECTS, versions())


def oracle_iou(
    boxes: str, size: tuple[int, int], target: str, paste: str, objects: int = OBJECTS
) -> float:
    """Mean IoU of true masks with their pasted targets.

    Parameters
    ----------
    boxes : one of ``BOXES``.
    size : smallest and largest side of the objects, in pixels.
    target, paste : coordinates of the targets and of the pasting, from ``PASTE_RULES``.
    objects : number of masks.
    """
    random = torch.Generator().manual_seed(0)
    masks = draw_masks(objects, size, random)
    found = masks_to_boxes(masks, exclusive=boxes != "inclusive")
    if boxes == "jittered":
        found = found + 2 * torch.rand(found.shape, generator=random) - 1
    cells = mask_targets(masks, found, torch.arange(objects), CELLS, aligned=target == "aligned")
    cells = cells[:, None]
    pasted = paste_masks_in_image(cells, found, CANVAS, threshold=0.5, coordinates=paste)[:, 0]
    intersection, union = (a.flatten(1).sum(1) for a in (masks & pasted, masks | pasted))
    return float((intersection / union).mean())


def draw_masks(
    objects: int, size: tuple[int, int], random: torch.Generator
) -> Bool[Tensor, "N 128 128"]:
    """Draw ellipses and rectangles in turns, with random sides and centres that are no integers."""
    min_side, max_side = size
    sides = min_side + (max_side - min_side) * torch.rand(objects, 2, generator=random)
    room = torch.tensor(CANVAS) - sides - 4
    centres = 2 + sides / 2 + room * torch.rand(objects, 2, generator=random)
    x, y = (_pixels(centres[:, axis], sides[:, axis], CANVAS[1 - axis]) for axis in (0, 1))
    x, y = x[:, None, :], y[:, :, None]  # -1 to 1 from edge to edge
    ellipses = x**2 + y**2 < 1
    rectangles = (x.abs() < 1) & (y.abs() < 1)
    turns = (torch.arange(objects) % 2).bool()[:, None, None]
    return torch.where(turns, ellipses, rectangles)


def _pixels(
    centres: Float[Tensor, " N"], sides: Float[Tensor, " N"], length: int
) -> Float[Tensor, "N L"]:
    pixel_centres = torch.arange(length) + 0.5
    return (pixel_centres - centres[:, None]) / (sides[:, None] / 2)


def format_table(rows: list[OracleIoU]) -> str:
    """Write a table: a line for each kind of box and size, a column for each coordinate pair."""
    pairs = list(product(PASTE_RULES, PASTE_RULES))
    heads = [f"{target} + {paste}" for target, paste in pairs]
    lines = ["target + paste".ljust(24) + "".join(f"{head:>27}" for head in heads)]
    for boxes, (min_side, max_side) in product(BOXES, SIZES):
        found = {
            (r.target, r.paste): r.mask_iou
            for r in rows
            if r.boxes == boxes and r.min_side == min_side
        }
        cells = "".join(f"{found[pair]:27.3f}" for pair in pairs)
        lines.append(f"{boxes}, {min_side} to {max_side} px".ljust(24) + cells)
    return "\n".join(lines)


if __name__ == "__main__":
    done = list(measure_all())
    print(format_table(done))  # noqa: T201
    write(done, FILE, OracleIoU)
