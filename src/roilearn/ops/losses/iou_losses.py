"""Losses of pairs of boxes: 1 minus the generalised, the distance or the complete IoU.

IoU alone is 0 for all boxes that do not overlap, and has no gradient there. Each of these losses
adds a term that still tells how far apart the boxes are. ``roilearn.ops.box_iou`` and its relatives
compare every box with every other; here the first box goes with the first, the second with the
second.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Num
from torch import Tensor

from roilearn.arguments import check_loss_boxes, check_one_device
from roilearn.ops.boxes.boxes import check_coordinates
from roilearn.ops.boxes.distance_iou import squared_distance

LossBoxes = Num[Tensor, "*K 4"]
Loss = Float[Tensor, "..."]


class Overlap(NamedTuple):
    """Of each pair of boxes: IoU, union, and the sides of the smallest box around both."""

    iou: Loss
    union: Loss
    enclosing: tuple[Loss, Loss]


def generalized_box_iou_loss(
    boxes1: LossBoxes, boxes2: LossBoxes, reduction: str = "none", eps: float = 1e-7
) -> Loss:
    """Generalised IoU loss: 1 - IoU, plus the part of the enclosing box that neither box covers.

    Parameters
    ----------
    boxes1, boxes2 : (..., 4) boxes of one shape, as x1, y1, x2, y2; x2 and y2 exclusive.
    reduction : ``"none"``, ``"mean"`` or ``"sum"``.
    eps : added to the union and to the area of the enclosing box, by which is divided.

    Returns
    -------
    (...) losses from 0 to 2, or one number: 0 for the mean or the sum of no boxes. float64 stays,
    everything else becomes float32. Where edges of both boxes coincide, each gets half of the
    gradient. Boxes of no area have the loss 1, or more with a gap between them, and finite
    gradients.

    Raises
    ------
    ValueError: boxes of two shapes, a NaN or infinite coordinate, another reduction, a negative
        eps.

    Source
    ------
    Rezatofighi et al., Generalized Intersection over Union (2019), algorithm 1; as in torchvision
    0.29.

    Examples
    --------
    Two unit squares with a gap of one between them leave a third of their enclosing box uncovered:

    >>> generalized_box_iou_loss(torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([[2.0, 0, 3, 1]]))
    tensor([1.3333])
    """
    first, second = check_pairs(boxes1, boxes2, reduction, eps)
    iou, union, (width, height) = overlap(first, second, eps)
    enclosing = width * height
    return reduce_loss(1 - iou + divided(enclosing - union, enclosing + eps), reduction)


def distance_box_iou_loss(
    boxes1: LossBoxes, boxes2: LossBoxes, reduction: str = "none", eps: float = 1e-7
) -> Loss:
    """Distance IoU loss: 1 - IoU, plus the squared distance of the centres.

    The distance is measured in diagonals of the smallest box around both.

    Parameters
    ----------
    boxes1, boxes2, reduction : as in ``generalized_box_iou_loss``.
    eps : added to the union and to the squared diagonal, by which is divided.

    Returns
    -------
    (...) losses from 0 to 2, or one number, as ``generalized_box_iou_loss``.

    Raises
    ------
    ValueError: as ``generalized_box_iou_loss``.

    Source
    ------
    Zheng et al., Distance-IoU Loss (2020), equation 7; as in torchvision 0.29.

    Examples
    --------
    The centres are 2 apart, and the enclosing box of 3 x 1 has a squared diagonal of 10:

    >>> distance_box_iou_loss(torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([[2.0, 0, 3, 1]]))
    tensor([1.4000])
    """
    first, second = check_pairs(boxes1, boxes2, reduction, eps)
    iou = overlap(first, second, eps).iou
    return reduce_loss(1 - iou + squared_distance(first, second, eps), reduction)


def complete_box_iou_loss(
    boxes1: LossBoxes, boxes2: LossBoxes, reduction: str = "none", eps: float = 1e-7
) -> Loss:
    """Complete IoU loss: the distance IoU loss, plus a term of the aspect ratios.

    The term is alpha * v, where v is the squared difference of the angles of the two diagonals, in
    units of the right angle, and alpha = v / (1 - IoU + v + eps), a constant for gradients.

    Parameters
    ----------
    boxes1, boxes2, reduction : as in ``generalized_box_iou_loss``.
    eps : added to the denominator of alpha alone. As in torchvision 0.29, the distance IoU loss in
        it keeps its own, 1e-7.

    Returns
    -------
    (...) losses, or one number, as ``generalized_box_iou_loss``.

    Raises
    ------
    ValueError: as ``generalized_box_iou_loss``.

    Source
    ------
    Zheng et al., Distance-IoU Loss (2020), equations 8 to 11; as in torchvision 0.29.

    Differs from
    ------------
    torchvision 0.29: a box without height gives NaN gradients there, and one without width and
    height a NaN loss. Here the diagonal of a point has the angle 0.

    Examples
    --------
    Equal centres; a square, and a box of four times its width:

    >>> complete_box_iou_loss(torch.tensor([[1.5, 0, 2.5, 1]]), torch.tensor([[0.0, 0, 4, 1]]))
    tensor([0.7661])
    """
    first, second = check_pairs(boxes1, boxes2, reduction, eps)
    iou = overlap(first, second, 1e-7).iou
    turned = (diagonal_angle(second) - diagonal_angle(first)) / (math.pi / 2)
    v = turned.square()
    alpha = divided(v, 1 - iou + v + eps).detach()
    loss = 1 - iou + squared_distance(first, second, 1e-7) + alpha * v
    return reduce_loss(loss, reduction)


def check_pairs(
    boxes1: LossBoxes, boxes2: LossBoxes, reduction: str, eps: float
) -> tuple[Float[Tensor, "*K 4"], Float[Tensor, "*K 4"]]:
    """Check the arguments; return the boxes in float32, or float64 if they are."""
    check_coordinates("boxes1", boxes1)
    check_coordinates("boxes2", boxes2)
    check_loss_boxes(boxes1, boxes2, reduction, eps)
    check_one_device(boxes1=boxes1, boxes2=boxes2)
    pair = (
        boxes if boxes.dtype in (torch.float32, torch.float64) else boxes.float()
        for boxes in (boxes1, boxes2)
    )
    first, second = pair
    return first, second


def overlap(first: Float[Tensor, "*K 4"], second: Float[Tensor, "*K 4"], eps: float) -> Overlap:
    """Compare each box with its partner."""
    low = torch.maximum(first[..., :2], second[..., :2])
    high = torch.minimum(first[..., 2:], second[..., 2:])
    meet = (high > low).all(-1)
    width, height = (high - low).unbind(-1)
    intersection = torch.where(meet, width * height, 0)
    areas = [(boxes[..., 2:] - boxes[..., :2]).prod(-1) for boxes in (first, second)]
    union = areas[0] + areas[1] - intersection
    start = torch.minimum(first[..., :2], second[..., :2])
    sides = torch.maximum(first[..., 2:], second[..., 2:]) - start
    return Overlap(divided(intersection, union + eps), union, (sides[..., 0], sides[..., 1]))


def diagonal_angle(boxes: Float[Tensor, "*K 4"]) -> Loss:
    """Angle between the vertical and the diagonal, arctan(width / height), 0 for a point."""
    width, height = (boxes[..., 2:] - boxes[..., :2]).unbind(-1)
    sign = torch.where(height < 0, -1, 1)  # arctan does not tell a box from one inverted twice
    nowhere = (width == 0) & (height == 0)
    return torch.atan2(width * sign, torch.where(nowhere, 1, height * sign))


def divided(part: Loss, whole: Loss) -> Loss:
    """Divide; 0 / 0, which eps does not prevent where it is 0, is 0 and has finite gradients."""
    return part / torch.where(whole == 0, 1, whole)


def reduce_loss(losses: Loss, reduction: str) -> Loss:
    """Return the losses, their sum, or their mean; the mean of none is 0, with gradients of 0."""
    if reduction == "none":
        return losses
    total = losses.sum()
    return total if reduction == "sum" else total / max(losses.numel(), 1)
