"""Intersection over union (IoU) of boxes, and its generalised form (GIoU)."""

import torch
from jaxtyping import Float, Num
from torch import Tensor

from roilearn.arguments import check_one_device
from roilearn.ops.boxes.boxes import box_corners


def box_iou(
    boxes1: Num[Tensor, "*B N 4"], boxes2: Num[Tensor, "*B2 M 4"], fmt: str = "xyxy"
) -> Float[Tensor, "*_ N M"]:
    """Intersection over union of every pair of boxes.

    Parameters
    ----------
    boxes1 : (N, 4) boxes as x1, y1, x2, y2; x2 and y2 exclusive; or a batch of them, (..., N, 4).
    boxes2 : (M, 4), or a batch, with whose other axes those of ``boxes1`` are broadcast.
    fmt : one of ``BOX_FORMATS``, if the boxes are given otherwise.

    Returns
    -------
    (..., N, M) tensor, in [0, 1] for boxes whose areas and their sum are numbers of the dtype:
    float32 holds sides from 1e-18 to 1e19. Beyond this range areas are 0 or infinite and the result
    may be NaN; pass float64. A box of no area has IoU 0 with everything, itself included, and a box
    that reaches to infinity with every finite one; two that share an infinite area have NaN. Where
    edges of both boxes coincide, each gets half of the gradient.

    Raises
    ------
    ValueError: a last dimension other than 4; a NaN coordinate; an unknown format.

    Differs from
    ------------
    torchvision 0.29: 0/0 gives NaN there.

    Examples
    --------
    >>> box_iou(torch.tensor([[0.0, 0, 2, 2]]), torch.tensor([[1.0, 0, 3, 2]]))
    tensor([[0.3333]])
    """
    first = box_corners("boxes1", boxes1, fmt, infinite=True, batch=True)
    second = box_corners("boxes2", boxes2, fmt, infinite=True, batch=True)
    check_one_device(boxes1=first, boxes2=second)
    intersection, union = intersection_and_union(first, second)
    return iou_of_areas(intersection, union)


def generalized_box_iou(
    boxes1: Num[Tensor, "*B N 4"], boxes2: Num[Tensor, "*B2 M 4"]
) -> Float[Tensor, "*_ N M"]:
    """Generalised IoU of every pair: IoU minus the part of their enclosing box that neither covers.

    IoU is 0 for all boxes that do not overlap. Generalised IoU goes on falling towards -1 as they
    move apart, so that a loss made of it has a gradient there. Boxes that touch have the gradient
    of boxes apart.

    Parameters
    ----------
    boxes1 : (N, 4) boxes as x1, y1, x2, y2; x2 and y2 exclusive; or a batch of them, (..., N, 4).
    boxes2 : (M, 4), or a batch, with whose other axes those of ``boxes1`` are broadcast.

    Returns
    -------
    (..., N, M) tensor, in [-1, 1] for boxes that are not inverted, with areas as in ``box_iou``.
    Two boxes of no area have -1, or 0 where their enclosing box has no area either.

    Raises
    ------
    ValueError: a last dimension other than 4; a NaN or infinite coordinate.

    Source
    ------
    Rezatofighi et al., Generalized Intersection over Union (2019), algorithm 1.

    Differs from
    ------------
    torchvision 0.29: two boxes of no area give NaN there, and inverted boxes may give infinity,
    where their enclosing box has no area; such pairs give 0 here.

    Examples
    --------
    Two unit squares with a gap of one between them fill two thirds of their enclosing box:

    >>> generalized_box_iou(torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([[2.0, 0, 3, 1]]))
    tensor([[-0.3333]])
    """
    first = box_corners("boxes1", boxes1, batch=True)
    second = box_corners("boxes2", boxes2, batch=True)
    check_one_device(boxes1=first, boxes2=second)
    enclosing = enclosing_area(first, second)
    intersection, union = intersection_and_union(first, second)
    uncovered = (enclosing - union) / torch.where(enclosing > 0, enclosing, torch.inf)
    return iou_of_areas(intersection, union) - uncovered


def intersection_and_union(
    first: Num[Tensor, "*B N 4"], second: Num[Tensor, "*B2 M 4"]
) -> tuple[Num[Tensor, "*_ N M"], Num[Tensor, "*_ N M"]]:
    """Areas of the intersection and of the union of every pair of boxes."""
    ax1, ay1, ax2, ay2 = first[..., :, None, :].unbind(-1)  # [..., N, 1] each
    bx1, by1, bx2, by2 = second[..., None, :, :].unbind(-1)  # [..., 1, M] each
    width = (torch.minimum(ax2, bx2) - torch.maximum(ax1, bx1)).clamp(min=0)  # [..., N, M]
    height = (torch.minimum(ay2, by2) - torch.maximum(ay1, by1)).clamp(min=0)
    intersection = (width * height).relu()  # no slope where boxes touch: clamp may have one
    return intersection, (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - intersection


def enclosing_area(
    first: Num[Tensor, "*B N 4"], second: Num[Tensor, "*B2 M 4"]
) -> Num[Tensor, "*_ N M"]:
    """Area of the smallest box that encloses each pair of boxes."""
    ax1, ay1, ax2, ay2 = first[..., :, None, :].unbind(-1)  # [..., N, 1] each
    bx1, by1, bx2, by2 = second[..., None, :, :].unbind(-1)  # [..., 1, M] each
    width = (torch.maximum(ax2, bx2) - torch.minimum(ax1, bx1)).clamp(min=0)  # [..., N, M]
    height = (torch.maximum(ay2, by2) - torch.minimum(ay1, by1)).clamp(min=0)
    return width * height


def iou_of_areas(
    intersection: Num[Tensor, "N M"], union: Num[Tensor, "N M"]
) -> Float[Tensor, "*_ N M"]:
    """Intersection over union where boxes overlap, 0 where they do not."""
    overlap = intersection > 0
    return torch.where(overlap, intersection, 0) / torch.where(overlap, union, torch.inf)
