"""The last rounding: how good a mask gets if the head is perfect and the coordinates are not.

A true mask is shown to the head as a target of 28 x 28 cells, and the head answers exactly that.
Its answer is pasted back and compared with the true mask. Whatever is lost then, no training mends.

    python -m roilearn.bench.detectors.oracle_masks
"""

from collections.abc import Iterator
from itertools import product

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from roilearn.bench.operators.measure import versions
from roilearn.bench.recorded.oracle_masks import FILE, Ceiling
from roilearn.bench.recorded.results import write
from roilearn.models.targets.mask_targets import mask_targets
from roilearn.ops import PASTE_RULES, masks_to_boxes, paste_masks_in_image

BOXES = ("exact", "jittered", "inclusive")
"""Boxes around the pixels of the mask; with each corner moved by up to a pixel, as a detector's
are; and with the last pixel left out, as ``masks_to_boxes`` finds them by default."""
SIZES = ((8, 16), (16, 32), (32, 96))
"""Smallest and largest side of the objects in pixels."""
SHAPES = 150
CELLS = 28
CANVAS = (128, 128)


def run() -> Iterator[Ceiling]:
    """Measure every kind of box, size, target and paste."""
    for boxes, size, target, paste in product(BOXES, SIZES, PASTE_RULES, PASTE_RULES):
        iou = ceiling(boxes, size, target, paste)
        yield Ceiling(boxes, *size, target, paste, iou, SHAPES, versions())


def ceiling(
    boxes: str, size: tuple[int, int], target: str, paste: str, shapes: int = SHAPES
) -> float:
    """Mean IoU of masks with what is left of them after target and paste."""
    random = torch.Generator().manual_seed(0)
    masks = draw_masks(shapes, size, random)
    found = masks_to_boxes(masks, exclusive=boxes != "inclusive")
    if boxes == "jittered":
        found = found + 2 * torch.rand(found.shape, generator=random) - 1
    cells = mask_targets(masks, found, torch.arange(shapes), CELLS, half_cell=target == "aligned")
    cells = cells[:, None]
    pasted = paste_masks_in_image(cells, found, CANVAS, threshold=0.5, coordinates=paste)[:, 0]
    shared, united = (a.flatten(1).sum(1) for a in (masks & pasted, masks | pasted))
    return float((shared / united).mean())


def draw_masks(
    shapes: int, size: tuple[int, int], random: torch.Generator
) -> Bool[Tensor, "N 128 128"]:
    """Ellipses and rectangles by turns, of random sides, at random places, edges in between too."""
    smallest, largest = size
    sides = smallest + (largest - smallest) * torch.rand(shapes, 2, generator=random)
    room = torch.tensor(CANVAS) - sides - 4
    centres = 2 + sides / 2 + room * torch.rand(shapes, 2, generator=random)
    x, y = (_pixels(centres[:, axis], sides[:, axis], CANVAS[1 - axis]) for axis in (0, 1))
    x, y = x[:, None, :], y[:, :, None]  # -1 to 1 from edge to edge
    ellipses = x**2 + y**2 < 1
    rectangles = (x.abs() < 1) & (y.abs() < 1)
    turns = (torch.arange(shapes) % 2).bool()[:, None, None]
    return torch.where(turns, ellipses, rectangles)


def _pixels(
    centres: Float[Tensor, " N"], sides: Float[Tensor, " N"], length: int
) -> Float[Tensor, "N L"]:
    places = torch.arange(length) + 0.5
    return (places - centres[:, None]) / (sides[:, None] / 2)


def as_table(rows: list[Ceiling]) -> str:
    """Lay the rows out: a line for each kind of box and size, a column for each pair of rules."""
    pairs = list(product(PASTE_RULES, PASTE_RULES))
    heads = [f"{target} + {paste}" for target, paste in pairs]
    lines = ["target + paste".ljust(24) + "".join(f"{head:>27}" for head in heads)]
    for boxes, (smallest, largest) in product(BOXES, SIZES):
        found = {
            (r.target, r.paste): r.mask_iou
            for r in rows
            if r.boxes == boxes and r.smallest == smallest
        }
        cells = "".join(f"{found[pair]:27.3f}" for pair in pairs)
        lines.append(f"{boxes}, {smallest} to {largest} px".ljust(24) + cells)
    return "\n".join(lines)


if __name__ == "__main__":
    done = list(run())
    print(as_table(done))  # noqa: T201
    write(done, FILE, Ceiling)
