"""Distance IoU and complete IoU: IoU with what a loss needs where boxes do not overlap."""

import math

import torch
from jaxtyping import Float, Num
from torch import Tensor

from roilearn.arguments import check_at_least, check_one_device
from roilearn.ops.boxes.boxes import box_corners
from roilearn.ops.boxes.iou import intersection_and_union, iou_of_areas


def distance_box_iou(
    boxes1: Num[Tensor, "*B N 4"], boxes2: Num[Tensor, "*B2 M 4"], eps: float = 1e-7
) -> Float[Tensor, "*_ N M"]:
    """Distance IoU (DIoU) of every pair of boxes.

    It is the IoU minus the squared distance of the two centres, in units of the squared diagonal of
    the smallest enclosing box. So it falls as two boxes move apart, also where they do not overlap.

    Parameters
    ----------
    boxes1 : (N, 4) boxes as x1, y1, x2, y2; x2 and y2 exclusive; or a batch of them, (..., N, 4).
    boxes2 : (M, 4), or a batch, with whose other axes those of ``boxes1`` are broadcast.
    eps : added to the squared diagonal, by which is divided.

    Returns
    -------
    (..., N, M) tensor in [-1, 1] for boxes that are not inverted. Two boxes at the same point have
    0.

    Raises
    ------
    ValueError: a last dimension other than 4; a NaN or infinite coordinate; a negative eps.

    Source
    ------
    Zheng et al., Distance-IoU Loss (2020), equation 7.

    Differs from
    ------------
    torchvision 0.29: two boxes of no area give NaN there.

    Examples
    --------
    The centres are 2 apart, and the enclosing box of 3 x 1 has a squared diagonal of 10:

    >>> distance_box_iou(torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([[2.0, 0, 3, 1]]))
    tensor([[-0.4000]])
    """
    first = box_corners("boxes1", boxes1, batch=True)
    second = box_corners("boxes2", boxes2, batch=True)
    check_at_least("eps", eps, 0)
    check_one_device(boxes1=first, boxes2=second)
    iou = iou_of_areas(*intersection_and_union(first, second))
    return iou - squared_distance(first[..., :, None, :], second[..., None, :, :], eps)


def complete_box_iou(
    boxes1: Num[Tensor, "*B N 4"], boxes2: Num[Tensor, "*B2 M 4"], eps: float = 1e-7
) -> Float[Tensor, "*_ N M"]:
    """Complete IoU (CIoU) of every pair of boxes: distance IoU minus a term of their shapes.

    The term is alpha * v, where v is the squared difference of the angles of the two diagonals, in
    units of the right angle, and alpha = v / (1 - IoU + v + eps). It is 0 for boxes of one aspect
    ratio.

    Parameters
    ----------
    boxes1 : (N, 4) boxes as x1, y1, x2, y2; x2 and y2 exclusive; or a batch of them, (..., N, 4).
    boxes2 : (M, 4), or a batch, with whose other axes those of ``boxes1`` are broadcast.
    eps : added to the squared diagonal and to the denominator of alpha.

    Returns
    -------
    (..., N, M) tensor, at most 1. ``alpha`` is a constant for gradients.

    Raises
    ------
    ValueError: as ``distance_box_iou``.

    Source
    ------
    Zheng et al., Distance-IoU Loss (2020), equations 8 to 11.

    Differs from
    ------------
    torchvision 0.29: boxes without width and height give NaN there.

    Examples
    --------
    Equal centres; a square and a box of four times its width, which it fills by a quarter:

    >>> complete_box_iou(torch.tensor([[1.5, 0, 2.5, 1]]), torch.tensor([[0.0, 0, 4, 1]]))
    tensor([[0.2339]])
    """
    first = box_corners("boxes1", boxes1, batch=True)
    second = box_corners("boxes2", boxes2, batch=True)
    check_at_least("eps", eps, 0)
    check_one_device(boxes1=first, boxes2=second)
    iou = iou_of_areas(*intersection_and_union(first, second))
    angles = diagonal_angle(first)[..., :, None], diagonal_angle(second)[..., None, :]
    turned = (angles[0] - angles[1]) / (math.pi / 2)  # [..., N, M]
    v = turned.square()
    room = (1 - iou + v + eps).detach()
    alpha = v.detach() / torch.where(room > 0, room, torch.inf)
    return iou - squared_distance(first[..., :, None, :], second[..., None, :, :], eps) - alpha * v


def squared_distance(first: Num[Tensor, "*_ 4"], second: Num[Tensor, "*_ 4"], eps: float) -> Tensor:
    """Squared distance of the centres, in units of the squared diagonal of the enclosing box."""
    apart = (first[..., :2] + first[..., 2:] - second[..., :2] - second[..., 2:]) / 2
    low = torch.minimum(first[..., :2], second[..., :2])
    sides = torch.maximum(first[..., 2:], second[..., 2:]) - low
    diagonal = sides.square().sum(-1) + eps
    return apart.square().sum(-1) / torch.where(diagonal > 0, diagonal, torch.inf)


def diagonal_angle(boxes: Num[Tensor, "*K 4"]) -> Float[Tensor, "*K"]:
    """Angle between the vertical and the diagonal of each box, in radians."""
    width, height = (boxes[..., 2:] - boxes[..., :2]).unbind(-1)
    flat = (width == 0) & (height == 0)  # the gradient of the angle of a point is 0 / 0
    return torch.atan2(width, torch.where(flat, 1, height))
