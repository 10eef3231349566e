"""Precise RoI pooling (PrRoIPool): the exact mean of the interpolated map over each bin.

The interpolated map is a sum of hat functions, one for each cell: along one axis a cell's hat is 1
at the cell's centre and falls linearly to 0 at its neighbours' centres. The mean of the map over a
bin is therefore a weighted sum of cells, and the weight of a cell is the mean of its hat there.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import check_flag, check_gradient
from roilearn.reference.pooling.roi_pool import prepare


def prroi_pool(
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    aligned: bool = False,
) -> np.ndarray:
    """Average the interpolated map over each bin of each box: its integral over the bin's area.

    Parameters
    ----------
    input : (N, C, H, W) features.
    boxes : (K, 5) array of batch index, x1, y1, x2, y2 in image pixels, or a list with one
        (Ki, 4) array for each image.
    output_size : (height, width) of the grid of bins, or one number for both.
    spatial_scale : cells per image pixel, 1 / stride.
    aligned : subtract half a cell, which takes continuous coordinates (the centre of cell i at
        i + 0.5) to index coordinates (at i). False is the operator of 2018, which does not
        subtract half a cell. True is the limit of aligned RoIAlign as the number of samples grows.

    Returns
    -------
    (K, C, height, width) array. Beyond the last cell's centre the interpolated map falls to 0
    within one cell, since there are no hats outside the map. A bin of no area is 0.

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments``; odd boxes: ``roilearn.odd_boxes``.

    Source
    ------
    Jiang et al., Acquisition of Localization Confidence for Accurate Object Detection (2018),
    section 3.3.

    Differs from
    ------------
    RoIAlign: at the border of the map, where RoIAlign clamps for one cell and is 0 beyond.

    Examples
    --------
    The square of the column number, averaged from column 2 to column 3, where the interpolated map
    rises linearly from 4 to 9:

    >>> parabola = np.broadcast_to(np.arange(8.0) ** 2, (1, 1, 8, 8))
    >>> prroi_pool(parabola, np.array([[0.0, 2, 2, 3, 6]]), 1)[0, 0]
    array([[6.5]])
    """
    check_flag("aligned", aligned)
    features, rois, bins = prepare(input, boxes, output_size, spatial_scale)
    output = np.zeros((len(rois), features.shape[1], *bins), features.dtype)
    for k, roi in enumerate(rois):
        rows, columns = box_weights(roi, bins, spatial_scale, aligned, features.shape)
        for i in range(bins[0]):
            for j in range(bins[1]):
                output[k, :, i, j] = rows[i] @ features[int(roi[0])] @ columns[j]
    return output


def box_ends(
    roi: np.ndarray, bins: tuple[int, int], spatial_scale: float, aligned: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Boundaries of one box's bins in index coordinates, down and across; one more than bins."""
    dtype = roi.dtype.type
    x1, y1, x2, y2 = roi[1:] * dtype(spatial_scale) - dtype(0.5 if aligned else 0)
    return bin_ends(y1, y2, bins[0]), bin_ends(x1, x2, bins[1])


def bin_ends(start: float, stop: float, bins: int) -> np.ndarray:
    """Boundaries of equal bins along one side; an inverted side has no length."""
    bin_size = max(stop - start, 0) / bins
    return np.array([start + i * bin_size for i in range(bins + 1)])


def box_weights(
    roi: np.ndarray,
    bins: tuple[int, int],
    spatial_scale: float,
    aligned: bool,
    shape: Sequence[int],
) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the map's rows in each bin of one box, (PH, H), and of its columns, (PW, W)."""
    down, across = box_ends(roi, bins, spatial_scale, aligned)
    return axis_weights(down, shape[-2]), axis_weights(across, shape[-1])


def axis_weights(ends: np.ndarray, size: int) -> np.ndarray:
    """Weights of ``size`` cells in each bin along one axis: (bins, size)."""
    return np.array([bin_weights(start, stop, size) for start, stop in pairwise(ends)])


def bin_weights(start: float, stop: float, size: int) -> np.ndarray:
    """Mean of each cell's hat function from ``start`` to ``stop``; zeros if both are equal.

    Examples
    --------
    From the middle between two cells to the middle between the next two:

    >>> bin_weights(0.5, 1.5, 4)
    array([0.125, 0.75 , 0.125, 0.   ])
    """
    if stop <= start:
        return np.zeros(size)
    areas = [hat_area(start - cell, stop - cell) for cell in range(size)]
    return np.array(areas) / (stop - start)


def hat(position: float) -> float:
    """Value of the hat function at a position relative to its cell's centre.

    Examples
    --------
    >>> hat(0.0), hat(-0.25), hat(1.5)
    (1.0, 0.75, 0.0)
    """
    return max(1 - abs(position), 0.0)


