"""Position-sensitive RoIPool: the mean of whole cells, each bin in its own channels."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import check_flag, check_gradient
from roilearn.reference.pooling.ps_roi_align import maps_of_bins
from roilearn.reference.pooling.roi_pool import bin_edges, prepare
from roilearn.reference.quantize import quantize


def ps_roi_pool(
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    read_last: bool = False,
) -> np.ndarray:
    """Average the cells of each bin of each box, each bin in its own channels.

    Parameters
    ----------
    input : (N, C * height * width, H, W) features. Output channel c of bin (i, j) reads channel
        (c * height + i) * width + j.
    boxes : (K, 5) array of batch index, x1, y1, x2, y2 in image pixels, or a list with one
        (Ki, 4) array for each image.
    output_size : (height, width) of the grid of bins, or one number for both.
    spatial_scale : cells per image pixel, 1 / stride.
    read_last : whether bins may include the last row and the last column of the map. In torchvision
        they never do, so False is the default.

    Returns
    -------
    (K, C, height, width) array. A bin without cells is 0.

    Raises
    ------
    ValueError: channels that do not divide among the bins.
    ValueError, TypeError: as ``roi_pool``; odd boxes: ``roilearn.odd_boxes``.

    Source
    ------
    Dai et al., R-FCN (2016), equation 1; rounding as in torchvision 0.29: the end of the box
    excluded, at least one cell.

    Differs from
    ------------
    torchvision 0.29: there the last row and column receive a gradient although the output does not
    depend on them. Here the gradient is that of the output, with either ``read_last``.

    Examples
    --------
    >>> edge = np.zeros((1, 1, 4, 4))
    >>> edge[..., -1, :] = edge[..., -1] = 16
    >>> box = np.array([[0.0, 0, 0, 4, 4]])
    >>> ps_roi_pool(edge, box, 1).item(), ps_roi_pool(edge, box, 1, read_last=True).item()
    (0.0, 7.0)
    """
    check_flag("read_last", read_last)
    features, rois, bins = prepare(input, boxes, output_size, spatial_scale)
    maps = maps_of_bins(features, bins)
    output = np.zeros((len(rois), maps.shape[1], *bins), features.dtype)
    for k, roi in enumerate(rois):
        rows, columns = box_bins(roi, bins, spatial_scale, features.shape, read_last)
        for i, (top, bottom) in enumerate(rows):
            for j, (left, right) in enumerate(columns):
                if top < bottom and left < right:
                    cells = maps[int(roi[0]), :, i, j, top:bottom, left:right]
                    output[k, :, i, j] = cells.mean(axis=(1, 2))
    return output


def box_bins(
    roi: np.ndarray,
    bins: tuple[int, int],
    spatial_scale: float,
    shape: Sequence[int],
    read_last: bool,
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Round the corners of one box to cells, then its bins: (rows, columns), stops excluded."""
    dtype = roi.dtype.type
    corners = quantize(roi[1:] * dtype(spatial_scale), "half_away")
    x1, y1, x2, y2 = (int(side) for side in corners)
    height, width = (size - (not read_last) for size in shape[-2:])
    rows = bin_edges(y1, y2 - 1, bins[0], height, dtype)
    return rows, bin_edges(x1, x2 - 1, bins[1], width, dtype)


def ps_roi_pool_backward(
    gradient: ArrayLike,
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    spatial_scale: float = 1.0,
    read_last: bool = False,
) -> np.ndarray:
    """Gradient with respect to the features: a bin's gradient is divided equally among its cells.

    Parameters
    ----------
    gradient : (K, C, height, width) gradient with respect to the output.
    input, boxes, spatial_scale, read_last : as in ``ps_roi_pool``.

    Returns
    -------
    (N, C * height * width, H, W) array: the adjoint of ``ps_roi_pool``.
    """
    check_flag("read_last", read_last)
    gradient = np.asarray(gradient)
    features, rois, bins = prepare(input, boxes, gradient.shape[-2:] or 0, spatial_scale)
    grad_input = maps_of_bins(np.zeros_like(features), bins)
    check_gradient(gradient, len(rois), grad_input.shape[1])
    for k, roi in enumerate(rois):
        rows, columns = box_bins(roi, bins, spatial_scale, features.shape, read_last)
        for (i, (top, bottom)), (j, (left, right)) in product(enumerate(rows), enumerate(columns)):
            if top < bottom and left < right:
                cell_gradient = gradient[k, :, i, j] / ((bottom - top) * (right - left))
                block = np.s_[int(roi[0]), :, i, j, top:bottom, left:right]
                grad_input[block] += cell_gradient[:, None, None]
    return grad_input.reshape(features.shape)
