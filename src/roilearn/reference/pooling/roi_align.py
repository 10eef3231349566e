"""RoIAlign: leave the box where it is, read the map between cells, average each bin's samples."""

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import check_flag, check_gradient, check_sampling_ratio
from roilearn.reference.interpolation import bilinear, bilinear_adjoint, bilinear_gradient
from roilearn.reference.pooling.roi_pool import prepare

SAMPLE_LIMIT = 2**22
"""Samples of one box above which the loops would run for minutes: ``roi_align`` raises."""


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
        i + 0.5) to index coordinates (at i). False is the operator of 2017: it leaves the half
        cell out and makes every box at least one cell long.

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
    torchvision 0.27.

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
    """Box in index coordinates of the map: (top, left, height, width), in cells."""
    dtype = roi.dtype.type
    x1, y1, x2, y2 = roi[1:] * dtype(spatial_scale) - dtype(0.5 if aligned else 0)
    height, width = y2 - y1, x2 - x1
    if not aligned:
        height, width = max(height, dtype(1)), max(width, dtype(1))
    return y1, x1, height, width


def samples_per_bin(length: float, bins: int, sampling_ratio: int) -> int:
    """Count the samples of a bin along one axis: ``sampling_ratio``; below 1, one a cell."""
    if sampling_ratio > 0:
        return sampling_ratio
    return max(math.ceil(length / bins), 0)


def sample_positions(
    start: float, length: float, bins: int, sampling_ratio: int = -1
) -> list[list[float]]:
    """Index positions of the samples of each bin along one axis: centres of equal parts.

    Parameters
    ----------
    start, length : where the box starts and how long it is, in cells, index coordinates.
    bins : number of bins.
    sampling_ratio : samples a bin; below 1: adaptive.

    Returns
    -------
    ``bins`` lists of positions; empty lists for an adaptive box of no length.

    Examples
    --------
    A box from 2 to 6 in two bins, two samples each, at 1/4 and 3/4 of the bin:

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
    """Index positions that one box reads: rows and columns, a list for each bin."""
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
    """Whether a sample counts: at most one cell outside the first and last value's positions.

    Samples in the band read the clamped border; beyond it they are 0, and still divided by.
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


def places(positions: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Every (bin, sample) of one axis, in order."""
    return [(i, a) for i, samples in enumerate(positions) for a in range(len(samples))]


def roi_align_backward(
    gradient: ArrayLike,
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> np.ndarray:
    """Gradient to the features: every sample pays the four cells it read, by its weights.

    Parameters
    ----------
    gradient : (K, C, height, width), the gradient that arrives at the output.
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
    spread = np.zeros_like(features)
    for k, roi in enumerate(rois):
        rows, columns = box_samples(roi, bins, spatial_scale, sampling_ratio, aligned)
        for (i, a), (j, b) in product(places(rows), places(columns)):
            row, column = rows[i][a], columns[j][b]
            if in_band(row, height) and in_band(column, width):
                share = gradient[k, :, i, j] / (len(rows[i]) * len(columns[j]))
                spread[int(roi[0])] += bilinear_adjoint(share, row, column, height, width)
    return spread


def roi_align_box_gradient(
    gradient: ArrayLike,
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> np.ndarray:
    """Gradient to the boxes: how the output changes when an edge moves.

    Parameters
    ----------
    gradient, input, boxes, spatial_scale, sampling_ratio, aligned : as in
        ``roi_align_backward``; the values of ``input`` matter here.

    Returns
    -------
    (K, 4) array, per image pixel of x1, y1, x2, y2. Where an adaptive box gains a sample the
    operator jumps, and this is the slope between jumps.

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
    slopes = np.zeros((len(rois), 4), rois.dtype)
    for k, roi in enumerate(rois):
        rows, columns = box_samples(roi, bins, spatial_scale, sampling_ratio, aligned)
        pull_down, pull_across = sample_pulls(gradient[k], features[int(roi[0])], rows, columns)
        held = [not aligned and side * spatial_scale < 1 for side in roi[3:] - roi[1:3]]
        for a, t in enumerate(fractions(columns, held[0])):
            slopes[k, 0] += (1 - t) * pull_across[a]
            slopes[k, 2] += t * pull_across[a]
        for a, t in enumerate(fractions(rows, held[1])):
            slopes[k, 1] += (1 - t) * pull_down[a]
            slopes[k, 3] += t * pull_down[a]
    return slopes * spatial_scale


def sample_pulls(
    gradient: np.ndarray,
    feature_map: np.ndarray,
    rows: list[list[float]],
    columns: list[list[float]],
) -> tuple[np.ndarray, np.ndarray]:
    """Gradient to the position of each row of samples and of each column of samples."""
    height, width = feature_map.shape[-2:]
    pull_down, pull_across = np.zeros(len(places(rows))), np.zeros(len(places(columns)))
    for (m, (i, a)), (n, (j, b)) in product(enumerate(places(rows)), enumerate(places(columns))):
        row, column = rows[i][a], columns[j][b]
        if in_band(row, height) and in_band(column, width):
            share = gradient[:, i, j] / (len(rows[i]) * len(columns[j]))
            by_row, by_column = bilinear_gradient(feature_map, row, column)
            pull_down[m] += share @ by_row
            pull_across[n] += share @ by_column
    return pull_down, pull_across


def fractions(positions: list[list[float]], held: bool = False) -> list[float]:
    """How far along the box each sample lies: 0 at its first edge, 1 at its second.

    A sample at fraction t moves by 1 - t when the first edge moves by one, by t when the second
    does. A side held at one cell (``aligned=False``) moves whole, with its first edge: t is 0.

    Examples
    --------
    >>> fractions([[2.5, 3.5], [4.5, 5.5]])
    [0.125, 0.375, 0.625, 0.875]
    """
    total = len(places(positions))
    return [0.0 if held else (a + 0.5) / total for a in range(total)]
