"""RoIAlign: the box is not rounded; bilinear samples of the map are averaged in each bin."""

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import check_flag, check_gradient, check_sampling_ratio
from roilearn.reference.interpolation import bilinear, bilinear_adjoint, bilinear_gradient
from roilearn.reference.pooling.roi_pool import prepare

SAMPLE_LIMIT = 2**22
"""Maximum number of samples of one box; beyond it the loops would take minutes, so they raise."""


def roi_align(
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> np.ndarray:
    """Average bilinear samples over each bin of each box.

    Parameters
    ----------
    input : (N, C, H, W) features.
    boxes : (K, 5) array of batch index, x1, y1, x2, y2 in image pixels, or a list with one
        (Ki, 4) array for each image.
    output_size : (height, width) of the grid of bins, or one number for both.
    spatial_scale : cells per image pixel, 1 / stride.
    sampling_ratio : samples along each axis of a bin; below 1: adaptive, ceil(bin size).
    aligned : subtract half a cell, which takes continuous coordinates (the centre of cell i at
        i + 0.5) to index coordinates (at i). False is the operator of 2017, which does not
        subtract half a cell and makes every box at least one cell wide and high.

    Returns
    -------
    (K, C, height, width) array.

    Raises
    ------
    ValueError: an adaptive box with more than ``SAMPLE_LIMIT`` samples.
    ValueError, TypeError: see ``roilearn.arguments``; odd boxes: ``roilearn.odd_boxes``.

    Source
    ------
    He et al., Mask R-CNN (2017), section 3; options and order of arithmetic as in
    torchvision 0.29.

    Examples
    --------
    On a ramp that holds the column number, four bins from x = 2 to x = 6:

    >>> ramp = np.broadcast_to(np.arange(8.0), (1, 1, 8, 8))
    >>> box = np.array([[0.0, 2, 2, 6, 6]])
    >>> roi_align(ramp, box, (1, 4), sampling_ratio=2, aligned=True)[0, 0]
    array([[2., 3., 4., 5.]])
    >>> roi_align(ramp, box, (1, 4), sampling_ratio=2, aligned=False)[0, 0]
    array([[2.5, 3.5, 4.5, 5.5]])
    """
    check_sampling_ratio(sampling_ratio)
    check_flag("aligned", aligned)
    features, rois, bins = prepare(input, boxes, output_size, spatial_scale)
    output = np.zeros((len(rois), features.shape[1], *bins), features.dtype)
    for k, roi in enumerate(rois):
        rows, columns = box_samples(roi, bins, spatial_scale, sampling_ratio, aligned)
        for i in range(bins[0]):
            for j in range(bins[1]):
                output[k, :, i, j] = bin_average(features[int(roi[0])], rows[i], columns[j])
    return output


def region(
    roi: np.ndarray, spatial_scale: float, aligned: bool
) -> tuple[float, float, float, float]:
    """Convert a box to index coordinates of the map: (top, left, height, width), in cells."""
    dtype = roi.dtype.type
    x1, y1, x2, y2 = roi[1:] * dtype(spatial_scale) - dtype(0.5 if aligned else 0)
    height, width = y2 - y1, x2 - x1
    if not aligned:
        height, width = max(height, dtype(1)), max(width, dtype(1))
    return y1, x1, height, width


def samples_per_bin(length: float, bins: int, sampling_ratio: int) -> int:
    """Count the samples of a bin along one axis: ``sampling_ratio``; below 1, ceil(bin size)."""
    if sampling_ratio > 0:
        return sampling_ratio
    return max(math.ceil(length / bins), 0)


def sample_positions(
    start: float, length: float, bins: int, sampling_ratio: int = -1
) -> list[list[float]]:
    """Index positions of the samples of each bin along one axis: the centres of equal parts.

    Parameters
    ----------
    start, length : start of the box, in index coordinates, and its length, in cells.
    bins : number of bins.
    sampling_ratio : samples per bin; below 1: adaptive.

    Returns
    -------
    ``bins`` lists of positions; empty lists for an adaptive box of no length.

    Examples
    --------
    A box from 2 to 6 in two bins, with two samples each, at 1/4 and 3/4 of the bin:

    >>> sample_positions(2.0, 4.0, 2, 2)
    [[2.5, 3.5], [4.5, 5.5]]
    """
    bin_size = length / bins
    samples = samples_per_bin(length, bins, sampling_ratio)
    return [
        [start + i * bin_size + (s + 0.5) * bin_size / samples for s in range(samples)]
        for i in range(bins)
    ]


def box_samples(
    roi: np.ndarray,
    bins: tuple[int, int],
    spatial_scale: float,
    sampling_ratio: int,
    aligned: bool,
) -> tuple[list[list[float]], list[list[float]]]:
    """Index positions of the samples of one box: rows and columns, a list for each bin."""
    top, left, height, width = region(roi, spatial_scale, aligned)
    if sampling_ratio < 1 and not max(height, width) < math.inf:
        raise ValueError(
            f"boxes must be small enough to sample adaptively; got one of {height:g} x {width:g} "
            "cells. Clip boxes to the image, or set sampling_ratio."
        )
    down = samples_per_bin(height, bins[0], sampling_ratio)
    across = samples_per_bin(width, bins[1], sampling_ratio)
    if down * bins[0] * across * bins[1] > SAMPLE_LIMIT:
        raise ValueError(
            f"boxes must be small enough to sample; got one of {height:g} x {width:g} cells, which "
            f"takes {down * bins[0]} x {across * bins[1]} samples, more than {SAMPLE_LIMIT} in "
            "all. Clip boxes to the image, or set sampling_ratio."
        )
    return (
        sample_positions(top, height, bins[0], sampling_ratio),
        sample_positions(left, width, bins[1], sampling_ratio),
    )


def in_band(position: float, size: int) -> bool:
    """Whether a sample lies at most one cell beyond the positions of the first and last value.

    Within this band samples are clamped to the border. Beyond it they are 0, and still count in
    the number of samples by which the sum is divided.
    """
    return -1 <= position <= size


def bin_average(
    feature_map: np.ndarray, rows: Sequence[float], columns: Sequence[float]
) -> np.ndarray:
    """Mean of the bilinear samples at every (row, column) of one bin: (C,) from (C, H, W)."""
    height, width = feature_map.shape[-2:]
    total = np.zeros(len(feature_map), feature_map.dtype)
    for row in rows:
        for column in columns:
            if in_band(row, height) and in_band(column, width):
                total += bilinear(feature_map, row, column)
    return total / max(len(rows) * len(columns), 1)


def sample_indices(positions: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """(bin, sample) indices of all samples along one axis, in order."""
    return [(i, a) for i, samples in enumerate(positions) for a in range(len(samples))]


def roi_align_backward(
    gradient: ArrayLike,
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> np.ndarray:
    """Gradient with respect to the features: each sample adds to its four cells, by their weights.

    Parameters
    ----------
    gradient : (K, C, height, width) gradient with respect to the output.
    input : (N, C, H, W) features; only their shape matters.
    boxes, spatial_scale, sampling_ratio, aligned : as in ``roi_align``.

    Returns
    -------
    (N, C, H, W) array: the adjoint of ``roi_align``.

    Examples
    --------
    >>> features, box = np.zeros((1, 1, 2, 3)), np.array([[0.0, 0, 0, 2, 2]])
    >>> roi_align_backward(np.ones((1, 1, 1, 1)), features, box, sampling_ratio=1, aligned=True)
    array([[[[0.25, 0.25, 0.  ],
             [0.25, 0.25, 0.  ]]]])
    """
    check_sampling_ratio(sampling_ratio)
    check_flag("aligned", aligned)
    gradient = np.asarray(gradient)
    features, rois, bins = prepare(input, boxes, gradient.shape[-2:] or 0, spatial_scale)
    check_gradient(gradient, len(rois), features.shape[1])
    height, width = features.shape[-2:]
    grad_input = np.zeros_like(features)
    for k, roi in enumerate(rois):
        rows, columns = box_samples(roi, bins, spatial_scale, sampling_ratio, aligned)
        for (i, a), (j, b) in product(sample_indices(rows), sample_indices(columns)):
            row, column = rows[i][a], columns[j][b]
            if in_band(row, height) and in_band(column, width):
                sample_gradient = gradient[k, :, i, j] / (len(rows[i]) * len(columns[j]))
                grad_input[int(roi[0])] += bilinear_adjoint(
                    sample_gradient, row, column, height, width
                )
    return grad_input


def roi_align_box_gradient(
    gradient: ArrayLike,
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> np.ndarray:
    """Gradient with respect to the boxes: how the output changes when an edge moves.

    Parameters
    ----------
    gradient, input, boxes, spatial_scale, sampling_ratio, aligned : as in
        ``roi_align_backward``; the values of ``input`` matter here.

    Returns
    -------
    (K, 4) array, per image pixel of x1, y1, x2, y2. With adaptive sampling the output jumps where a
    box gains a sample; the gradient is that between jumps.

    Examples
    --------
    >>> ramp = np.broadcast_to(np.arange(8.0), (1, 1, 8, 8))
    >>> box = np.array([[0.0, 2, 2, 6, 6]])
    >>> roi_align_box_gradient(np.ones((1, 1, 1, 1)), ramp, box, sampling_ratio=2, aligned=True)
    array([[0.5, 0. , 0.5, 0. ]])
    """
    check_sampling_ratio(sampling_ratio)
    check_flag("aligned", aligned)
    gradient = np.asarray(gradient)
    features, rois, bins = prepare(input, boxes, gradient.shape[-2:] or 0, spatial_scale)
    check_gradient(gradient, len(rois), features.shape[1])
    grad_boxes = np.zeros((len(rois), 4), rois.dtype)
    for k, roi in enumerate(rois):
        rows, columns = box_samples(roi, bins, spatial_scale, sampling_ratio, aligned)
        by_row, by_column = position_gradients(gradient[k], features[int(roi[0])], rows, columns)
        extended = [not aligned and side * spatial_scale < 1 for side in roi[3:] - roi[1:3]]
        for a, t in enumerate(fractions(columns, extended[0])):
            grad_boxes[k, 0] += (1 - t) * by_column[a]
            grad_boxes[k, 2] += t * by_column[a]
        for a, t in enumerate(fractions(rows, extended[1])):
            grad_boxes[k, 1] += (1 - t) * by_row[a]
            grad_boxes[k, 3] += t * by_row[a]
    return grad_boxes * spatial_scale


def position_gradients(
    gradient: np.ndarray,
    feature_map: np.ndarray,
    rows: list[list[float]],
    columns: list[list[float]],
) -> tuple[np.ndarray, np.ndarray]:
    """Gradients with respect to the position of each row of samples and of each column."""
    height, width = feature_map.shape[-2:]
    by_row, by_column = np.zeros(len(sample_indices(rows))), np.zeros(len(sample_indices(columns)))
    for (m, (i, a)), (n, (j, b)) in product(
        enumerate(sample_indices(rows)), enumerate(sample_indices(columns))
    ):
        row, column = rows[i][a], columns[j][b]
        if in_band(row, height) and in_band(column, width):
            sample_gradient = gradient[:, i, j] / (len(rows[i]) * len(columns[j]))
            slope_row, slope_column = bilinear_gradient(feature_map, row, column)
            by_row[m] += sample_gradient @ slope_row
            by_column[n] += sample_gradient @ slope_column
    return by_row, by_column


def fractions(positions: list[list[float]], extended: bool = False) -> list[float]:
    """Position of each sample along the box, as a fraction: 0 at the first edge, 1 at the second.

    A sample at fraction t moves by 1 - t when the first edge moves by one, by t when the second
    does. A side extended to one cell (``aligned=False``) moves with its first edge, so t is 0.

    Examples
    --------
    >>> fractions([[2.5, 3.5], [4.5, 5.5]])
    [0.125, 0.375, 0.625, 0.875]
    """
    total = len(sample_indices(positions))
    return [0.0 if extended else (a + 0.5) / total for a in range(total)]
