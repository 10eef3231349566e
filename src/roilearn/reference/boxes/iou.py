"""Intersection over union (IoU) of boxes and of masks, and generalised IoU."""

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import check_masks
from roilearn.reference.boxes.boxes import box_corners

IOU_TYPES = ("boxes", "masks")
"""The regions that can be compared."""


def box_iou(boxes1: ArrayLike, boxes2: ArrayLike, fmt: str = "xyxy") -> np.ndarray:
    """Intersection over union of every pair of boxes.

    Parameters
    ----------
    boxes1 : (N, 4) boxes as x1, y1, x2, y2; x2 and y2 exclusive.
    boxes2 : (M, 4)
    fmt : format of the boxes, one of ``BOX_FORMATS``.

    Returns
    -------
    (N, M) array in [0, 1]. A box of no area has IoU 0 with everything, itself included, and a box
    that reaches to infinity with every finite one; two that share an infinite area have NaN.

    Raises
    ------
    ValueError: a last dimension other than 4; a NaN coordinate; an unknown format.

    Differs from
    ------------
    torchvision 0.29: 0/0 gives NaN there.

    Examples
    --------
    >>> box_iou([[0, 0, 2, 2]], [[1, 0, 3, 2]]).round(3)
    array([[0.333]])
    """
    first = box_corners("boxes1", boxes1, fmt, infinite=True)
    second = box_corners("boxes2", boxes2, fmt, infinite=True)
    iou = np.zeros((len(first), len(second)))
    for n, a in enumerate(first.astype(float)):
        for m, b in enumerate(second.astype(float)):
            with np.errstate(invalid="ignore"):  # infinity times 0
                intersection, union = intersection_and_union(a, b)
                iou[n, m] = intersection / union if intersection > 0 else 0.0
    return iou


def generalized_box_iou(boxes1: ArrayLike, boxes2: ArrayLike) -> np.ndarray:
    """Generalised IoU (GIoU) of every pair of boxes.

    It is the IoU minus the fraction of the smallest enclosing box that neither box covers. IoU is 0
    for all disjoint boxes. GIoU falls further as they move apart, towards -1, so that a loss made
    of it has a gradient there.

    Parameters
    ----------
    boxes1 : (N, 4) boxes as x1, y1, x2, y2; x2 and y2 exclusive.
    boxes2 : (M, 4)

    Returns
    -------
    (N, M) array in [-1, 1] for boxes that are not inverted. Two boxes of no area have -1, or 0
    where their enclosing box has no area either.

    Raises
    ------
    ValueError: a last dimension other than 4; a NaN or infinite coordinate.

    Source
    ------
    Rezatofighi et al., Generalized Intersection over Union (2019), algorithm 1.

    Differs from
    ------------
    torchvision 0.29: two boxes of no area give NaN there, and inverted boxes may give infinity,
    where their enclosing box has no area; such pairs give 0 here.

    Examples
    --------
    Two unit squares with a gap of one between them fill two thirds of their enclosing box:

    >>> generalized_box_iou([[0, 0, 1, 1]], [[2, 0, 3, 1]]).round(3)
    array([[-0.333]])
    """
    first, second = box_corners("boxes1", boxes1), box_corners("boxes2", boxes2)
    generalized = box_iou(first, second)
    for n, a in enumerate(first.astype(float)):
        for m, b in enumerate(second.astype(float)):
            _, union = intersection_and_union(a, b)
            enclosing = enclosing_area(a, b)
            generalized[n, m] -= (enclosing - union) / enclosing if enclosing > 0 else 0.0
    return generalized


def intersection_and_union(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Areas of the intersection and of the union of two boxes."""
    (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = a, b
    width = max(min(ax2, bx2) - max(ax1, bx1), 0)
    height = max(min(ay2, by2) - max(ay1, by1), 0)
    intersection = width * height
    return intersection, (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - intersection


def enclosing_area(a: np.ndarray, b: np.ndarray) -> float:
    """Area of the smallest box around two boxes."""
    (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = a, b
    width = max(max(ax2, bx2) - min(ax1, bx1), 0)
    height = max(max(ay2, by2) - min(ay1, by1), 0)
    return width * height


def region_ious(
    detected: np.ndarray, objects: np.ndarray, crowd: np.ndarray, iou_type: str
) -> np.ndarray:
    """IoU of every detection with every object; with a crowd, intersection over detection area."""
    measure = intersection_and_union if iou_type == "boxes" else mask_intersection_and_union
    table = np.zeros((len(detected), len(objects)))
    for d, region in enumerate(detected):
        for g, target in enumerate(objects):
            intersection, union = measure(region, target)
            if crowd[g]:
                _, union = measure(region, region)  # the area of the detection
            table[d, g] = intersection / union if intersection > 0 else 0
    return table


def mask_iou(masks1: ArrayLike, masks2: ArrayLike) -> np.ndarray:
    """Intersection over union of every pair of masks.

    Parameters
    ----------
    masks1 : (N, H, W); a pixel belongs to the mask where its value is not 0.
    masks2 : (M, H, W)

    Returns
    -------
    (N, M) array in [0, 1]. An empty mask has IoU 0 with everything, itself included.

    Examples
    --------
    >>> left, top = np.zeros((2, 1, 4, 4), bool)
    >>> left[:, :, :2], top[:, :2] = True, True
    >>> mask_iou(left, top).round(3)
    array([[0.333]])
    """
    first, second = np.asarray(masks1), np.asarray(masks2)
    check_masks(first)
    check_masks(second)
    crowd = np.zeros(len(second), bool)
    return region_ious(first.astype(bool), second.astype(bool), crowd, "masks")


def mask_intersection_and_union(a: np.ndarray, b: np.ndarray) -> tuple[int, int]:
    """Numbers of pixels in the intersection and in the union of two masks."""
    return int(np.count_nonzero(a & b)), int(np.count_nonzero(a | b))
