"""How much two boxes have in common: intersection over union, and its generalised form."""

import numpy as np
from numpy.typing import ArrayLike

from roilearn.reference.boxes.boxes import box_sides


def box_iou(boxes1: ArrayLike, boxes2: ArrayLike, fmt: str = "xyxy") -> np.ndarray:
    """Intersection over union of every pair of boxes.

    Parameters
    ----------
    boxes1 : (N, 4) boxes as x1, y1, x2, y2; x2 and y2 exclusive.
    boxes2 : (M, 4)
    fmt : one of ``BOX_FORMATS``, if the boxes are given otherwise.

    Returns
    -------
    (N, M) array in [0, 1]. A box of no area has IoU 0 with everything, itself included.

    Raises
    ------
    ValueError: a last dimension other than 4; a NaN or infinite coordinate; an unknown format.

    Differs from
    ------------
    torchvision 0.27: 0/0 gives NaN there.

    Examples
    --------
    >>> box_iou([[0, 0, 2, 2]], [[1, 0, 3, 2]]).round(3)
    array([[0.333]])
    """
    first, second = box_sides("boxes1", boxes1, fmt), box_sides("boxes2", boxes2, fmt)
    iou = np.zeros((len(first), len(second)))
    for n, a in enumerate(first.astype(float)):
        for m, b in enumerate(second.astype(float)):
            shared, union = shared_and_united(a, b)
            iou[n, m] = shared / union if shared > 0 else 0.0
    return iou


def generalized_box_iou(boxes1: ArrayLike, boxes2: ArrayLike) -> np.ndarray:
    """IoU of every pair, less the share of their common hull that neither box covers.

    IoU is 0 for all boxes that do not meet. This one goes on falling as they part, towards -1,
    so that a loss made of it has a slope there.

    Parameters
    ----------
    boxes1 : (N, 4) boxes as x1, y1, x2, y2; x2 and y2 exclusive.
    boxes2 : (M, 4)

    Returns
    -------
    (N, M) array in [-1, 1] for boxes that are not inverted. Two boxes of no area have -1, or 0
    where their hull has no area either.

    Raises
    ------
    ValueError: a last dimension other than 4; a NaN or infinite coordinate.

    Source
    ------
    Rezatofighi et al., Generalized Intersection over Union (2019), algorithm 1.

    Differs from
    ------------
    torchvision 0.27: two boxes of no area give NaN there.

    Examples
    --------
    Two unit squares with a gap of one between them fill two thirds of their hull:

    >>> generalized_box_iou([[0, 0, 1, 1]], [[2, 0, 3, 1]]).round(3)
    array([[-0.333]])
    """
    first, second = box_sides("boxes1", boxes1), box_sides("boxes2", boxes2)
    generalized = box_iou(first, second)
    for n, a in enumerate(first.astype(float)):
        for m, b in enumerate(second.astype(float)):
            _, union = shared_and_united(a, b)
            hull = hull_area(a, b)
            generalized[n, m] -= (hull - union) / hull if hull > 0 else 0.0
    return generalized


def shared_and_united(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Areas of the intersection and of the union of two boxes."""
    (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = a, b
    width = max(min(ax2, bx2) - max(ax1, bx1), 0)
    height = max(min(ay2, by2) - max(ay1, by1), 0)
    shared = width * height
    return shared, (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - shared


def hull_area(a: np.ndarray, b: np.ndarray) -> float:
    """Area of the smallest box around two boxes."""
    (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = a, b
    width = max(max(ax2, bx2) - min(ax1, bx1), 0)
    height = max(max(ay2, by2) - min(ay1, by1), 0)
    return width * height
