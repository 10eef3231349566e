"""Detection targets: which proposals the heads learn from, and what each should have answered.

Padding is dropped, the ground truth joins the proposals, each is matched with the object that it
overlaps most, and a few are drawn, one object to three of background. An object's targets are its
class, the deltas to its box and what its mask shows inside the proposal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64, Num
from torch import Tensor

from roilearn.arguments import check_target
from roilearn.models.targets.matching import match
from roilearn.models.targets.sampling import sample
from roilearn.ops import box_iou, encode_boxes
from roilearn.ops.boxes.boxes import box_sides, check_coordinates

DELTA_WEIGHTS = (10.0, 10.0, 5.0, 5.0)
"""Deltas of good proposals are small; so weighted, their standard deviation is about 1."""
CROWD_SHARE = 0.5
"""Share of a proposal's area inside a crowd box from which it is no longer taken for background."""
BACKGROUND = 0
NEITHER = -1


@dataclass(frozen=True)
class DetectionTargets:
    """Proposals of one image that were drawn, and what the heads should say of each.

    ``boxes`` (K, 4): the proposals, in image pixels. ``labels`` (K,): their classes, 0 for
    background. ``index`` (K,): the row of the ground truth that each stands for, -1 for background.
    ``deltas`` (K, 4): the way to its box; zeros for background.
    """

    boxes: Float[Tensor, "K 4"]
    labels: Int64[Tensor, " K"]
    index: Int64[Tensor, " K"]
    deltas: Float[Tensor, "K 4"]

    def objects(self) -> "DetectionTargets":
        """Keep those that stand for an object: masks are learned from these alone."""
        rows = (self.labels > BACKGROUND).nonzero()[:, 0]
        return DetectionTargets(
            self.boxes[rows], self.labels[rows], self.index[rows], self.deltas[rows]
        )


def detection_targets(
    proposals: Float[Tensor, "N 4"],
    target: Mapping[str, Tensor],
    positive_iou: float = 0.5,
    size: int = 512,
    positive_fraction: float = 0.25,
    weights: Sequence[float] = DELTA_WEIGHTS,
) -> DetectionTargets:
    """Choose proposals of one image to learn from, and say what each should have answered.

    Parameters
    ----------
    proposals : (N, 4) boxes x1, y1, x2, y2 in image pixels. Rows without area are padding.
    target : ``boxes`` (n, 4) and ``labels`` (n,), 1 and above; ``iscrowd`` (n,), if any, is 1 for a
        box around many objects that nobody has told apart. Rows without area are padding.
    positive_iou : IoU with an object from which a proposal stands for it; below, for background.
    size, positive_fraction : how many are drawn, and the largest share of objects among them.
    weights : of the deltas.

    Returns
    -------
    ``DetectionTargets``, in the order of the proposals, ground truth last. Which are drawn depends
    on PyTorch's random numbers.

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments.check_target``; a NaN or infinite coordinate.

    Source
    ------
    Girshick, Fast R-CNN (2015), section 2.3; order and random numbers as in torchvision 0.27.
    Crowds: as in matterport's Mask_RCNN they are no object, and what lies in them is no background.

    Differs from
    ------------
    torchvision 0.27: knows neither padding nor ``iscrowd``; without both the result is the same.
    matterport's Mask_RCNN: does not add the ground truth; draws a third of objects; what touches a
    crowd box at all (IoU 0.001) is not background. Here ``CROWD_SHARE`` of a proposal has to lie in
    it: what COCO's evaluation measures before it forgives a detection in a crowd.

    Examples
    --------
    Of three proposals one overlaps the object by half or more; its box counts as another:

    >>> proposals = torch.tensor([[0.0, 0, 9, 9], [0, 0, 10, 8], [20, 20, 30, 30]])
    >>> target = {"boxes": torch.tensor([[0.0, 0, 10, 10]]), "labels": torch.tensor([3])}
    >>> detection_targets(proposals[1:], target).labels
    tensor([3, 0, 3])
    """
    check_target(target)
    check_coordinates("proposals", proposals)  # NaN has no area: it would pass for padding
    check_coordinates("boxes", target["boxes"])
    truth = target["boxes"].to(proposals.dtype)
    candidates = torch.cat([with_area(proposals), truth[objects(target)]])
    labels, index = assign(candidates, target, positive_iou)
    drawn = torch.cat(sample(labels, size, positive_fraction)).sort().values
    return targets_of(candidates[drawn], labels[drawn], index[drawn], target, weights)


