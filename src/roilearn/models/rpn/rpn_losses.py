"""What a region proposal network learns from: its targets, anchor by anchor, and two losses."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from roilearn.arguments import check_target
from roilearn.models.targets.detection_targets import (
    CROWD_SHARE,
    in_crowd,
    objects,
    share_inside,
    with_area,
)
from roilearn.models.targets.matching import match
from roilearn.models.targets.sampling import sample
from roilearn.ops import box_iou, encode_boxes

OBJECT, BACKGROUND, NEITHER = 1, 0, -1


def rpn_losses(
    objectness: Float[Tensor, "N A"],
    deltas: Float[Tensor, "N A 4"],
    anchors: Float[Tensor, "A 4"],
    targets: Sequence[Mapping[str, Tensor]],
    high: float = 0.7,
    low: float = 0.3,
    size: int = 256,
    positive_fraction: float = 0.5,
) -> dict[str, Float[Tensor, ""]]:
    """Compare a few answers of each image with what they should have been.

    Parameters
    ----------
    objectness, deltas : answers for the anchors of all levels, of N images.
    anchors : (A, 4) boxes x1, y1, x2, y2 in image pixels, the same for all images.
    targets : for each image ``boxes`` (n, 4) and ``labels`` (n,), and ``iscrowd`` (n,) if it likes.
        All classes are alike here: an object is an object.
    high, low : IoU from which an anchor is an object, and under which it is background.
    size, positive_fraction : how many anchors of an image are drawn, and the largest share of
        objects among them.

    Returns
    -------
    ``loss_objectness`` : cross-entropy of the drawn anchors, object or background; their mean.
    ``loss_rpn_box_reg`` : smooth L1 of the deltas of the drawn objects, summed, over the number of
        all that were drawn. So an image without objects has none, but counts.

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments.check_target``, ``match`` and ``sample``.

    Source
    ------
    Ren et al., Faster R-CNN (2015), section 3.1.2; beta 1/9, divisors and random numbers as in
    torchvision 0.27.

    Examples
    --------
    One anchor on the object and one beside it, and a network that is undecided: ln 2. Its box is
    right:

    >>> anchors = torch.tensor([[0.0, 0, 10, 10], [20, 0, 30, 10]])
    >>> target = {"boxes": anchors[:1], "labels": torch.tensor([3])}
    >>> rpn_losses(torch.zeros(1, 2), torch.zeros(1, 2, 4), anchors, [target])
    {'loss_objectness': tensor(0.6931), 'loss_rpn_box_reg': tensor(0.)}
    """
    precise = torch.promote_types(objectness.dtype, torch.float32)
    logits, labels, moves, wanted = [], [], [], []
    for image, target in enumerate(targets):
        kinds, index = anchor_targets(anchors, target, high, low)
        positive, negative = sample(kinds, size, positive_fraction)
        drawn = torch.cat([positive, negative])
        logits.append(objectness[image, drawn].to(precise))
        labels.append(kinds[drawn].to(precise))
        moves.append(deltas[image, positive].to(precise))
        boxes = target["boxes"][index[positive]]
        wanted.append(encode_boxes(boxes, anchors[positive]).to(precise))
    number = max(sum(len(each) for each in labels), 1)
    entropy = functional.binary_cross_entropy_with_logits(
        torch.cat(logits), torch.cat(labels), reduction="sum"
    )
    distance = functional.smooth_l1_loss(
        torch.cat(moves), torch.cat(wanted), beta=1 / 9, reduction="sum"
    )
    return {"loss_objectness": entropy / number, "loss_rpn_box_reg": distance / number}


def anchor_targets(
    anchors: Float[Tensor, "A 4"], target: Mapping[str, Tensor], high: float, low: float
) -> tuple[Int64[Tensor, " A"], Int64[Tensor, " A"]]:
    """Say what each anchor of an image should have answered.

    Parameters
    ----------
    anchors, high, low : as in ``rpn_losses``.
    target : ground truth of one image. Rows without area are padding; a crowd is no object, and
        what lies in it is no background.

    Returns
    -------
    labels : (A,) ``OBJECT`` (1), ``BACKGROUND`` (0), or ``NEITHER`` (-1): between the thresholds,
        or in a crowd.
    index : (A,) for an object its row of ``target``; -1 for the others.

    Differs from
    ------------
    torchvision 0.27: takes a crowd for an object, because it does not know ``iscrowd``. Without
    crowds the labels are the same.

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
    rows, boxes = objects(target), target["boxes"].to(anchors.dtype)
    matches = match(box_iou(boxes[rows], anchors), high, low)
    labels = (matches + 1).clamp(max=OBJECT)  # an object's index is 0 or more; BELOW and BETWEEN
    crowds = with_area(boxes[in_crowd(target)])
    crowded = share_inside(anchors, crowds) >= CROWD_SHARE
    labels[crowded & (labels == BACKGROUND)] = NEITHER
    index = torch.full_like(matches, -1)
    positive = labels == OBJECT
    index[positive] = rows[matches[positive]]
    return labels, index