def hat_area(start: float, stop: float) -> float:
    """Integral of the hat function between two positions relative to its cell's centre.

    Each half of the hat is linear, so that its integral is the length times the value in the
    middle. Differences of the closed form of the integral are the same up to rounding.

    Examples
    --------
    >>> hat_area(-1.0, 1.0), hat_area(0.0, 0.5)
    (1.0, 0.375)
    """
    area = 0.0
    for first, last in ((-1, 0), (0, 1)):
        low, high = (min(max(end, first), last) for end in (start, stop))
        area += (high - low) * hat((low + high) / 2)
    return area


def prroi_pool_backward(
    gradient: ArrayLike,
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    spatial_scale: float = 1.0,
    aligned: bool = False,
) -> np.ndarray:
    """Gradient with respect to the features: each bin adds to its cells, by their weights.

    Parameters
    ----------
    gradient : (K, C, height, width) gradient with respect to the output.
    input : (N, C, H, W) features; only their shape matters.
    boxes, spatial_scale, aligned : as in ``prroi_pool``.

    Returns
    -------
    (N, C, H, W) array: the adjoint of ``prroi_pool``.

    Examples
    --------
    >>> features, box = np.zeros((1, 1, 2, 3)), np.array([[0.0, 0, 0, 2, 1]])
    >>> prroi_pool_backward(np.ones((1, 1, 1, 1)), features, box)
    array([[[[0.125, 0.25 , 0.125],
             [0.125, 0.25 , 0.125]]]])
    """
    check_flag("aligned", aligned)
    gradient = np.asarray(gradient)
    features, rois, bins = prepare(input, boxes, gradient.shape[-2:] or 0, spatial_scale)
    check_gradient(gradient, len(rois), features.shape[1])
    grad_input = np.zeros_like(features)
    for k, roi in enumerate(rois):
        rows, columns = box_weights(roi, bins, spatial_scale, aligned, features.shape)
        for i in range(bins[0]):
            for j in range(bins[1]):
                bin_gradient = gradient[k, :, i, j, None, None]
                grad_input[int(roi[0])] += bin_gradient * np.outer(rows[i], columns[j])
    return grad_input


def prroi_pool_box_gradient(
    gradient: ArrayLike,
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    spatial_scale: float = 1.0,
    aligned: bool = False,
) -> np.ndarray:
    """Gradient with respect to the boxes, from the values of the map along their edges.

    Parameters
    ----------
    gradient, input, boxes, spatial_scale, aligned : as in ``prroi_pool_backward``; the values of
        ``input`` matter here.

    Returns
    -------
    (K, 4) array, per image pixel of x1, y1, x2, y2. Exact, also where an edge lies on a cell's
    centre. A box of no area has gradient 0, although its output jumps as soon as it has an area.

    Examples
    --------
    The mean of a ramp is its value at the centre of the box, which moves half as far as an edge:

    >>> ramp = np.broadcast_to(np.arange(8.0), (1, 1, 8, 8))
    >>> box = np.array([[0.0, 2, 2, 6, 5]])
    >>> prroi_pool_box_gradient(np.ones((1, 1, 1, 1)), ramp, box).round(9) + 0.0
    array([[0.5, 0. , 0.5, 0. ]])
    """
    check_flag("aligned", aligned)
    gradient = np.asarray(gradient)
    features, rois, bins = prepare(input, boxes, gradient.shape[-2:] or 0, spatial_scale)
    check_gradient(gradient, len(rois), features.shape[1])
    grad_boxes = np.zeros((len(rois), 4), rois.dtype)
    for k, roi in enumerate(rois):
        ends = box_ends(roi, bins, spatial_scale, aligned)
        rows, columns = box_weights(roi, bins, spatial_scale, aligned, features.shape)
        down = np.einsum("cij,chw,jw->ih", gradient[k], features[int(roi[0])], columns)
        across = np.einsum("cij,chw,ih->jw", gradient[k], features[int(roi[0])], rows)
        grad_boxes[k, 1::2] = edge_gradients(down, rows, ends[0])
        grad_boxes[k, 0::2] = edge_gradients(across, columns, ends[1])
    return grad_boxes * spatial_scale


def edge_gradients(
    gradient: np.ndarray, weights: np.ndarray, ends: np.ndarray
) -> tuple[float, float]:
    """Gradients with respect to the first and the last edge of one side.

    Parameters
    ----------
    gradient, weights : (bins, size) weights along the axis, and the gradient with respect to them.
    ends : (bins + 1,) boundaries of the bins. Boundary i of n moves by i / n with the last edge.
    """
    first = last = 0.0
    bins, cells = len(weights), range(weights.shape[1])
    for i in range(bins):
        length = ends[i + 1] - ends[i]
        if length > 0:
            # d mean / d end = (value at the end - mean) / length, negative at the start.
            at_start, at_stop = (np.array([hat(end - c) for c in cells]) for end in ends[i : i + 2])
            by_start = gradient[i] @ (weights[i] - at_start) / length
            by_stop = gradient[i] @ (at_stop - weights[i]) / length
            first += (1 - i / bins) * by_start + (1 - (i + 1) / bins) * by_stop
            last += i / bins * by_start + (i + 1) / bins * by_stop
    return first, last
