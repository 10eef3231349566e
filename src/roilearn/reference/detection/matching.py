"""Matching of anchors or proposals with ground truth by IoU."""

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import check_matching

BELOW_LOW_THRESHOLD = -1
"""In place of an object's index: background; every IoU is below the low threshold."""
BETWEEN_THRESHOLDS = -2
"""In place of an object's index: neither background nor an object, ignored by the losses."""


def match(
    iou: ArrayLike,
    high_threshold: float,
    low_threshold: float,
    allow_low_quality_matches: bool = True,
) -> np.ndarray:
    """Match each anchor with the object of the highest IoU, if that IoU is high enough.

    By the low-quality rule the anchors of highest IoU with an object (all of them in a tie) count
    as matched however small that IoU is. Such an anchor is still matched with the object of *its
    own* highest IoU, which may be another one. If no anchor overlaps an object, its highest IoU is
    0, and all anchors that have an IoU of 0 with it count as matched.

    Parameters
    ----------
    iou : (T, A) intersection over union of T ground-truth boxes with A anchors.
    high_threshold : minimum IoU of a match.
    low_threshold : below this IoU an anchor is background.
    allow_low_quality_matches : a region proposal network sets it, the RoI heads do not.

    Returns
    -------
    (A,) index of the ground-truth box of each anchor; in a tie the first box.
    ``BELOW_LOW_THRESHOLD`` (-1) for background, ``BETWEEN_THRESHOLDS`` (-2) for an IoU between the
    two.

    Raises
    ------
    ValueError: not two dimensions; thresholds outside 0 to 1, or the low one above the
        high one.

    Source
    ------
    Ren et al., Faster R-CNN (2015), section 3.1.2; ties, and IoUs of 0, as in torchvision 0.29.

    Differs from
    ------------
    torchvision 0.29: raises if there are no ground-truth boxes; here all anchors are background
    then.

    Examples
    --------
    Two objects, four anchors. The last anchor has the highest IoU with the second object, only 0.2:

    >>> iou = np.array([[0.8, 0.5, 0.1, 0.0], [0.0, 0.1, 0.1, 0.2]])
    >>> match(iou, 0.7, 0.3)
    array([ 0, -2, -1,  1])
    >>> match(iou, 0.7, 0.3, allow_low_quality_matches=False)
    array([ 0, -2, -1, -1])
    """
    iou = np.asarray(iou)
    thresholds = check_matching(iou, high_threshold, low_threshold, allow_low_quality_matches)
    high, low = np.array(thresholds, iou.dtype)  # an IoU of 0.7 in float32 reaches 0.7
    objects, anchors = iou.shape
    matches = np.full(anchors, BELOW_LOW_THRESHOLD)
    for anchor in range(anchors if objects else 0):
        matches[anchor] = match_anchor(iou[:, anchor], high, low)
    if allow_low_quality_matches:
        for anchor in low_quality_matches(iou):
            matches[anchor] = iou[:, anchor].argmax()
    return matches


def match_anchor(ious: np.ndarray, high: float, low: float) -> int:
    """Index of the object that one anchor is matched with, or one of the two constants."""
    best_object = int(ious.argmax())  # the first one, if several have the same IoU
    overlap = ious[best_object]
    if overlap >= high:
        return best_object
    return BETWEEN_THRESHOLDS if overlap >= low else BELOW_LOW_THRESHOLD


def low_quality_matches(iou: np.ndarray) -> list[int]:
    """Anchors with the highest IoU of some object: the low-quality rule. All of them in a tie."""
    found = []
    for ious in iou:  # [A], of one object
        highest = ious.max(initial=0)  # 0 without anchors
        for anchor, overlap in enumerate(ious):
            if overlap == highest:
                found.append(anchor)
    return found
