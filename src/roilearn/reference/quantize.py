"""Quantization: rounding of continuous coordinates to whole cells, and its error."""

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import check_choice, check_spatial_scale

ROUNDING_RULES = ("floor", "half_away", "half_even")


def quantize(values: ArrayLike, rule: str = "half_away") -> np.ndarray:
    """Round ``values`` to whole numbers.

    Parameters
    ----------
    values : numbers of any shape, in cells.
    rule : one of ``ROUNDING_RULES``. They differ on halves and on negative numbers:

        ``floor``      2.9 -> 2, -0.5 -> -1   slides and tutorials
        ``half_away``  2.5 -> 3, -0.5 -> -1   C's ``round``: the RoIPool kernels
        ``half_even``  2.5 -> 2, -0.5 -> -0   Python's, NumPy's and PyTorch's ``round``

    Returns
    -------
    Array of whole numbers in a floating dtype.

    Examples
    --------
    >>> quantize([0.5, 1.5, 2.5, -0.5], "half_away")
    array([ 1.,  2.,  3., -1.])
    >>> quantize([0.5, 1.5, 2.5, -0.5], "half_even")
    array([ 0.,  2.,  2., -0.])
    """
    check_choice("rule", rule, ROUNDING_RULES)
    values = np.asarray(values)
    values = values.astype(np.result_type(values.dtype, np.float32))
    if rule == "floor":
        return np.floor(values)
    if rule == "half_even":
        return np.round(values)
    whole = np.trunc(values)
    return whole + np.sign(values) * (np.abs(values - whole) >= 0.5)


def quantization_error(values: ArrayLike, rule: str = "half_away") -> np.ndarray:
    """Error of rounding each value, in the unit of the values: rounded minus true.

    Examples
    --------
    >>> quantization_error([20.78125], "floor")
    array([-0.78125])
    """
    return quantize(values, rule) - np.asarray(values)


def quantize_box(
    box: ArrayLike, spatial_scale: float, rule: str = "half_away"
) -> tuple[int, int, int, int]:
    """First and last cell of a box after rounding each coordinate, both included.

    Parameters
    ----------
    box : x1, y1, x2, y2 in image pixels.
    spatial_scale : cells per pixel, 1 / stride.
    rule : one of ``ROUNDING_RULES``.

    Returns
    -------
    (first column, first row, last column, last row). RoIPool reads last - first + 1 cells.

    Examples
    --------
    >>> quantize_box([0, 0, 665, 665], 1 / 32)
    (0, 0, 21, 21)
    >>> quantize_box([0, 0, 665, 665], 1 / 32, "floor")
    (0, 0, 20, 20)
    """
    scale = check_spatial_scale(spatial_scale)
    x1, y1, x2, y2 = (int(side) for side in quantize(np.asarray(box) * scale, rule))
    return x1, y1, x2, y2
