"""Formats of rotated boxes: each is taken to the first corner, the size and the angle, and back.

y runs downwards, and the angle is in degrees, counter-clockwise as the image is displayed. Rotation
moves the corners and keeps their names: the first corner is the one that is top left at angle 0.
"""

import math

import torch
from torch import Tensor


def cosine_and_sine(angle: Tensor) -> tuple[Tensor, Tensor]:
    """Cosine and sine of an angle in degrees."""
    return torch.cos(angle * math.pi / 180), torch.sin(angle * math.pi / 180)


def to_first_corner(cx: Tensor, cy: Tensor, w: Tensor, h: Tensor, r: Tensor) -> tuple[Tensor, ...]:
    """Move from the centre to the first corner: half a width and half a height, both rotated."""
    cos, sin = cosine_and_sine(r)
    return cx - w / 2 * cos - h / 2 * sin, cy + w / 2 * sin - h / 2 * cos, w, h, r


def to_centre(x1: Tensor, y1: Tensor, w: Tensor, h: Tensor, r: Tensor) -> tuple[Tensor, ...]:
    """Move from the first corner to the centre."""
    cos, sin = cosine_and_sine(r)
    return x1 + w / 2 * cos + h / 2 * sin, y1 - w / 2 * sin + h / 2 * cos, w, h, r


def to_four_corners(x1: Tensor, y1: Tensor, w: Tensor, h: Tensor, r: Tensor) -> tuple[Tensor, ...]:
    """Walk around the box: along its width, along its height, back along its width."""
    cos, sin = cosine_and_sine(r)
    x2, y2 = x1 + w * cos, y1 - w * sin
    x4, y4 = x1 + h * sin, y1 + h * cos
    return x1, y1, x2, y2, x2 + h * sin, y2 + h * cos, x4, y4


def sides_and_angle(*corners: Tensor) -> tuple[Tensor, ...]:
    """First corner, width, height and angle of a box that is given by its four corners."""
    x1, y1, x2, y2, x3, y3, _, _ = corners
    across, up = x2 - x1, y1 - y2
    nowhere = (across == 0) & (up == 0)  # the angle of a point is 0, its gradient would be 0 / 0
    angle = torch.atan2(up, torch.where(nowhere, 1, across)) * 180 / math.pi
    return x1, y1, length(across, up), length(x3 - x2, y3 - y2), angle


def length(across: Tensor, down: Tensor) -> Tensor:
    """Length of a side; one of length 0 has gradient 0, where the square root has none."""
    squared = across.square() + down.square()
    return torch.where(squared > 0, torch.where(squared > 0, squared, 1).sqrt(), 0)


TO_ROTATED = {
    "xywhr": lambda *numbers: numbers,
    "cxcywhr": to_first_corner,
    "xyxyxyxy": sides_and_angle,
}
"""For each rotated format, the function from its numbers to first corner, size and angle."""
FROM_ROTATED = {
    "xywhr": lambda *numbers: numbers,
    "cxcywhr": to_centre,
    "xyxyxyxy": to_four_corners,
}
"""For each rotated format, the function from first corner, size and angle to its numbers."""
ROTATED_BOX_FORMATS = tuple(TO_ROTATED)
"""First corner, size and angle; centre, size and angle; four corners, clockwise from the first."""
NUMBERS = {"xywhr": 5, "cxcywhr": 5, "xyxyxyxy": 8}
"""How many numbers each rotated format has; an upright one has 4."""
