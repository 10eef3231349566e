"""Box formats: what the four numbers of an annotation mean, and which format a file likely has.

COCO's is ``"xywh"``: the left upper corner, width and height. Programs that convert from other
formats sometimes write two corners, or the centre, under the same name.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from roilearn.reference.boxes.iou import box_iou

Box = tuple[float, float, float, float]
BOX_FORMATS = ("xywh", "xyxy", "cxcywh", "masks")
"""Corner, width and height, as COCO has it; two corners; centre, width and height; and boxes that
are computed from the masks, whatever the file says."""
NAMES = {
    "xyxy": "two corners, x1, y1, x2, y2",
    "cxcywh": "the centre, width and height",
    "upwards": "corner, width and height with y counted upwards from the lower edge",
}
"""Formats that are recognised, in words."""
HIGH_IOU, LOW_IOU = 0.7, 0.5
"""Mean IoU of boxes with their masks' boxes from which a format fits, and below which it does
not."""
OUTSIDE = 0.1
"""Fraction of boxes over the edge of their images above which a format does not fit."""


@dataclass(frozen=True)
class WrittenBox:
    """The four numbers of an annotation, the box x1, y1, x2, y2 of its mask, and the image size."""

    numbers: Box
    mask_box: Box | None
    height: int
    width: int


def as_corners(numbers: Box, box_format: str, height: float = 0) -> Box:
    """Convert the numbers of an annotation to x1, y1, x2, y2.

    Examples
    --------
    >>> as_corners((10, 20, 4, 6), "cxcywh")
    (8.0, 17.0, 12.0, 23.0)
    """
    a, b, c, d = numbers
    if box_format == "xyxy":
        return a, b, c, d
    if box_format == "cxcywh":
        return a - c / 2, b - d / 2, a + c / 2, b + d / 2
    if box_format == "upwards":
        return a, height - b - d, a + c, height - b
    return a, b, a + c, b + d


def likely_format(boxes: Sequence[WrittenBox], box_format: str) -> str | None:
    """Say which other format the boxes likely have, and why; None if theirs fits or none does.

    With masks, the mean IoU of boxes and masks' boxes tells. Without, the number of boxes that
    leave their image or have no area tells most, but not of boxes that are small or near the left
    upper corner.

    Examples
    --------
    >>> boxes = [WrittenBox((x, 20, x + 20, 50), (x, 20, x + 20, 50), 90, 90) for x in (5, 30, 60)]
    >>> print(likely_format(boxes, "xywh"))
    xyxy: two corners, x1, y1, x2, y2; mean IoU of boxes and masks 1.00 so, and 0.29 as xywh
    """
    if not boxes or box_format == "masks":
        return None
    masked = [each for each in boxes if each.mask_box is not None]
    if masked:
        fits = {name: mean_iou(masked, name) for name in (box_format, *NAMES)}
        best = max(fits, key=lambda name: fits[name])
        if fits[box_format] >= LOW_IOU or fits[best] < HIGH_IOU:
            return None
        numbers = f"{fits[best]:.2f} so, and {fits[box_format]:.2f} as {box_format}"
        why = f"mean IoU of boxes and masks {numbers}"
    else:
        out = {name: outside_fraction(boxes, name) for name in (box_format, "xyxy", "cxcywh")}
        best = min(out, key=lambda name: out[name])
        if out[box_format] <= OUTSIDE or out[best] > OUTSIDE / 5:
            return None
        numbers = f"{out[best]:.0%} so, and {out[box_format]:.0%} as {box_format}"
        why = f"boxes without area or over the edge of their image: {numbers}"
    return f"{best}: {NAMES.get(best, 'corner, width and height')}; {why}"


def mean_iou(boxes: Sequence[WrittenBox], box_format: str) -> float:
    """Compute the mean IoU of boxes, read in a format, with the boxes of their masks."""
    return float(np.mean([iou_with_mask(each, box_format) for each in boxes]))


def iou_with_mask(box: WrittenBox, box_format: str) -> float:
    """IoU of a box, read in a format, with the box of its mask; 0 for a box of no area."""
    x1, y1, x2, y2 = as_corners(box.numbers, box_format, box.height)
    if x2 <= x1 or y2 <= y1:
        return 0.0
    return float(box_iou(np.array([[x1, y1, x2, y2]]), np.array([box.mask_box]))[0, 0])


def outside_fraction(boxes: Sequence[WrittenBox], box_format: str) -> float:
    """Fraction of boxes that, read in a format, have no area or reach out of their image."""
    out = 0
    for each in boxes:
        x1, y1, x2, y2 = as_corners(each.numbers, box_format, each.height)
        inside = x1 >= -1 and y1 >= -1 and x2 <= each.width + 1 and y2 <= each.height + 1
        out += not (inside and x2 > x1 and y2 > y1)
    return out / len(boxes)
