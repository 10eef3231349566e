"""Multi-scale RoIAlign: each box is pooled from the map of its level of the feature pyramid."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import check_output_size, check_pyramid, check_spatial_scales
from roilearn.reference.boxes.boxes import as_rois
from roilearn.reference.pooling.levels import assign_levels
from roilearn.reference.pooling.roi_align import roi_align


def multi_scale_roi_align(
    input: Sequence[ArrayLike],
    boxes: ArrayLike | Sequence[ArrayLike],
    output_size: int | Sequence[int],
    spatial_scales: Sequence[float],
    sampling_ratio: int = -1,
    aligned: bool = False,
    canonical_scale: float = 224,
    canonical_level: int = 4,
    rule: str = "floor",
) -> np.ndarray:
    """Average bilinear samples over each bin of each box, on the level assigned by its size.

    Parameters
    ----------
    input : maps of consecutive levels, finest first, each (N, C, H, W) with its own H and W.
    boxes : (K, 5) array of batch index, x1, y1, x2, y2 in image pixels, or a list with one
        (Ki, 4) array for each image.
    spatial_scales : cells per image pixel of each map; the first gives the first level: 1/4 is
        level 2.
    canonical_scale, canonical_level, rule : as in ``assign_levels``.
    output_size, sampling_ratio, aligned : as in ``roi_align``.

    Returns
    -------
    (K, C, height, width) array, in the order of ``boxes``.

    Raises
    ------
    ValueError: maps that differ in N or C; another number of scales than of maps.
    ValueError, TypeError: see ``roilearn.arguments``; odd boxes: ``roilearn.odd_boxes``.

    Source
    ------
    Lin et al., Feature Pyramid Networks (2017), section 4.2; torchvision 0.29.

    Examples
    --------
    Two maps filled with their own level. The small box reads the first, the large one the second:

    >>> fine, coarse = np.full((1, 1, 32, 32), 4.0), np.full((1, 1, 16, 16), 5.0)
    >>> boxes = [np.array([[0, 0, 250, 250], [0, 0, 500, 500]])]
    >>> multi_scale_roi_align([fine, coarse], boxes, 1, [1 / 16, 1 / 32]).ravel()
    array([4., 5.])
    """
    maps = [np.asarray(m) for m in input]
    check_pyramid(maps)
    scales = check_spatial_scales(spatial_scales, len(maps))
    bins = check_output_size(output_size)
    rois = as_rois(boxes, len(maps[0]), maps[0].dtype)
    first = round(-math.log2(scales[0]))
    last = max(round(-math.log2(scales[-1])), first)
    levels = assign_levels(rois[:, 1:], first, last, canonical_scale, canonical_level, rule)
    output = np.zeros((len(rois), maps[0].shape[1], *bins), maps[0].dtype)
    for k, level in enumerate(levels):
        index = min(level - first, len(maps) - 1)
        options = (bins, scales[index], sampling_ratio, aligned)
        output[k] = roi_align(maps[index], rois[k : k + 1], *options)[0]
    return output