def with_area(boxes: Float[Tensor, "N 4"]) -> Float[Tensor, "M 4"]:
    """Drop the boxes that have no area."""
    return boxes[has_area(boxes)]


def has_area(boxes: Float[Tensor, "N 4"]) -> Bool[Tensor, " N"]:
    """Whether each box is wider and higher than 0."""
    return (boxes[:, 2:] > boxes[:, :2]).all(1)


def in_crowd(target: Mapping[str, Tensor]) -> Bool[Tensor, " n"]:
    """Whether each row of the ground truth is a crowd."""
    labels = target["labels"]
    return target.get("iscrowd", torch.zeros_like(labels)).to(labels.device).bool()


def objects(target: Mapping[str, Tensor]) -> Int64[Tensor, " real"]:
    """Rows of the ground truth that are an object: neither padding nor a crowd."""
    return (has_area(target["boxes"]) & ~in_crowd(target)).nonzero()[:, 0]


def assign(
    boxes: Float[Tensor, "N 4"], target: Mapping[str, Tensor], positive_iou: float
) -> tuple[Int64[Tensor, " N"], Int64[Tensor, " N"]]:
    """Give each box the object that it overlaps most, if by enough.

    Returns
    -------
    labels : (N,) the object's class; ``BACKGROUND``; or ``NEITHER``, in a crowd.
    index : (N,) the object's row of ``target``; -1 where there is none.
    """
    rows = objects(target)
    truth = target["boxes"].to(boxes.dtype)
    index = match(box_iou(truth[rows], boxes), positive_iou, positive_iou, allow_low_quality=False)
    positive = index >= 0
    index[positive] = rows[index[positive]]
    inside = share_inside(boxes, with_area(truth[in_crowd(target)]))
    labels = torch.where(inside >= CROWD_SHARE, NEITHER, BACKGROUND)
    labels[positive] = target["labels"][index[positive]]
    return labels, index


def share_inside(boxes: Num[Tensor, "N 4"], regions: Num[Tensor, "M 4"]) -> Float[Tensor, " N"]:
    """Largest share of each box's area that one of the regions covers."""
    if not len(regions):
        return boxes.new_zeros(len(boxes))
    boxes, regions = box_sides("boxes", boxes)[:, None], box_sides("regions", regions)
    first, last = torch.maximum(boxes, regions)[..., :2], torch.minimum(boxes, regions)[..., 2:]
    covered = (last - first).clamp(min=0).prod(-1)  # [N, M]
    return (covered / (boxes[..., 2:] - boxes[..., :2]).prod(-1)).amax(1)


def all_targets(
    boxes: Float[Tensor, "N 4"],
    target: Mapping[str, Tensor],
    positive_iou: float,
    weights: Sequence[float] = DELTA_WEIGHTS,
) -> DetectionTargets:
    """Say of all boxes what each should have answered: nothing is added and nothing drawn.

    Boxes without area, and those in a crowd, are left out.
    """
    boxes = with_area(boxes)
    labels, index = assign(boxes, target, positive_iou)
    clear = labels != NEITHER
    return targets_of(boxes[clear], labels[clear], index[clear], target, weights)


def targets_of(
    boxes: Float[Tensor, "K 4"],
    labels: Int64[Tensor, " K"],
    index: Int64[Tensor, " K"],
    target: Mapping[str, Tensor],
    weights: Sequence[float] = DELTA_WEIGHTS,
) -> DetectionTargets:
    """Add the deltas from each box that stands for an object to that object's box."""
    deltas = torch.zeros_like(boxes)
    positive = index >= 0
    truth = target["boxes"].to(boxes.dtype)[index[positive]]
    deltas[positive] = encode_boxes(truth, boxes[positive], weights).to(boxes.dtype)
    return DetectionTargets(boxes, labels, index, deltas)
