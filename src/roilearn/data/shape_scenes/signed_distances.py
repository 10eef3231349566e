"""Signed distances of shapes: below 0 inside, 0 on the outline, above 0 outside.

Each function takes coordinates relative to the shape's centre, in units of its radius; the shape
lies within the unit circle. The signed distance of a pixel centre, in pixels, says whether the
pixel belongs to the mask (below 0) and how much of the pixel the shape covers (near 0).
"""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np


def disc(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Signed distance from the unit circle."""
    return np.hypot(x, y) - 1


def ring(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Signed distance from a ring between the radii 0.5 and 1."""
    return np.abs(np.hypot(x, y) - 0.75) - 0.25


def regular_polygon(x: np.ndarray, y: np.ndarray, corners: int) -> np.ndarray:
    """Signed distance from a regular polygon whose corners lie on the unit circle.

    Near a corner, outside, it is the distance from the line through a side, which is a little less
    than the true distance.
    """
    turns = 2 * math.pi * np.arange(corners) / corners  # of the sides' normals
    sides = [x * math.cos(turn) + y * math.sin(turn) for turn in turns]
    return np.maximum.reduce(sides) - math.cos(math.pi / corners)


def cross(x: np.ndarray, y: np.ndarray, half_width: float = 0.3) -> np.ndarray:
    """Signed distance from a cross of two bars whose corners lie on the unit circle."""
    half_length = math.sqrt(1 - half_width**2)
    x, y = np.abs(x), np.abs(y)
    lying = np.maximum(x - half_length, y - half_width)
    standing = np.maximum(x - half_width, y - half_length)
    return np.minimum(lying, standing)


SIGNED_DISTANCES = {
    "disc": disc,
    "square": partial(regular_polygon, corners=4),
    "triangle": partial(regular_polygon, corners=3),
    "ring": ring,
    "cross": cross,
}
"""Signed distance of each shape, by its name."""


@dataclass(frozen=True)
class Shape:
    """A shape in an image: centre x, y and radius in image pixels, angle in radians."""

    name: str
    x: float
    y: float
    radius: float
    angle: float

    def window(self, size: tuple[int, int]) -> tuple[slice, slice]:
        """Rows and columns of a (height, width) image that the shape can touch."""
        starts = (math.floor(centre - self.radius - 1) for centre in (self.y, self.x))
        stops = (math.ceil(centre + self.radius + 1) for centre in (self.y, self.x))
        rows, columns = (
            slice(min(max(start, 0), side), min(max(stop, 0), side))
            for start, stop, side in zip(starts, stops, size, strict=True)
        )
        return rows, columns

    def distance(self, window: tuple[slice, slice]) -> np.ndarray:
        """Signed distance in pixels of each pixel centre of a window, as (rows, columns)."""
        rows, columns = (np.arange(each.start, each.stop, dtype=np.float32) for each in window)
        down = (rows[:, None] + 0.5 - self.y) / self.radius
        across = (columns + 0.5 - self.x) / self.radius
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        turned = across * cosine + down * sine, down * cosine - across * sine
        return self.radius * SIGNED_DISTANCES[self.name](*turned)

    def mask(self, size: tuple[int, int]) -> np.ndarray:
        """Mask of the pixels of a (height, width) image whose centre lies inside."""
        mask = np.zeros(size, dtype=bool)
        window = self.window(size)
        mask[window] = self.distance(window) < 0
        return mask
