"""Position-sensitive RoIAlign: RoIAlign in which each bin reads its own channels."""

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import check_gradient, check_position_sensitive, check_sampling_ratio
from roilearn.reference.interpolation import bilinear_adjoint
from roilearn.reference.pooling.roi_align import bin_average, box_samples, in_band
from roilearn.reference.pooling.roi_pool import prepare


def ps_roi_align(
    input: ArrayLike,
    boxes: ArrayLike | Sequence[ArrayLike],
    output_size: int | Sequence[int],
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
) -> np.ndarray:
    """Average bilinear samples over each bin of each box, each bin in its own channels.

    Parameters
    ----------
    input : (N, C * height * width, H, W) features. Output channel c of bin (i, j) reads channel
        (c * height + i) * width + j.
    boxes : (K, 5) array of batch index, x1, y1, x2, y2 in image pixels, or a list with one
        (Ki, 4) array for each image.
    output_size : (height, width) of the grid of bins, or one number for both.
    spatial_scale : cells per image pixel, 1 / stride.
    sampling_ratio : samples along each axis of a bin; below 1: adaptive, ceil(bin size).

    Returns
    -------
    (K, C, height, width) array. Half a cell is always subtracted, as in RoIAlign with
    ``aligned=True``.

    Raises
    ------
    ValueError: channels that do not divide among the bins.
    ValueError, TypeError: as ``roi_align``; odd boxes: ``roilearn.odd_boxes``.

    Source
    ------
    Dai et al., R-FCN (2016), equation 1, with RoIAlign's sampling; torchvision 0.29.

    Differs from
    ------------
    torchvision 0.29: there, adaptive sampling of a box of size 0 gives NaN; here it gives 0.

    Examples
    --------
    Four channels filled with their own number, for two by two bins. Each bin reads its own channel:

    >>> maps = np.broadcast_to(np.arange(4.0)[:, None, None], (1, 4, 6, 6))
    >>> ps_roi_align(maps, np.array([[0.0, 1, 1, 5, 5]]), 2)[0]
    array([[[0., 1.],
            [2., 3.]]])
    """
    check_sampling_ratio(sampling_ratio)
    features, rois, bins = prepare(input, boxes, output_size, spatial_scale)
    maps = maps_of_bins(features, bins)
    output = np.zeros((len(rois), maps.shape[1], *bins), features.dtype)
    for k, roi in enumerate(rois):
        rows, columns = box_samples(roi, bins, spatial_scale, sampling_ratio, aligned=True)
        for i in range(bins[0]):
            for j in range(bins[1]):
                of_bin = maps[int(roi[0]), :, i, j]  # (C, H, W)
                output[k, :, i, j] = bin_average(of_bin, rows[i], columns[j])
    return output


def maps_of_bins(features: np.ndarray, bins: tuple[int, int]) -> np.ndarray:
    """Group the channels by the bin that reads them: (N, C, height, width, H, W), a view."""
    check_position_sensitive(features, bins)
    images, channels, height, width = features.shape
    return features.reshape(images, channels // (bins[0] * bins[1]), *bins, height, width)


def ps_roi_align_backward(
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
    input, boxes, spatial_scale, sampling_ratio : as in ``ps_roi_align``.

    Returns
    -------
    (N, C * height * width, H, W) array: the adjoint of ``ps_roi_align``.
    """
    check_sampling_ratio(sampling_ratio)
    gradient = np.asarray(gradient)
    features, rois, bins = prepare(input, boxes, gradient.shape[-2:] or 0, spatial_scale)
    grad_input = maps_of_bins(np.zeros_like(features), bins)
    check_gradient(gradient, len(rois), grad_input.shape[1])
    size = features.shape[-2:]
    for k, roi in enumerate(rois):
        rows, columns = box_samples(roi, bins, spatial_scale, sampling_ratio, aligned=True)
        for i, j in product(range(bins[0]), range(bins[1])):
            sample_gradient = gradient[k, :, i, j] / max(len(rows[i]) * len(columns[j]), 1)
            for row, column in product(rows[i], columns[j]):
                if in_band(row, size[0]) and in_band(column, size[1]):
                    grad_input[int(roi[0]), :, i, j] += bilinear_adjoint(
                        sample_gradient, row, column, *size
                    )
    return grad_input.reshape(features.shape)
