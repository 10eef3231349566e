"""RoIPool: the box and its bins are rounded to whole cells; each bin gives its maximum."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import (
    check_choice,
    check_features,
    check_gradient,
    check_output_size,
    check_spatial_scale,
)
from roilearn.reference.boxes.boxes import as_rois
from roilearn.reference.quantize import quantize

POOL_MODES = ("max", "average")


def bin_edges(
    first: int, last: int, bins: int, limit: int, dtype: type = np.float64
) -> list[tuple[int, int]]:
    """Cells of each bin along one axis, rounded outwards, so that neighbouring bins may overlap.

    Parameters
    ----------
    first, last : first and last cell of the rounded box, both included.
    bins : number of bins.
    limit : size of the map along this axis; no bin reaches outside it.
    dtype : floating dtype of the division; torchvision's kernels use that of the features.

    Returns
    -------
    ``bins`` pairs (start, stop), stop excluded. A bin with start >= stop is empty.

    Examples
    --------
    Twelve cells in seven bins, and the box of 665 px at stride 32:

    >>> bin_edges(0, 11, 7, limit=38)
    [(0, 2), (1, 4), (3, 6), (5, 7), (6, 9), (8, 11), (10, 12)]
    >>> bin_edges(0, 21, 7, limit=38)
    [(0, 4), (3, 7), (6, 10), (9, 13), (12, 16), (15, 19), (18, 22)]
    """
    bin_size = dtype(max(last - first + 1, 1)) / dtype(bins)
    edges = []
    for i in range(bins):
        start = first + math.floor(i * bin_size)
        stop = first + math.ceil((i + 1) * bin_size)
        edges.append((min(max(start, 0), limit), min(max(stop, 0), limit)))
    return edges


def roi_pool(
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    mode: str = "max",
) -> np.ndarray:
    """Pool each box into a grid of ``output_size`` bins of whole cells.

    Parameters
    ----------
    input : (N, C, H, W) features.
    boxes : (K, 5) array of batch index, x1, y1, x2, y2 in image pixels, or a list with one
        (Ki, 4) array for each image.
    output_size : (height, width) of the grid, or one number for both.
    spatial_scale : cells per image pixel, 1 / stride.
    mode : ``"max"``, as torchvision's kernels, or ``"average"``.

    Returns
    -------
    (K, C, height, width) array. An empty bin, outside the map, is 0. NaN cells are ignored,
    and a bin in which all cells are NaN is NaN.

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments``; odd boxes: ``roilearn.odd_boxes``.

    Source
    ------
    Girshick, Fast R-CNN (2015), section 2.1; rounding as in torchvision 0.29.

    Differs from
    ------------
    torchvision 0.29: there, a bin in which all cells are NaN or minus infinity gives the lowest
    number of the dtype, and no gradient.

    Examples
    --------
    >>> features = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> roi_pool(features, np.array([[0.0, 0, 0, 2, 2]]), 2)[0, 0]
    array([[4., 5.],
           [7., 8.]])
    """
    check_choice("mode", mode, POOL_MODES)
    features, rois, bins = prepare(input, boxes, output_size, spatial_scale)
    output = np.zeros((len(rois), features.shape[1], *bins), features.dtype)
    for k, roi in enumerate(rois):
        rows, columns = box_bins(roi, bins, spatial_scale, features.shape)
        for i, (top, bottom) in enumerate(rows):
            for j, (left, right) in enumerate(columns):
                if top < bottom and left < right:
                    cells = features[int(roi[0]), :, top:bottom, left:right]
                    output[k, :, i, j] = [pool_cells(each, mode) for each in cells]
    return output


def prepare(
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    output_size: int | Sequence[int],
    spatial_scale: float,
) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """Check the arguments that the RoI operators share; features, (K, 5) boxes, output size."""
    features = np.asarray(input)
    check_features(features)
    check_spatial_scale(spatial_scale)
    rois = as_rois(boxes, len(features))
    rois = rois.astype(np.result_type(rois.dtype, features.dtype))
    return features, rois, check_output_size(output_size)


def box_bins(
    roi: np.ndarray, bins: tuple[int, int], spatial_scale: float, shape: Sequence[int]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Round the corners of one box to cells, then its bins: (rows, columns), stops excluded."""
    dtype = roi.dtype.type
    corners = quantize(roi[1:] * dtype(spatial_scale), "half_away")
    x1, y1, x2, y2 = (int(side) for side in corners)
    rows = bin_edges(y1, y2, bins[0], shape[-2], dtype)
    return rows, bin_edges(x1, x2, bins[1], shape[-1], dtype)


def pool_cells(cells: np.ndarray, mode: str) -> np.floating:
    """Maximum or mean of the cells of one bin."""
    if mode == "average":
        return cells.mean()
    return np.fmax.reduce(cells, axis=None)  # ignores NaN unless all cells are NaN


def argmax_cell(cells: np.ndarray) -> tuple[int, int]:
    """(row, column) of the maximum, in a tie the first in row-major order; NaN is ignored."""
    row, column = np.argwhere(cells == pool_cells(cells, "max"))[0]
    return int(row), int(column)


def roi_pool_backward(
    gradient: ArrayLike,
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    spatial_scale: float = 1.0,
    mode: str = "max",
) -> np.ndarray:
    """Gradient with respect to the features: it goes to each bin's maximum, or to all its cells.

    Parameters
    ----------
    gradient : (K, C, height, width) gradient with respect to the output.
    input : (N, C, H, W), the features that were pooled: the positions of the maxima depend on them.
    boxes, spatial_scale, mode : as in ``roi_pool``.

    Returns
    -------
    (N, C, H, W) array. In a tie the gradient goes to the bin's first maximum (row-major order). A
    cell that is the maximum of no bin has the gradient 0.

    Examples
    --------
    >>> features = np.arange(9.0).reshape(1, 1, 3, 3)
    >>> box = np.array([[0.0, 0, 0, 2, 2]])
    >>> roi_pool_backward(np.ones((1, 1, 2, 2)), features, box)[0, 0]
    array([[0., 0., 0.],
           [0., 1., 1.],
           [0., 1., 1.]])
    """
    check_choice("mode", mode, POOL_MODES)
    gradient = np.asarray(gradient)
    features, rois, bins = prepare(input, boxes, gradient.shape[-2:] or 0, spatial_scale)
    check_gradient(gradient, len(rois), features.shape[1])
    grad_input = np.zeros_like(features)
    for k, roi in enumerate(rois):
        rows, columns = box_bins(roi, bins, spatial_scale, features.shape)
        for i, (top, bottom) in enumerate(rows):
            for j, (left, right) in enumerate(columns):
                if top < bottom and left < right:
                    block = np.s_[int(roi[0]), :, top:bottom, left:right]
                    add_bin_gradient(grad_input[block], features[block], gradient[k, :, i, j], mode)
    return grad_input


def add_bin_gradient(
    grad_input: np.ndarray, cells: np.ndarray, gradient: np.ndarray, mode: str
) -> None:
    """Add the (C,) ``gradient`` of one bin to the gradients of its (C, h, w) cells."""
    for channel, amount in enumerate(gradient):
        if mode == "average":
            grad_input[channel] += amount / cells[channel].size
        elif not np.isnan(cells[channel]).all():  # a bin of NaN has no maximum
            grad_input[(channel, *argmax_cell(cells[channel]))] += amount
