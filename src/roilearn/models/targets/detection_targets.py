"""Detection targets: the proposals that the RoI heads are trained on, with their class and deltas.

Padding is dropped and the ground truth is added to the proposals. Each of these boxes is matched
with the object of highest IoU. Then some are sampled, one positive to three negatives. The targets
of a positive are its object's class, the deltas to its box and its mask inside the proposal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from roilearn.arguments import check_target
from roilearn.models.targets.ground_truth import (
    in_crowd,
    matched_rows,
    nonempty_boxes,
    object_rows,
)
from roilearn.models.targets.matching import BETWEEN_THRESHOLDS, match
from roilearn.models.targets.sampling import sample
from roilearn.ops import box_iou, encode_boxes
from roilearn.ops.boxes.boxes import check_coordinates

DELTA_WEIGHTS = (10.0, 10.0, 5.0, 5.0)
"""Deltas of good proposals are small; with these weights their standard deviation is about 1."""
BACKGROUND = 0
IGNORED = -1


@dataclass(frozen=True)
class DetectionTargets:
    """The sampled proposals of one image, and what the heads should predict for each.

    ``boxes`` (K, 4): the proposals, in image pixels. ``labels`` (K,): their classes, 0 for
    background. ``matched_idxs`` (K,): the row of the ground truth that each is matched with, -1 for
    background. ``deltas`` (K, 4): from the proposal to the matched box; zeros for background.
    """

    boxes: Float[Tensor, "K 4"]
    labels: Int64[Tensor, " K"]
    matched_idxs: Int64[Tensor, " K"]
    deltas: Float[Tensor, "K 4"]

    def objects(self) -> "DetectionTargets":
        """Keep the positives, the only ones that masks are trained on."""
        rows = (self.labels > BACKGROUND).nonzero()[:, 0]
        return DetectionTargets(
            self.boxes[rows], self.labels[rows], self.matched_idxs[rows], self.deltas[rows]
        )


def detection_targets(
    proposals: Float[Tensor, "N 4"],
    target: Mapping[str, Tensor],
    positive_iou: float = 0.5,
    batch_size_per_image: int = 512,
    positive_fraction: float = 0.25,
    weights: Sequence[float] = DELTA_WEIGHTS,
    negative_iou: float | None = None,
) -> DetectionTargets:
    """Sample the proposals of one image to train on, and compute the targets of each.

    Parameters
    ----------
    proposals : (N, 4) boxes x1, y1, x2, y2 in image pixels. Rows without area are padding.
    target : ``boxes`` (n, 4) and ``labels`` (n,), 1 and above; ``iscrowd`` (n,), if any, is 1 for a
        box around many objects that were not annotated one by one. Rows without area are padding.
    positive_iou : minimum IoU with an object for a proposal to be positive.
    negative_iou : a proposal whose highest IoU is below this one is background; one between the two
        is not sampled. None: ``positive_iou``, so that every proposal is either.
    batch_size_per_image : maximum number of proposals sampled.
    positive_fraction : maximum fraction of positives among them.
    weights : factors of dx, dy, dw and dh, see ``encode_boxes``.

    Returns
    -------
    ``DetectionTargets``, in the order of the proposals, ground truth last. The sample depends
    on PyTorch's random numbers.

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments.check_target``; a NaN or infinite coordinate.

    Source
    ------
    Girshick, Fast R-CNN (2015), section 2.3; order and random numbers as in torchvision 0.29.
    Crowds: as in matterport's Mask_RCNN they are not objects, and what lies in them is ignored.

    Differs from
    ------------
    torchvision 0.29: has neither padding nor ``iscrowd``; without both the result is the same.
    matterport's Mask_RCNN: does not add the ground truth; a third of the sample is positive; a box
    of any overlap with a crowd (IoU 0.001) is ignored. Here a proposal is ignored if ``CROWD_IOA``
    of its area lies in the crowd. COCO's evaluation uses the same measure for ignored detections.

    Examples
    --------
    The object itself is added to the two proposals, of which the first has an IoU of 0.8:

    >>> proposals = torch.tensor([[0.0, 0, 9, 9], [0, 0, 10, 8], [20, 20, 30, 30]])
    >>> target = {"boxes": torch.tensor([[0.0, 0, 10, 10]]), "labels": torch.tensor([3])}
    >>> detection_targets(proposals[1:], target).labels
    tensor([3, 0, 3])
    """
    check_target(target)
    check_coordinates("proposals", proposals)  # NaN has no area: it would pass for padding
    check_coordinates("boxes", target["boxes"])
    boxes = add_ground_truth(proposals, target)  # [N + real, 4]
    labels, matched_idxs = assign_targets(boxes, target, positive_iou, negative_iou)
    sampled = torch.cat(sample(labels, batch_size_per_image, positive_fraction)).sort().values
    parts = (boxes[sampled], labels[sampled], matched_idxs[sampled])
    return with_deltas(*parts, target, weights)


def add_ground_truth(
    proposals: Float[Tensor, "N 4"], target: Mapping[str, Tensor]
) -> Float[Tensor, "_ 4"]:
    """Drop padding from the proposals, and add the boxes of all objects after them."""
    true_boxes = target["boxes"].to(proposals.dtype)[object_rows(target)]  # [real, 4]
    return torch.cat([nonempty_boxes(proposals), true_boxes])


def assign_targets(
    boxes: Float[Tensor, "N 4"],
    target: Mapping[str, Tensor],
    positive_iou: float,
    negative_iou: float | None = None,
) -> tuple[Int64[Tensor, " N"], Int64[Tensor, " N"]]:
    """Match each box with the object of highest IoU, if that is at least ``positive_iou``.

    Returns
    -------
    labels : (N,) the object's class; ``BACKGROUND``; or ``IGNORED``, in a crowd or between the two
        thresholds.
    matched_idxs : (N,) the object's row of ``target``; -1 where there is none.
    """
    rows = object_rows(target)  # [real]
    iou = box_iou(target["boxes"].to(boxes.dtype)[rows], boxes)  # [real, N]
    low = positive_iou if negative_iou is None else negative_iou
    matches = match(iou, positive_iou, low, allow_low_quality_matches=False)  # [N]
    matched_idxs = matched_rows(matches, rows)  # [N]
    ignored = in_crowd(boxes, target) | (matches == BETWEEN_THRESHOLDS)
    labels = torch.where(ignored, IGNORED, BACKGROUND)
    positive = matched_idxs >= 0
    labels[positive] = target["labels"][matched_idxs[positive]]
    return labels, matched_idxs


def unsampled_targets(
    boxes: Float[Tensor, "N 4"],
    target: Mapping[str, Tensor],
    positive_iou: float,
    weights: Sequence[float] = DELTA_WEIGHTS,
) -> DetectionTargets:
    """Compute the targets of all boxes: no ground truth is added and nothing is sampled.

    Boxes without area, and those in a crowd, are left out.
    """
    boxes = nonempty_boxes(boxes)
    labels, matched_idxs = assign_targets(boxes, target, positive_iou)
    clear = labels != IGNORED
    return with_deltas(boxes[clear], labels[clear], matched_idxs[clear], target, weights)


def with_deltas(
    boxes: Float[Tensor, "K 4"],
    labels: Int64[Tensor, " K"],
    matched_idxs: Int64[Tensor, " K"],
    target: Mapping[str, Tensor],
    weights: Sequence[float] = DELTA_WEIGHTS,
) -> DetectionTargets:
    """Add the deltas from each positive box to the box of its object."""
    deltas = torch.zeros_like(boxes)
    positive = matched_idxs >= 0
    true_boxes = target["boxes"].to(boxes.dtype)[matched_idxs[positive]]
    deltas[positive] = encode_boxes(true_boxes, boxes[positive], weights).to(boxes.dtype)
    return DetectionTargets(boxes, labels, matched_idxs, deltas)
