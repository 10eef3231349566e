"""Formats of rotated boxes: each is taken to the first corner, the size and the angle, and back.

y runs downwards, and the angle is in degrees, counter-clockwise as the image is displayed. Rotation
moves the corners and keeps their names: the first corner is the one that is top left at angle 0.
"""

import math

import numpy as np


def cosine_and_sine(angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cosine and sine of an angle in degrees."""
    return np.cos(angle * math.pi / 180), np.sin(angle * math.pi / 180)


def to_first_corner(
    cx: np.ndarray, cy: np.ndarray, w: np.ndarray, h: np.ndarray, r: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Move from the centre to the first corner: half a width and half a height, both rotated."""
    cos, sin = cosine_and_sine(r)
    return cx - w / 2 * cos - h / 2 * sin, cy + w / 2 * sin - h / 2 * cos, w, h, r


def to_centre(
    x1: np.ndarray, y1: np.ndarray, w: np.ndarray, h: np.ndarray, r: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Move from the first corner to the centre."""
    cos, sin = cosine_and_sine(r)
    return x1 + w / 2 * cos + h / 2 * sin, y1 - w / 2 * sin + h / 2 * cos, w, h, r


def to_four_corners(
    x1: np.ndarray, y1: np.ndarray, w: np.ndarray, h: np.ndarray, r: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Walk around the box: along its width, along its height, back along its width."""
    cos, sin = cosine_and_sine(r)
    x2, y2 = x1 + w * cos, y1 - w * sin
    x4, y4 = x1 + h * sin, y1 + h * cos
    return x1, y1, x2, y2, x2 + h * sin, y2 + h * cos, x4, y4


def sides_and_angle(*corners: np.ndarray) -> tuple[np.ndarray, ...]:
    """First corner, width, height and angle of a box that is given by its four corners."""
    x1, y1, x2, y2, x3, y3, _, _ = corners
    angle = np.arctan2(y1 - y2, x2 - x1) * 180 / math.pi
    return x1, y1, np.hypot(x2 - x1, y1 - y2), np.hypot(x3 - x2, y3 - y2), angle


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
