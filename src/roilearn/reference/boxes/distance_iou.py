"""Distance IoU and complete IoU: IoU with what a loss needs where boxes do not overlap."""

import math

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import check_at_least
from roilearn.reference.boxes.boxes import box_corners
from roilearn.reference.boxes.iou import box_iou


def distance_box_iou(boxes1: ArrayLike, boxes2: ArrayLike, eps: float = 1e-7) -> np.ndarray:
    """Distance IoU (DIoU) of every pair of boxes.

    It is the IoU minus the squared distance of the two centres, in units of the squared diagonal of
    the smallest enclosing box. So it falls as two boxes move apart, also where they do not overlap.

    Parameters
    ----------
    boxes1 : (N, 4) boxes as x1, y1, x2, y2; x2 and y2 exclusive.
    boxes2 : (M, 4)
    eps : added to the squared diagonal, by which is divided.

    Returns
    -------
    (N, M) array in [-1, 1] for boxes that are not inverted. Two boxes at the same point have 0.

    Raises
    ------
    ValueError: a last dimension other than 4; a NaN or infinite coordinate; a negative eps.

    Source
    ------
    Zheng et al., Distance-IoU Loss (2020), equation 7.

    Differs from
    ------------
    torchvision 0.29: two boxes of no area give NaN there.

    Examples
    --------
    The centres are 2 apart, and the enclosing box of 3 x 1 has a squared diagonal of 10:

    >>> distance_box_iou([[0, 0, 1, 1]], [[2, 0, 3, 1]])
    array([[-0.4]])
    """
    check_at_least("eps", eps, 0)
    first, second = box_corners("boxes1", boxes1), box_corners("boxes2", boxes2)
    result = box_iou(first, second)
    for n, a in enumerate(first.astype(float)):
        for m, b in enumerate(second.astype(float)):
            across, down = (a[:2] + a[2:] - b[:2] - b[2:]) / 2
            width, height = np.maximum(a[2:], b[2:]) - np.minimum(a[:2], b[:2])
            diagonal = width**2 + height**2 + eps
            if diagonal > 0:
                result[n, m] -= (across**2 + down**2) / diagonal
    return result


def complete_box_iou(boxes1: ArrayLike, boxes2: ArrayLike, eps: float = 1e-7) -> np.ndarray:
    """Complete IoU (CIoU) of every pair of boxes: distance IoU minus a term of their shapes.

    The term is alpha * v, where v is the squared difference of the angles of the two diagonals, in
    units of the right angle, and alpha = v / (1 - IoU + v + eps). It is 0 for boxes of one aspect
    ratio.

    Parameters
    ----------
    boxes1 : (N, 4) boxes as x1, y1, x2, y2; x2 and y2 exclusive.
    boxes2 : (M, 4)
    eps : added to the squared diagonal and to the denominator of alpha.

    Returns
    -------
    (N, M) array, at most 1.

    Raises
    ------
    ValueError: as ``distance_box_iou``.

    Source
    ------
    Zheng et al., Distance-IoU Loss (2020), equations 8 to 11.

    Differs from
    ------------
    torchvision 0.29: boxes without width and height give NaN there.

    Examples
    --------
    Equal centres; a square and a box of four times its width, which it fills by a quarter:

    >>> square, wide = [[1.5, 0, 2.5, 1]], [[0, 0, 4, 1]]
    >>> complete_box_iou(square, wide).round(3), distance_box_iou(square, wide)
    (array([[0.234]]), array([[0.25]]))
    """
    check_at_least("eps", eps, 0)
    first, second = box_corners("boxes1", boxes1), box_corners("boxes2", boxes2)
    iou, result = box_iou(first, second), distance_box_iou(first, second, eps)
    for n, a in enumerate(first.astype(float)):
        for m, b in enumerate(second.astype(float)):
            angles = [math.atan2(box[2] - box[0], box[3] - box[1]) for box in (a, b)]
            v = ((angles[0] - angles[1]) / (math.pi / 2)) ** 2
            if v > 0:
                result[n, m] -= v * v / (1 - iou[n, m] + v + eps)
    return result
