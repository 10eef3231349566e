"""Rotated RoIAlign: lay out RoIAlign's samples around the centre of the box, then turn them."""

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import (
    ROTATED_BOX_COLUMNS,
    check_features,
    check_gradient,
    check_no_negative_size,
    check_output_size,
    check_sampling_ratio,
    check_spatial_scale,
)
from roilearn.reference.boxes.boxes import as_rois
from roilearn.reference.interpolation import bilinear, bilinear_adjoint, bilinear_gradient
from roilearn.reference.pooling.roi_align import (
    SAMPLE_LIMIT,
    fractions,
    in_band,
    places,
    sample_positions,
    samples_per_bin,
)


def roi_align_rotated(
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
) -> np.ndarray:
    """Average bilinear samples over each bin of each rotated box.

    Parameters
    ----------
    input : (N, C, H, W) features.
    boxes : (K, 6) array of batch index, centre x, centre y, width and height in image pixels,
        and angle in degrees, counter-clockwise as one looks at the image (whose y runs down);
        or a list with one (Ki, 5) array for each image.
    output_size : (height, width) of the grid of bins, or one number for both. The grid turns with
        the box: its first row lies along the box's own top.
    spatial_scale : cells per image pixel, 1 / stride.
    sampling_ratio : samples along each axis of a bin; below 1: adaptive, ceil(bin size).

    Returns
    -------
    (K, C, height, width) array. Coordinates are continuous: at angle 0 it is
    ``roi_align(aligned=True)`` of the same box. Samples more than one cell outside the map are 0,
    and are still divided by.

    Raises
    ------
    ValueError: a negative width or height; an adaptive box of more than ``SAMPLE_LIMIT`` samples.
    ValueError, TypeError: see ``roilearn.arguments``; odd boxes: ``roilearn.odd_boxes``.

    Source
    ------
    Ma et al., Arbitrary-Oriented Scene Text Detection via Rotation Proposals (2018), section
    III-D; sampling as in Detectron2 0.6, ``ROIAlignRotated``.

    Examples
    --------
    Four bins along a box that points upwards, on a map that holds the row number:

    >>> ramp = np.broadcast_to(np.arange(8.0)[:, None], (1, 1, 8, 8))
    >>> box = np.array([[0.0, 4, 4, 4, 2, 90]])
    >>> roi_align_rotated(ramp, box, (1, 4), sampling_ratio=2)[0, 0]
    array([[5., 4., 3., 2.]])
    """
    check_sampling_ratio(sampling_ratio)
    features, rois, bins = prepare_rotated(input, boxes, output_size, spatial_scale)
    output = np.zeros((len(rois), features.shape[1], *bins), features.dtype)
    for k, roi in enumerate(rois):
        down, across = offsets(roi, bins, spatial_scale, sampling_ratio)
        for (i, a), (j, b) in product(places(down), places(across)):
            row, column = rotate_sample(roi, spatial_scale, down[i][a], across[j][b])
            if is_read(row, column, features.shape):
                value = bilinear(features[int(roi[0])], row, column)
                output[k, :, i, j] += value / (len(down[i]) * len(across[j]))
    return output


def prepare_rotated(
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    output_size: int | Sequence[int],
    spatial_scale: float,
) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """Check the arguments; features, (K, 6) boxes, output size."""
    features = np.asarray(input)
    check_features(features)
    check_spatial_scale(spatial_scale)
    rois = as_rois(boxes, len(features), columns=ROTATED_BOX_COLUMNS)
    check_no_negative_size(rois)
    rois = rois.astype(np.result_type(rois.dtype, features.dtype))
    return features, rois, check_output_size(output_size)


def offsets(
    roi: np.ndarray, bins: tuple[int, int], spatial_scale: float, sampling_ratio: int
) -> tuple[list[list[float]], list[list[float]]]:
    """Where the samples of each bin lie before the turn: cells from the centre, down and across."""
    width, height = roi[3:5] * roi.dtype.type(spatial_scale)
    sides = ((height, bins[0]), (width, bins[1]))
    counts = [samples_per_bin(side, number, sampling_ratio) * number for side, number in sides]
    if math.prod(counts) > SAMPLE_LIMIT:
        raise ValueError(
            f"boxes must be small enough to sample; got one of {height:g} x {width:g} cells, which "
            f"takes {counts[0]} x {counts[1]} samples, more than {SAMPLE_LIMIT} in all. Clip boxes "
            "to the image, or set sampling_ratio."
        )
    down, across = (sample_positions(-s / 2, s, number, sampling_ratio) for s, number in sides)
    return down, across


def rotate_sample(
    roi: np.ndarray, spatial_scale: float, down: float, across: float
) -> tuple[float, float]:
    """Turn a sample about the centre of its box: index coordinates (row, column).

    Examples
    --------
    A sample one cell to the right of the centre is, a quarter turn later, one cell above it:

    >>> row, column = rotate_sample(np.array([0.0, 4.5, 4.5, 3, 3, 90]), 1.0, down=0.0, across=1.0)
    >>> float(row), float(column)
    (3.0, 4.0)
    """
    dtype = roi.dtype.type
    centre_x, centre_y = roi[1:3] * dtype(spatial_scale) - dtype(0.5)
    cos, sin = np.cos(np.deg2rad(roi[5])), np.sin(np.deg2rad(roi[5]))
    return centre_y + down * cos - across * sin, centre_x + down * sin + across * cos


