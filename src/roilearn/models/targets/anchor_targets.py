"""Anchor targets: what the region proposal network should predict for each anchor."""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from roilearn.arguments import check_target
from roilearn.models.targets.ground_truth import in_crowd, matched_rows, object_rows
from roilearn.models.targets.matching import BELOW_LOW_THRESHOLD, BETWEEN_THRESHOLDS, match
from roilearn.ops import box_iou

POSITIVE, NEGATIVE, IGNORED = 1, 0, -1


def anchor_targets(
    anchors: Float[Tensor, "A 4"],
    target: Mapping[str, Tensor],
    positive_iou: float,
    negative_iou: float,
) -> tuple[Int64[Tensor, " A"], Int64[Tensor, " A"]]:
    """Label each anchor of an image, and match the positive ones with an object.

    Parameters
    ----------
    anchors, positive_iou, negative_iou : as in ``rpn_losses``.
    target : ground truth of one image. Rows without area are padding. A crowd is not an object, and
        negatives that lie in it are ignored.

    Returns
    -------
    labels : (A,) ``POSITIVE`` (1), ``NEGATIVE`` (0), or ``IGNORED`` (-1): between the thresholds,
        or in a crowd.
    matched_idxs : (A,) for a positive its object's row of ``target``; -1 for the others.

    Differs from
    ------------
    torchvision 0.29: treats a crowd as an object, because it ignores ``iscrowd``. Without crowds
    the labels are the same.

    Examples
    --------
    The last anchor lies on a crowd:

    >>> anchors = torch.tensor([[0.0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]])
    >>> target = {"boxes": torch.tensor([[40.0, 0, 90, 90], [0, 1, 10, 11]])}
    >>> target |= {"labels": torch.tensor([1, 1]), "iscrowd": torch.tensor([1, 0])}
    >>> anchor_targets(anchors, target, 0.7, 0.3)
    (tensor([ 1,  0, -1]), tensor([ 1, -1, -1]))
    """
    check_target(target)
    rows = object_rows(target)  # [real]
    true_boxes = target["boxes"].to(anchors.dtype)[rows]  # [real, 4]
    matches = match(box_iou(true_boxes, anchors), positive_iou, negative_iou)  # [A]
    labels = anchor_labels(matches, in_crowd(anchors, target))  # [A]
    return labels, matched_rows(matches, rows)


def anchor_labels(matches: Int64[Tensor, " A"], crowded: Bool[Tensor, " A"]) -> Int64[Tensor, " A"]:
    """Turn matches into labels: any object is positive, and no anchor in a crowd is negative."""
    labels = torch.full_like(matches, POSITIVE)
    labels[matches == BETWEEN_THRESHOLDS] = IGNORED
    labels[matches == BELOW_LOW_THRESHOLD] = NEGATIVE
    labels[crowded & (labels == NEGATIVE)] = IGNORED
    return labels
