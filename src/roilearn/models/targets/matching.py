"""Matching by IoU: which object of the ground truth an anchor or a proposal is matched with.

``match`` applies two rules: ``apply_thresholds``, and for anchors ``low_quality_matches``.
"""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from roilearn.arguments import check_matching, check_tensor

BELOW_LOW_THRESHOLD = -1
"""In place of an object's index: background, as every IoU lies below the low threshold."""
BETWEEN_THRESHOLDS = -2
"""In place of an object's index: neither background nor an object, not used for training."""

SMALL = 2**13
"""Numbers of a matrix of IoUs up to which no threads are started."""


def match(
    iou: Float[Tensor, "T A"],
    high_threshold: float,
    low_threshold: float,
    allow_low_quality_matches: bool = True,
) -> Int64[Tensor, " A"]:
    """Match each anchor with the object of highest IoU, if that IoU is high enough.

    By the low-quality rule the anchors of highest IoU with an object, all of them if several are
    equal, count as matched, however low that IoU is. Such an anchor is still matched with the
    object of *its* highest IoU, which may be another one. If no anchor overlaps an object, its
    highest IoU is 0, and all anchors that have an IoU of 0 with it count as matched.

    Parameters
    ----------
    iou : (T, A) intersection over union of T true boxes with A anchors.
    high_threshold : an anchor of at least this IoU is matched.
    low_threshold : an anchor whose highest IoU is below this one is background.
    allow_low_quality_matches : apply the low-quality rule, as a region proposal network does and
        the heads do not.

    Returns
    -------
    (A,) index of the true box of each anchor, the first one if several have the same IoU;
    ``BELOW_LOW_THRESHOLD`` (-1) for background; ``BETWEEN_THRESHOLDS`` (-2) between the thresholds.

    Raises
    ------
    ValueError: not two dimensions; thresholds outside 0 to 1, or the low one above the high one.

    Source
    ------
    Ren et al., Faster R-CNN (2015), section 3.1.2; ties, and IoUs of 0, as in torchvision 0.29.

    Differs from
    ------------
    torchvision 0.29: raises if there are no true boxes; here all anchors are background then.

    Examples
    --------
    Two objects, four anchors. The last anchor has the second object's highest IoU, a low one:

    >>> iou = torch.tensor([[0.8, 0.5, 0.1, 0.0], [0.0, 0.1, 0.1, 0.2]])
    >>> match(iou, 0.7, 0.3)
    tensor([ 0, -2, -1,  1])
    >>> match(iou, 0.7, 0.3, allow_low_quality_matches=False)
    tensor([ 0, -2, -1, -1])
    """
    check_tensor("iou", iou)
    high, low = check_matching(iou, high_threshold, low_threshold, allow_low_quality_matches)
    if iou.numel() == 0:
        return torch.full((iou.shape[1],), BELOW_LOW_THRESHOLD, device=iou.device)
    overlap, best_object = highest_of_each(iou)  # [A] each
    matches = apply_thresholds(overlap, best_object, high, low)  # [A]
    if allow_low_quality_matches:
        matches = best_object.where(low_quality_matches(iou), matches)  # [A]
    return matches


def highest_of_each(
    iou: Float[Tensor, "T A"],
) -> tuple[Float[Tensor, " A"], Int64[Tensor, " A"]]:
    """Highest IoU of each anchor, and the first object that has it.

    ``max`` finds both in one pass, but it starts threads at any size, and threads that wait for
    each other are slow on a busy machine. A few numbers are gone through twice instead.
    """
    if iou.numel() > SMALL:
        return iou.max(dim=0)
    return iou.amax(0), iou.argmax(0)


def apply_thresholds(
    overlap: Float[Tensor, " A"], best_object: Int64[Tensor, " A"], high: float, low: float
) -> Int64[Tensor, " A"]:
    """Keep an anchor's best object if the IoU with it is at least ``high``.

    Below ``high`` there is ``BETWEEN_THRESHOLDS`` in its place, below ``low``
    ``BELOW_LOW_THRESHOLD``.
    """
    matches = best_object.where(overlap >= high, BETWEEN_THRESHOLDS)  # [A]
    return matches.where(overlap >= low, BELOW_LOW_THRESHOLD)


def low_quality_matches(iou: Float[Tensor, "T A"]) -> Bool[Tensor, " A"]:
    """Whether an anchor has the highest IoU of some object: the low-quality rule.

    If several anchors have the same highest IoU with an object, all of them do, even if it is 0.
    """
    highest = iou.amax(dim=1, keepdim=True)  # [T, 1]
    return (iou == highest).any(dim=0)