def is_read(row: float, column: float, shape: Sequence[int]) -> bool:
    """Whether a sample counts: in the band of both axes, after the turn."""
    return in_band(row, shape[-2]) and in_band(column, shape[-1])


def roi_align_rotated_backward(
    gradient: ArrayLike,
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
) -> np.ndarray:
    """Gradient to the features: every sample pays the four cells it read, by its weights.

    Parameters
    ----------
    gradient : (K, C, height, width), the gradient that arrives at the output.
    input : (N, C, H, W) features; only their shape matters.
    boxes, spatial_scale, sampling_ratio : as in ``roi_align_rotated``.

    Returns
    -------
    (N, C, H, W) array: the adjoint of ``roi_align_rotated``.

    Examples
    --------
    >>> features, box = np.zeros((1, 1, 2, 3)), np.array([[0.0, 1, 1, 2, 2, 45]])
    >>> roi_align_rotated_backward(np.ones((1, 1, 1, 1)), features, box, sampling_ratio=1)
    array([[[[0.25, 0.25, 0.  ],
             [0.25, 0.25, 0.  ]]]])
    """
    check_sampling_ratio(sampling_ratio)
    gradient = np.asarray(gradient)
    features, rois, bins = prepare_rotated(input, boxes, gradient.shape[-2:] or 0, spatial_scale)
    check_gradient(gradient, len(rois), features.shape[1])
    spread = np.zeros_like(features)
    for k, roi in enumerate(rois):
        down, across = offsets(roi, bins, spatial_scale, sampling_ratio)
        for (i, a), (j, b) in product(places(down), places(across)):
            row, column = rotate_sample(roi, spatial_scale, down[i][a], across[j][b])
            if is_read(row, column, features.shape):
                share = gradient[k, :, i, j] / (len(down[i]) * len(across[j]))
                spread[int(roi[0])] += bilinear_adjoint(share, row, column, *features.shape[2:])
    return spread


def roi_align_rotated_box_gradient(
    gradient: ArrayLike,
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
) -> np.ndarray:
    """Gradient to the boxes: how the output changes as a box moves, grows or turns.

    Parameters
    ----------
    gradient, input, boxes, spatial_scale, sampling_ratio : as in ``roi_align_rotated_backward``;
        the values of ``input`` matter here.

    Returns
    -------
    (K, 5) array, per image pixel of the centre's x and y, of width and height, and per degree.
    Where an adaptive box gains a sample the operator jumps, and this is the slope between jumps.

    Examples
    --------
    Moved to the right, a map of column numbers gives more; turned about its centre, the same:

    >>> ramp = np.broadcast_to(np.arange(8.0), (1, 1, 8, 8))
    >>> box = np.array([[0.0, 4, 4, 3, 2, 30]])
    >>> roi_align_rotated_box_gradient(np.ones((1, 1, 1, 1)), ramp, box).round(9) + 0.0
    array([[1., 0., 0., 0., 0.]])
    """
    check_sampling_ratio(sampling_ratio)
    gradient = np.asarray(gradient)
    features, rois, bins = prepare_rotated(input, boxes, gradient.shape[-2:] or 0, spatial_scale)
    check_gradient(gradient, len(rois), features.shape[1])
    slopes = np.zeros((len(rois), 5), rois.dtype)
    for k, roi in enumerate(rois):
        down, across = offsets(roi, bins, spatial_scale, sampling_ratio)
        for (m, (i, a)), (n, (j, b)) in product(enumerate(places(down)), enumerate(places(across))):
            row, column = rotate_sample(roi, spatial_scale, down[i][a], across[j][b])
            if is_read(row, column, features.shape):
                share = gradient[k, :, i, j] / (len(down[i]) * len(across[j]))
                by_row, by_column = bilinear_gradient(features[int(roi[0])], row, column)
                moves = sample_moves(roi, spatial_scale, fractions(down)[m], fractions(across)[n])
                slopes[k] += (share @ by_row) * moves[0] + (share @ by_column) * moves[1]
    return slopes


def sample_moves(roi: np.ndarray, spatial_scale: float, down: float, across: float) -> np.ndarray:
    """How a sample moves with its box: (2, 5) slopes of its row and of its column.

    Parameters
    ----------
    down, across : where in the box, before the turn, it lies: from 0 at the first edge to 1.
    """
    down, across = down - 0.5, across - 0.5
    cos, sin = np.cos(np.deg2rad(roi[5])), np.sin(np.deg2rad(roi[5]))
    x, y = across * roi[3], down * roi[4]
    a_degree = np.deg2rad(1.0)
    of_row = [0, 1, -across * sin, down * cos, -(y * sin + x * cos) * a_degree]
    of_column = [1, 0, across * cos, down * sin, (y * cos - x * sin) * a_degree]
    return np.array([of_row, of_column]) * spatial_scale
