"""Rotated RoIAlign: the samples of RoIAlign, rotated about the centre of the box."""

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
    sample_indices,
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
        and angle in degrees, counter-clockwise as the image is displayed (y runs downwards);
        or a list with one (Ki, 5) array for each image.
    output_size : (height, width) of the grid of bins, or one number for both. The grid rotates
        with the box: its first row lies along the top of the unrotated box.
    spatial_scale : cells per image pixel, 1 / stride.
    sampling_ratio : samples along each axis of a bin; below 1: adaptive, ceil(bin size).

    Returns
    -------
    (K, C, height, width) array. Coordinates are continuous: at angle 0 it equals
    ``roi_align(aligned=True)`` of the same box. Samples more than one cell outside the map are 0,
    and still count in the number of samples by which the sum is divided.

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
        for (i, a), (j, b) in product(sample_indices(down), sample_indices(across)):
            row, column = rotate_sample(roi, spatial_scale, down[i][a], across[j][b])
            if sample_in_band(row, column, features.shape):
                value = bilinear(features[int(roi[0])], row, column)
                output[k, :, i, j] += value / (len(down[i]) * len(across[j]))
    return output


def prepare_rotated(
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    output_size: int | Sequence[int],
    spatial_scale: float,
) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """Check the arguments; return features, (K, 6) boxes and output size."""
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
    """Offsets of each bin's samples from the centre before rotation, in cells, down and across."""
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
    """Rotate a sample about the centre of its box; index coordinates (row, column).

    Examples
    --------
    Rotated by 90 degrees, a sample one cell to the right of the centre lies one cell above it:

    >>> row, column = rotate_sample(np.array([0.0, 4.5, 4.5, 3, 3, 90]), 1.0, down=0.0, across=1.0)
    >>> float(row), float(column)
    (3.0, 4.0)
    """
    dtype = roi.dtype.type
    centre_x, centre_y = roi[1:3] * dtype(spatial_scale) - dtype(0.5)
    cos, sin = np.cos(np.deg2rad(roi[5])), np.sin(np.deg2rad(roi[5]))
    return centre_y + down * cos - across * sin, centre_x + down * sin + across * cos


def sample_in_band(row: float, column: float, shape: Sequence[int]) -> bool:
    """Whether a rotated sample lies in the band (``in_band``) along both axes."""
    return in_band(row, shape[-2]) and in_band(column, shape[-1])


def roi_align_rotated_backward(
    gradient: ArrayLike,
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
) -> np.ndarray:
    """Gradient with respect to the features: each sample adds to its four cells, by their weights.

    Parameters
    ----------
    gradient : (K, C, height, width) gradient with respect to the output.
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
    grad_input = np.zeros_like(features)
    for k, roi in enumerate(rois):
        down, across = offsets(roi, bins, spatial_scale, sampling_ratio)
        for (i, a), (j, b) in product(sample_indices(down), sample_indices(across)):
            row, column = rotate_sample(roi, spatial_scale, down[i][a], across[j][b])
            if sample_in_band(row, column, features.shape):
                sample_gradient = gradient[k, :, i, j] / (len(down[i]) * len(across[j]))
                grad_input[int(roi[0])] += bilinear_adjoint(
                    sample_gradient, row, column, *features.shape[2:]
                )
    return grad_input


def roi_align_rotated_box_gradient(
    gradient: ArrayLike,
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
) -> np.ndarray:
    """Gradient with respect to the boxes: their centres, sizes and angles.

    Parameters
    ----------
    gradient, input, boxes, spatial_scale, sampling_ratio : as in ``roi_align_rotated_backward``;
        the values of ``input`` matter here.

    Returns
    -------
    (K, 5) array, per image pixel of the centre's x and y, of width and height, and per degree.
    With adaptive sampling the output jumps where a box gains a sample; the gradient is that between
    jumps.

    Examples
    --------
    On a map of column numbers the output grows as the box moves right, and rotation changes
    nothing:

    >>> ramp = np.broadcast_to(np.arange(8.0), (1, 1, 8, 8))
    >>> box = np.array([[0.0, 4, 4, 3, 2, 30]])
    >>> roi_align_rotated_box_gradient(np.ones((1, 1, 1, 1)), ramp, box).round(9) + 0.0
    array([[1., 0., 0., 0., 0.]])
    """
    check_sampling_ratio(sampling_ratio)
    gradient = np.asarray(gradient)
    features, rois, bins = prepare_rotated(input, boxes, gradient.shape[-2:] or 0, spatial_scale)
    check_gradient(gradient, len(rois), features.shape[1])
    grad_boxes = np.zeros((len(rois), 5), rois.dtype)
    for k, roi in enumerate(rois):
        down, across = offsets(roi, bins, spatial_scale, sampling_ratio)
        for (m, (i, a)), (n, (j, b)) in product(
            enumerate(sample_indices(down)), enumerate(sample_indices(across))
        ):
            row, column = rotate_sample(roi, spatial_scale, down[i][a], across[j][b])
            if sample_in_band(row, column, features.shape):
                sample_gradient = gradient[k, :, i, j] / (len(down[i]) * len(across[j]))
                by_row, by_column = bilinear_gradient(features[int(roi[0])], row, column)
                of_row, of_column = sample_position_gradient(
                    roi, spatial_scale, fractions(down)[m], fractions(across)[n]
                )
                grad_boxes[k] += (sample_gradient @ by_row) * of_row
                grad_boxes[k] += (sample_gradient @ by_column) * of_column
    return grad_boxes


def sample_position_gradient(
    roi: np.ndarray, spatial_scale: float, down: float, across: float
) -> np.ndarray:
    """Gradient of a sample's row and column with respect to the five numbers of its box: (2, 5).

    Parameters
    ----------
    down, across : position in the box before rotation, as fractions from 0 at the first edge to 1.
    """
    down, across = down - 0.5, across - 0.5
    cos, sin = np.cos(np.deg2rad(roi[5])), np.sin(np.deg2rad(roi[5]))
    x, y = across * roi[3], down * roi[4]
    a_degree = np.deg2rad(1.0)
    of_row = [0, 1, -across * sin, down * cos, -(y * sin + x * cos) * a_degree]
    of_column = [1, 0, across * cos, down * sin, (y * cos - x * sin) * a_degree]
    return np.array([of_row, of_column]) * spatial_scale
