"""Resizing by linear interpolation under the four grid rules in use.

A grid rule gives the position, among ``in_size`` values, that each of ``out_size`` outputs reads.
The rules give different outputs, and some framework calls each of three of them "bilinear".
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import check_choice, check_output_size
from roilearn.reference.interpolation import as_numbers, bilinear, linear

GRID_RULES = ("corner", "corner_truncated", "half_pixel", "align_corners")


def source_positions(out_size: int, in_size: int, rule: str = "half_pixel") -> np.ndarray:
    """Index positions in the input that the outputs read, before clamping.

    Parameters
    ----------
    out_size, in_size : number of values along the axis.
    rule : one of ``GRID_RULES``, with scale = in_size / out_size:

        ``corner``            i * scale (most tutorials; ONNX calls it asymmetric)
        ``corner_truncated``  floor(i * scale), which is nearest-neighbour resizing
        ``half_pixel``        (i + 0.5) * scale - 0.5 (PyTorch, OpenCV, TensorFlow 2, Pillow)
        ``align_corners``     i * (in_size - 1) / (out_size - 1)

    Returns
    -------
    (out_size,) positions.

    Raises
    ------
    ValueError: a size below 1; an unknown rule.

    Examples
    --------
    >>> source_positions(4, 3, "corner")
    array([0.  , 0.75, 1.5 , 2.25])
    >>> source_positions(4, 3, "half_pixel")
    array([-0.125,  0.625,  1.375,  2.125])
    """
    check_choice("rule", rule, GRID_RULES)
    check_output_size((out_size, in_size), name="out_size and in_size")
    scale = in_size / out_size
    positions = []
    for i in range(out_size):
        if rule == "corner":
            position = i * scale
        elif rule == "corner_truncated":
            position = math.floor(i * scale)
        elif rule == "half_pixel":
            position = (i + 0.5) * scale - 0.5
        else:
            position = i * (in_size - 1) / max(out_size - 1, 1)
        positions.append(float(position))
    return np.array(positions)


def resize_linear(values: ArrayLike, size: int, rule: str = "half_pixel") -> np.ndarray:
    """Resize a signal to ``size`` values by linear interpolation at ``source_positions``.

    Examples
    --------
    >>> resize_linear([0, 1, 2], 4, "corner")
    array([0.  , 0.75, 1.5 , 2.  ])
    """
    values = as_numbers("values", values, dimensions=1)
    return np.array([linear(values, p) for p in source_positions(size, len(values), rule)])


def resize(image: ArrayLike, size: int | Sequence[int], rule: str = "half_pixel") -> np.ndarray:
    """Resize an image by bilinear interpolation at the source position of each output pixel.

    Parameters
    ----------
    image : (..., H, W) array.
    size : (height, width) of the output, or one number for both.
    rule : one of ``GRID_RULES``.

    Returns
    -------
    (..., height, width) array.

    Examples
    --------
    >>> image = np.arange(9.).reshape(3, 3)
    >>> resize(image, (2, 2), "align_corners")
    array([[0., 2.],
           [6., 8.]])
    """
    image = as_numbers("image", image, dimensions=2)
    height, width = check_output_size(size, name="size")
    rows = source_positions(height, image.shape[-2], rule)
    columns = source_positions(width, image.shape[-1], rule)
    output = np.zeros((*image.shape[:-2], height, width), np.result_type(image.dtype, np.float32))
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            output[..., i, j] = bilinear(image, row, column)
    return output
