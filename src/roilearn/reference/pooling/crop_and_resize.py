"""Crop and resize: each box is sampled at a grid of points whose corners are those of the box."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import (
    check_choice,
    check_flag,
    check_gradient,
    check_number,
    check_output_size,
)
from roilearn.reference.interpolation import bilinear, bilinear_adjoint, bilinear_gradient
from roilearn.reference.pooling.roi_pool import prepare
from roilearn.reference.quantize import quantize

CROP_METHODS = ("bilinear", "nearest")


def crop_and_resize(
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    crop_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    method: str = "bilinear",
    extrapolation_value: float = 0.0,
    aligned: bool = False,
) -> np.ndarray:
    """Sample each box at a grid of points, from its first corner to its last, both included.

    Parameters
    ----------
    input : (N, C, H, W) features.
    boxes : (K, 5) array of batch index, x1, y1, x2, y2 in image pixels, or a list with one
        (Ki, 4) array for each image.
    crop_size : (height, width) of the grid of points, or one number for both. A single
        point along an axis lies in the middle of the box.
    spatial_scale : cells per image pixel, 1 / stride.
    method : ``"bilinear"``, or ``"nearest"``: the cell nearest to the point, halves upwards.
    extrapolation_value : value of a point beyond the first or last cell's centre.
    aligned : subtract half a cell, which takes continuous coordinates (the centre of cell i at
        i + 0.5) to index coordinates (at i). False, as in TensorFlow: the boxes are in index
        coordinates.

    Returns
    -------
    (K, C, height, width) array.

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments``; odd boxes: ``roilearn.odd_boxes``.

    Source
    ------
    TensorFlow 2.21, ``tf.image.crop_and_resize``, order of arithmetic included. There,
    boxes are y1, x1, y2, x2 from 0 at the first cell's centre to 1 at the last cell's centre, the
    batch indices are a separate argument, and the channels come last. For ``image`` (N, H, W, C),
    ``normalised`` (K, 4) and ``box_indices`` (K,)::

        cells = normalised[:, [1, 0, 3, 2]] * np.array([W - 1, H - 1, W - 1, H - 1])
        boxes = np.concatenate([box_indices[:, None], cells], axis=1)
        crop_and_resize(image.transpose(0, 3, 1, 2), boxes, crop_size)  # (K, C, height, width)

    Examples
    --------
    TensorFlow's box from 0.2 to 0.6 on a map of 5 x 5 cells is from 0.8 to 2.4 in cells:

    >>> ramp = np.arange(25.0).reshape(1, 1, 5, 5)
    >>> crop_and_resize(ramp, np.array([[0, 0.8, 0.8, 2.4, 2.4]]), (2, 4))[0, 0].round(3)
    array([[ 4.8  ,  5.333,  5.867,  6.4  ],
           [12.8  , 13.333, 13.867, 14.4  ]])
    """
    check_choice("method", method, CROP_METHODS)
    outside = check_number("extrapolation_value", extrapolation_value)
    check_flag("aligned", aligned)
    points = check_output_size(crop_size, "crop_size")
    features, rois, _ = prepare(input, boxes, points, spatial_scale)
    output = np.full((len(rois), features.shape[1], *points), outside, features.dtype)
    for k, roi in enumerate(rois):
        rows, columns = box_points(roi, points, spatial_scale, aligned)
        for i, j in points_inside_map(rows, columns, features.shape):
            place = read_at(rows[i], columns[j], method)
            output[k, :, i, j] = bilinear(features[int(roi[0])], *place)
    return output


def box_points(
    roi: np.ndarray, points: tuple[int, int], spatial_scale: float, aligned: bool
) -> tuple[list[float], list[float]]:
    """Index positions of the points of one box: rows and columns."""
    dtype = roi.dtype.type
    x1, y1, x2, y2 = roi[1:] * dtype(spatial_scale) - dtype(0.5 if aligned else 0)
    return crop_positions(y1, y2, points[0]), crop_positions(x1, x2, points[1])


def crop_positions(start: float, stop: float, points: int) -> list[float]:
    """Evenly spaced positions from ``start`` to ``stop``, both included; one alone in the middle.

    Examples
    --------
    >>> crop_positions(2.0, 5.0, 4), crop_positions(2.0, 5.0, 1)
    ([2.0, 3.0, 4.0, 5.0], [3.5])
    """
    if points == 1:
        return [(start + stop) / 2]
    step = (stop - start) / (points - 1)
    return [start + i * step for i in range(points)]


def points_inside_map(
    rows: Sequence[float], columns: Sequence[float], shape: Sequence[int]
) -> list[tuple[int, int]]:
    """List the points (i, j) between the centres of the outermost cells, or on them."""
    height, width = shape[-2:]
    return [
        (i, j)
        for i, row in enumerate(rows)
        for j, column in enumerate(columns)
        if 0 <= row <= height - 1 and 0 <= column <= width - 1
    ]


def read_at(row: float, column: float, method: str) -> tuple[float, float]:
    """Position at which a point is sampled: its own, or the centre of the nearest cell."""
    if method == "bilinear":
        return row, column
    row, column = quantize([row, column], "half_away")
    return row, column


def crop_and_resize_backward(
    gradient: ArrayLike,
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    spatial_scale: float = 1.0,
    method: str = "bilinear",
    aligned: bool = False,
) -> np.ndarray:
    """Gradient with respect to the features: each point adds to its four cells, or the nearest one.

    Parameters
    ----------
    gradient : (K, C, height, width) gradient with respect to the output.
    input : (N, C, H, W) features; only their shape matters.
    boxes, spatial_scale, method, aligned : as in ``crop_and_resize``.

    Returns
    -------
    (N, C, H, W) array.

    Examples
    --------
    >>> features, box = np.zeros((1, 1, 2, 3)), np.array([[0, 0.5, 0.25, 1.5, 0.25]])
    >>> crop_and_resize_backward(np.ones((1, 1, 1, 2)), features, box)
    array([[[[0.375, 0.75 , 0.375],
             [0.125, 0.25 , 0.125]]]])
    """
    check_choice("method", method, CROP_METHODS)
    check_flag("aligned", aligned)
    gradient = np.asarray(gradient)
    features, rois, points = prepare(input, boxes, gradient.shape[-2:] or 0, spatial_scale)
    check_gradient(gradient, len(rois), features.shape[1])
    grad_input = np.zeros_like(features)
    for k, roi in enumerate(rois):
        rows, columns = box_points(roi, points, spatial_scale, aligned)
        for i, j in points_inside_map(rows, columns, features.shape):
            place = read_at(rows[i], columns[j], method)
            to_cells = bilinear_adjoint(gradient[k, :, i, j], *place, *features.shape[2:])
            grad_input[int(roi[0])] += to_cells
    return grad_input


def crop_and_resize_box_gradient(
    gradient: ArrayLike,
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    spatial_scale: float = 1.0,
    aligned: bool = False,
) -> np.ndarray:
    """Gradient with respect to the boxes, for the bilinear method.

    Parameters
    ----------
    gradient, input, boxes, spatial_scale, aligned : as in ``crop_and_resize_backward``; the
        values of ``input`` matter here.

    Returns
    -------
    (K, 4) array, per image pixel of x1, y1, x2, y2.

    Examples
    --------
    >>> ramp = np.broadcast_to(np.arange(8.0), (1, 1, 8, 8))
    >>> box = np.array([[0, 2.5, 2.5, 6, 4]])
    >>> crop_and_resize_box_gradient(np.ones((1, 1, 1, 3)), ramp, box)
    array([[1.5, 0. , 1.5, 0. ]])
    """
    check_flag("aligned", aligned)
    gradient = np.asarray(gradient)
    features, rois, points = prepare(input, boxes, gradient.shape[-2:] or 0, spatial_scale)
    check_gradient(gradient, len(rois), features.shape[1])
    down, across = (crop_positions(0.0, 1.0, number) for number in points)  # fractions of a side
    grad_boxes = np.zeros((len(rois), 4), rois.dtype)
    for k, roi in enumerate(rois):
        rows, columns = box_points(roi, points, spatial_scale, aligned)
        for i, j in points_inside_map(rows, columns, features.shape):
            slope_row, slope_column = bilinear_gradient(features[int(roi[0])], rows[i], columns[j])
            by_row = gradient[k, :, i, j] @ slope_row
            by_column = gradient[k, :, i, j] @ slope_column
            grad_boxes[k] += by_column * np.array([1 - across[j], 0, across[j], 0])
            grad_boxes[k] += by_row * np.array([0, 1 - down[i], 0, down[i]])
    return grad_boxes * spatial_scale
