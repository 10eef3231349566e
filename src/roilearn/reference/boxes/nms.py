"""Non-maximum suppression (NMS): of boxes that overlap too much, the highest score is kept."""

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import (
    check_finite,
    check_floating,
    check_four_columns,
    check_group_ids,
    check_nms_threshold,
    check_no_nan,
    check_one_per_box,
)
from roilearn.reference.boxes.iou import intersection_and_union


def nms(boxes: ArrayLike, scores: ArrayLike, iou_threshold: float) -> np.ndarray:
    """Keep each box whose IoU with every kept box of a higher score is at most the threshold.

    Parameters
    ----------
    boxes : (N, 4) boxes as x1, y1, x2, y2; x2 and y2 exclusive. float16 is compared in float32.
    scores : (N,) scores, infinite ones allowed; of equal scores the first box comes first.
    iou_threshold : IoU above which the box of the lower score is suppressed, usually from 0 to 1.
        From 1 on all boxes are kept; below 0 only the best one is, as an IoU of 0 is above it.

    Returns
    -------
    Indices of the kept boxes, by descending score; ties by index. A box of no area and an
    inverted box have IoU 0 with every other: a threshold from 0 on keeps them.

    Raises
    ------
    ValueError: another shape; a NaN or infinite coordinate; a NaN score or threshold.
    TypeError: boxes or scores that are not floating point.

    Source
    ------
    Greedy suppression as in torchvision 0.29, whose CPU kernel gives the same indices: float32
    boxes are compared in float32, their IoU with the threshold in double precision.

    Differs from
    ------------
    torchvision 0.29: accepts NaN, and infinite coordinates.

    Examples
    --------
    The second box overlaps the first with an IoU of 0.6; the third overlaps neither:

    >>> boxes = np.array([[0.0, 0, 4, 4], [1, 0, 5, 4], [6, 0, 10, 4]])
    >>> nms(boxes, np.array([0.9, 0.8, 0.7]), 0.5)
    array([0, 2])
    >>> nms(boxes, np.array([0.9, 0.8, 0.7]), 0.7)
    array([0, 1, 2])
    """
    scores = np.asarray(scores)
    return batched_nms(boxes, scores, np.zeros(scores.shape, int), iou_threshold)


def batched_nms(
    boxes: ArrayLike, scores: ArrayLike, idxs: ArrayLike, iou_threshold: float
) -> np.ndarray:
    """``nms`` within each group of boxes: those of one class, or of one level.

    Parameters
    ----------
    boxes, scores, iou_threshold : as in ``nms``.
    idxs : (N,) numbers, one for each group, whole ones, floats or truth values: the group of each
        box. Boxes of different groups do not suppress each other.

    Returns
    -------
    Indices of the kept boxes of all groups, by descending score; ties by index.

    Raises
    ------
    ValueError: as ``nms``; another number of ``idxs``; one that is NaN.
    TypeError: as ``nms``; ``idxs`` that are not numbers.

    Differs from
    ------------
    torchvision 0.29: moves the groups apart by adding an offset to their coordinates. This rounds
    the coordinates, and boxes at negative coordinates can overlap the previous group. Above 1,000
    boxes on the CPU it runs group by group, and its final sort leaves the order of equal scores
    open.

    Examples
    --------
    >>> boxes = np.array([[0.0, 0, 4, 4], [1, 0, 5, 4], [0, 0, 4, 4]])
    >>> batched_nms(boxes, np.array([0.9, 0.8, 0.7]), np.array([1, 1, 2]), 0.5)
    array([0, 2])
    """
    threshold = check_nms_threshold(iou_threshold)
    boxes, scores, idxs = np.asarray(boxes), np.asarray(scores), np.asarray(idxs)
    check_floating("boxes", boxes)
    check_floating("scores", scores)
    check_four_columns("boxes", boxes)
    check_one_per_box("scores", scores, len(boxes))
    check_one_per_box("idxs", idxs, len(boxes))
    check_group_ids("idxs", idxs)
    check_no_nan("idxs", idxs[:, None])
    check_finite("boxes", boxes)
    check_no_nan("scores", scores[:, None])
    boxes = boxes.astype(np.result_type(boxes, np.float32))
    return np.array(keep_greedily(boxes, scores, idxs, threshold), np.int64)


def keep_greedily(
    boxes: np.ndarray, scores: np.ndarray, idxs: np.ndarray, threshold: float
) -> list[int]:
    """Go through the boxes by descending score; keep those that overlap no kept box too much.

    Only kept boxes of the same group are compared. A box that was removed removes no other.
    """
    kept: list[int] = []
    for i in np.argsort(-scores, kind="stable"):  # of equal scores the first box comes first
        kept_of_group = [j for j in kept if idxs[j] == idxs[i]]
        if not any(iou_exceeds(boxes[i], boxes[j], threshold) for j in kept_of_group):
            kept.append(i)
    return kept


def iou_exceeds(a: np.ndarray, b: np.ndarray, threshold: float) -> bool:
    """Whether the intersection over union of two boxes is above the threshold.

    It is 0 where they do not overlap, which is above a threshold below 0.

    A float32 IoU is converted to a Python float before the comparison. NumPy would round the
    threshold to float32 instead, and an IoU of 0.3 in float32, which is slightly above 0.3, would
    count as equal to the threshold.
    """
    with np.errstate(
        over="ignore", invalid="ignore"
    ):  # infinity / infinity is NaN, which exceeds nothing
        intersection, union = intersection_and_union(a, b)
        return float(intersection / union if intersection > 0 else 0.0) > threshold
