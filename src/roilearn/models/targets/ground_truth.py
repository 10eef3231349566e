"""Ground truth of an image: which rows are objects, which are padding, and what lies in a crowd.

A row without area is padding. A crowd is a box around many objects that were not annotated one by
one: it is not trained on as an object, and boxes that lie in it are not background either.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Bool, Float, Int64, Num
from torch import Tensor

from roilearn.ops.boxes.boxes import box_corners

CROWD_IOA = 0.5
"""A box does not count as background if this fraction of its own area lies in a crowd, or more."""


def nonempty_boxes(boxes: Float[Tensor, "N 4"]) -> Float[Tensor, "M 4"]:
    """Keep the boxes whose area is above 0."""
    return boxes[is_nonempty(boxes)]


def is_nonempty(boxes: Float[Tensor, "N 4"]) -> Bool[Tensor, " N"]:
    """Whether each box is wider and higher than 0."""
    return (boxes[:, 2:] > boxes[:, :2]).all(1)


def is_crowd(target: Mapping[str, Tensor]) -> Bool[Tensor, " n"]:
    """Whether each row of the ground truth is a crowd."""
    labels = target["labels"]
    return target.get("iscrowd", torch.zeros_like(labels)).to(labels.device).bool()


def object_rows(target: Mapping[str, Tensor]) -> Int64[Tensor, " real"]:
    """Return the rows of the ground truth that are objects: neither padding nor a crowd."""
    return (is_nonempty(target["boxes"]) & ~is_crowd(target)).nonzero()[:, 0]


def in_crowd(boxes: Float[Tensor, "N 4"], target: Mapping[str, Tensor]) -> Bool[Tensor, " N"]:
    """Whether ``CROWD_IOA`` of each box's area, or more, lies in a crowd."""
    crowds = target["boxes"].to(boxes.dtype)[is_crowd(target)]
    return largest_ioa(boxes, nonempty_boxes(crowds)) >= CROWD_IOA


def matched_rows(matches: Int64[Tensor, " N"], rows: Int64[Tensor, " real"]) -> Int64[Tensor, " N"]:
    """Row of the ground truth that each box is matched with; -1 where there is none.

    Parameters
    ----------
    matches : result of ``match``, which counts objects.
    rows : rows of the objects in the ground truth, in which padding and crowds stand as well.
    """
    matched_idxs = torch.full_like(matches, -1)
    positive = matches >= 0
    matched_idxs[positive] = rows[matches[positive]]
    return matched_idxs


def largest_ioa(boxes: Num[Tensor, "N 4"], regions: Num[Tensor, "M 4"]) -> Float[Tensor, " N"]:
    """Largest intersection of each box with one of the regions, over the box's own area (IoA)."""
    if not len(regions):
        return boxes.new_zeros(len(boxes))
    boxes, regions = box_corners("boxes", boxes)[:, None], box_corners("regions", regions)
    first, last = torch.maximum(boxes, regions)[..., :2], torch.minimum(boxes, regions)[..., 2:]
    covered = (last - first).clamp(min=0).prod(-1)  # [N, M]
    return (covered / (boxes[..., 2:] - boxes[..., :2]).prod(-1)).amax(1)
