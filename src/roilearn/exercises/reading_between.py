"""Ways to read between cells that go wrong, as functions: what the exercises of chapter 1 know."""

import math
from collections.abc import Callable

import numpy as np

from roilearn.reference import bilinear_weights, neighbours

Reader = Callable[[np.ndarray, float, float], float]
Scatter = Callable[[float, float, int], np.ndarray]


def weights(row: float, column: float) -> list[float]:
    """Return the four weights on a 4 x 4 map, in reading order."""
    return [weight for _, _, weight in bilinear_weights(row, column, 4, 4)]


def square_of(four: list[float]) -> np.ndarray:
    """Lay four weights out as their cells lie."""
    return np.reshape(four, (2, 2))


def weights_by_distance(row: float, column: float) -> list[float]:
    """Weigh each of the four cells by the inverse of its distance."""
    near = [1 / math.hypot(row - i, column - j) for i, j, _ in bilinear_weights(row, column, 4, 4)]
    return [weight / sum(near) for weight in near]


def nearest(image: np.ndarray, row: float, column: float) -> float:
    """Read the cell with the largest weight, and no other."""
    i, j, _ = max(bilinear_weights(row, column, *image.shape), key=lambda cell: cell[2])
    return image[i, j]


def farthest_weighs_most(image: np.ndarray, row: float, column: float) -> float:
    """Give each cell the weight of the cell across the point."""
    cells = bilinear_weights(row, column, *image.shape)
    pairs = zip(cells, cells[::-1], strict=True)
    return sum(weight * image[i, j] for (i, j, _), (_, _, weight) in pairs)


def position_not_clamped(image: np.ndarray, row: float, column: float) -> float:
    """Clamp the neighbours and not the position: the line runs on beyond the border."""
    top = min(max(math.floor(row), 0), image.shape[0] - 2)
    left = min(max(math.floor(column), 0), image.shape[1] - 2)
    return _between(image[top : top + 2, left : left + 2], row - top, column - left)


def wrapped(image: np.ndarray, row: float, column: float) -> float:
    """Read the opposite side of the image beyond the border."""
    top, left = math.floor(row), math.floor(column)
    height, width = image.shape
    square = [[image[i % height, j % width] for j in (left, left + 1)] for i in (top, top + 1)]
    return _between(np.array(square), row - top, column - left)


def zero_outside(image: np.ndarray, row: float, column: float) -> float:
    """Read zeros beyond the border."""
    return wrapped(np.pad(image, 2), row + 2, column + 2)


def overwriting_scatter(gradient: float, position: float, size: int) -> np.ndarray:
    """Assign the shares instead of adding them: at the last value the second wins."""
    low, high, fraction = neighbours(position, size)
    spread = np.zeros(size)
    spread[low] = (1 - fraction) * gradient
    spread[high] = fraction * gradient
    return spread


def scatter_with(shares: Callable[[float], tuple[float, float]]) -> Scatter:
    """Return a scatter that shares by another rule than the weights of the reading."""

    def scatter(gradient: float, position: float, size: int) -> np.ndarray:
        low, high, fraction = neighbours(position, size)
        spread = np.zeros(size)
        for index, share in zip((low, high), shares(fraction), strict=True):
            spread[index] += share * gradient
        return spread

    return scatter


def _between(square: np.ndarray, down: float, across: float) -> float:
    upper, lower = square @ (1 - across, across)
    return (1 - down) * upper + down * lower
