"""Anchors: boxes of fixed sizes and aspect ratios at every cell of a feature map."""

import math
from collections.abc import Sequence

import numpy as np

from roilearn.arguments import (
    check_finite_number,
    check_flag,
    check_levels,
    check_output_size,
    check_pair,
    check_positive,
)

ASPECT_RATIOS = (0.5, 1.0, 2.0)
"""Height / width of the anchors of Faster R-CNN."""


def base_anchors(
    sizes: float | Sequence[float],
    aspect_ratios: float | Sequence[float] = ASPECT_RATIOS,
    rounded: bool = False,
) -> np.ndarray:
    """List the anchors of one location, centred on the origin.

    Parameters
    ----------
    sizes : square roots of areas, in image pixels.
    aspect_ratios : height / width. Anchors of one size and any ratio have the same area.
    rounded : round every edge to the nearest whole pixel, halves to even.

    Returns
    -------
    (A, 4) boxes x1, y1, x2, y2: all sizes of the first ratio, then those of the next.

    Raises
    ------
    ValueError, TypeError: a size or ratio that is not a finite number above 0.

    Examples
    --------
    >>> base_anchors(8, (1.0, 4.0))
    array([[-4., -4.,  4.,  4.],
           [-2., -8.,  2.,  8.]])
    """
    check_flag("rounded", rounded)
    anchors = []
    for ratio in check_positive("aspect_ratios", aspect_ratios):
        for size in check_positive("sizes", sizes):
            width, height = size / math.sqrt(ratio), size * math.sqrt(ratio)
            anchors.append([-width / 2, -height / 2, width / 2, height / 2])
    return np.round(anchors) if rounded else np.array(anchors)


def generate_anchors(
    feature_size: Sequence[int],
    stride: float | Sequence[float],
    sizes: float | Sequence[float],
    aspect_ratios: float | Sequence[float] = ASPECT_RATIOS,
    offset: float = 0.5,
    rounded: bool = False,
) -> np.ndarray:
    """Place the base anchors at every cell of a feature map.

    Parameters
    ----------
    feature_size : (height, width) of the map, in cells.
    stride : image pixels a cell: one number, or one for each of (down, across).
    sizes, aspect_ratios, rounded : as in ``base_anchors``.
    offset : position of an anchor's centre within its cell: 0.5 is the centre, 0 the top left
        corner.

    Returns
    -------
    (height * width * A, 4) boxes x1, y1, x2, y2 in image pixels: the A anchors of the first cell,
    then those of the next cell in the row. Many reach outside the image.

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments``.

    Source
    ------
    Ren et al., Faster R-CNN (2015), section 3.1.

    Differs from
    ------------
    torchvision 0.29: its anchors are those of ``offset=0, rounded=True``: half a cell above and to
    the left of the centres of their cells.

    Examples
    --------
    >>> generate_anchors((1, 2), 16, 8, 1.0)
    array([[ 4.,  4., 12., 12.],
           [20.,  4., 28., 12.]])
    """
    height, width = check_output_size(feature_size, name="feature_size")
    down, across = check_pair("stride", stride)
    offset = check_finite_number("offset", offset)
    shapes = base_anchors(sizes, aspect_ratios, rounded)
    anchors = []
    for row in range(height):
        for column in range(width):
            x, y = (column + offset) * across, (row + offset) * down
            anchors.append(shapes + np.array([x, y, x, y]))
    return np.concatenate(anchors)


def pyramid_anchors(
    feature_sizes: Sequence[Sequence[int]],
    strides: Sequence[float | Sequence[float]],
    sizes: Sequence[float | Sequence[float]],
    aspect_ratios: float | Sequence[float] = ASPECT_RATIOS,
    offset: float = 0.5,
    rounded: bool = False,
) -> list[np.ndarray]:
    """Generate the anchors of every level of a pyramid.

    Parameters
    ----------
    feature_sizes, strides, sizes : those of ``generate_anchors``, one entry for each level.
    aspect_ratios, offset, rounded : as in ``generate_anchors``, for all levels.

    Returns
    -------
    A list with an array for each level, since proposals are selected level by level.

    Raises
    ------
    ValueError: lists of different lengths.
    ValueError, TypeError: see ``roilearn.arguments``.

    Source
    ------
    Lin et al., Feature Pyramid Networks (2017), section 4.1: one size a level.

    Examples
    --------
    >>> [len(level) for level in pyramid_anchors([(4, 6), (2, 3)], (4, 8), (32, 64))]
    [72, 18]
    """
    check_levels(feature_sizes=feature_sizes, strides=strides, sizes=sizes)
    return [
        generate_anchors(feature_size, stride, size, aspect_ratios, offset, rounded)
        for feature_size, stride, size in zip(feature_sizes, strides, sizes, strict=True)
    ]
