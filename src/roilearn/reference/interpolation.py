"""Linear and bilinear interpolation, their gradients and their adjoint.

Positions are *index coordinates*: the value of index i sits at position i. A continuous
coordinate x, which puts that value at the pixel's centre i + 0.5, becomes a position by x - 0.5.
A position beyond the first or last value is moved onto it (clamped).
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import check_not_empty, check_position


def as_numbers(name: str, values: ArrayLike, dimensions: int) -> np.ndarray:
    """Convert values to a floating array: differences of unsigned bytes would overflow."""
    numbers = check_not_empty(name, np.asarray(values), dimensions)
    return numbers.astype(np.result_type(numbers.dtype, np.float32))


def neighbours(position: float, size: int) -> tuple[int, int, float]:
    """Index below, index above, and the fraction of the way from the first to the second.

    Parameters
    ----------
    position : index coordinate, clamped to [0, size - 1].
    size : number of values along the axis.

    Returns
    -------
    (low, high, fraction) with 0 <= fraction < 1; at the last value low == high.

    Examples
    --------
    >>> neighbours(1.25, 4)
    (1, 2, 0.25)
    >>> neighbours(9.0, 4)
    (3, 3, 0)
    """
    position = min(max(position, 0), size - 1)
    low = math.floor(position)
    high = min(low + 1, size - 1)
    return low, high, position - low


def linear(values: ArrayLike, position: float) -> np.floating:
    """Value at ``position`` on the straight line between its two neighbours.

    Parameters
    ----------
    values : (L,) numbers, one at each whole position.
    position : index coordinate, clamped to [0, L - 1].

    Raises
    ------
    ValueError: ``values`` empty or not one-dimensional; ``position`` NaN or infinite.

    Examples
    --------
    >>> float(linear([10, 20, 40], 1.25))
    25.0
    """
    values = as_numbers("values", values, dimensions=1)
    low, high, fraction = neighbours(check_position("position", position), len(values))
    return (1 - fraction) * values[low] + fraction * values[high]


def linear_gradient(values: ArrayLike, position: float) -> np.floating:
    """Gradient of ``linear`` at ``position``: d value / d position, from the right.

    Between two values it is their difference. Before the first value, and at and beyond the last,
    the position is clamped and the derivative is 0.

    Examples
    --------
    >>> float(linear_gradient([10, 20, 40], 1.25))
    20.0
    >>> float(linear_gradient([10, 20, 40], -3.0))
    0.0
    """
    values = as_numbers("values", values, dimensions=1)
    low, high, _ = neighbours(check_position("position", position), len(values))
    return (values[high] - values[low]) * float(position >= 0)


def linear_adjoint(gradient: float, position: float, size: int) -> np.ndarray:
    """Scatter ``gradient`` to the two values that ``linear`` reads, with the same weights.

    This is d value / d values times ``gradient``: interpolation gathers, its adjoint scatters, and
    ``linear(values, p) * g == (values * linear_adjoint(g, p, len(values))).sum()``.

    Examples
    --------
    >>> linear_adjoint(1.0, 1.25, 3)
    array([0.  , 0.75, 0.25])
    """
    low, high, fraction = neighbours(check_position("position", position), size)
    grad_values = np.zeros(size)
    grad_values[low] += (1 - fraction) * gradient
    grad_values[high] += fraction * gradient
    return grad_values


def bilinear_weights(
    row: float, column: float, height: int, width: int
) -> list[tuple[int, int, float]]:
    """Four cells around a position and their bilinear weights: the areas opposite to them.

    The position divides the square between the four cell centres into four rectangles. The weight
    of a cell is the area of the rectangle opposite to it, so that the nearest cell has the largest.

    Returns
    -------
    Four (row index, column index, weight) in reading order; the weights sum to 1.

    Examples
    --------
    >>> bilinear_weights(0.25, 1.5, 4, 4)
    [(0, 1, 0.375), (0, 2, 0.375), (1, 1, 0.125), (1, 2, 0.125)]
    """
    top, bottom, down = neighbours(check_position("row", row), height)
    left, right, across = neighbours(check_position("column", column), width)
    return [
        (top, left, (1 - down) * (1 - across)),
        (top, right, (1 - down) * across),
        (bottom, left, down * (1 - across)),
        (bottom, right, down * across),
    ]


def bilinear(image: ArrayLike, row: float, column: float) -> np.ndarray:
    """Bilinear interpolation of ``image``: the weighted sum of four cells.

    Parameters
    ----------
    image : (..., H, W) array; leading axes (channels) are read at the same position.
    row, column : index coordinates, clamped to the image.

    Returns
    -------
    (...) array.

    Raises
    ------
    ValueError: ``image`` with fewer than two dimensions or empty; a NaN or infinite position.

    Examples
    --------
    >>> image = np.array([[0., 10.], [20., 30.]])
    >>> float(bilinear(image, 0.5, 0.25))
    12.5
    """
    image = as_numbers("image", image, dimensions=2)
    weights = bilinear_weights(row, column, *image.shape[-2:])
    return np.sum([weight * image[..., i, j] for i, j, weight in weights], axis=0)


def bilinear_gradient(image: ArrayLike, row: float, column: float) -> tuple[np.ndarray, np.ndarray]:
    """Gradient of ``bilinear`` at a position: (d value / d row, d value / d column).

    Along each axis it is the difference of the two neighbours, interpolated along the other axis.

    Examples
    --------
    >>> image = np.array([[0., 10.], [20., 30.]])
    >>> [float(slope) for slope in bilinear_gradient(image, 0.5, 0.25)]
    [20.0, 10.0]
    """
    image = as_numbers("image", image, dimensions=2)
    height, width = image.shape[-2:]
    top, bottom, down = neighbours(check_position("row", row), height)
    left, right, across = neighbours(check_position("column", column), width)
    step_down = image[..., bottom, :] - image[..., top, :]
    step_across = image[..., :, right] - image[..., :, left]
    by_row = (1 - across) * step_down[..., left] + across * step_down[..., right]
    by_column = (1 - down) * step_across[..., top] + down * step_across[..., bottom]
    return by_row * float(row >= 0), by_column * float(column >= 0)


def bilinear_adjoint(
    gradient: ArrayLike, row: float, column: float, height: int, width: int
) -> np.ndarray:
    """Scatter ``gradient`` to the four cells that ``bilinear`` reads, with the same weights.

    Parameters
    ----------
    gradient : (...) numbers, one for each leading axis of the image.

    Returns
    -------
    (..., height, width) array, zero except in at most four cells.

    Examples
    --------
    >>> bilinear_adjoint(1.0, 0.25, 0.5, 2, 2)
    array([[0.375, 0.375],
           [0.125, 0.125]])
    """
    gradient = np.asarray(gradient)
    dtype = np.result_type(gradient.dtype, np.float32)
    grad_image = np.zeros((*gradient.shape, height, width), dtype)
    for i, j, weight in bilinear_weights(row, column, height, width):
        grad_image[..., i, j] += weight * gradient
    return grad_image
