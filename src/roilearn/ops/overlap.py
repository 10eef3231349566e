"""How much two boxes have in common: intersection over union, and its generalised form."""

import torch
from jaxtyping import Float, Num
from torch import Tensor

from roilearn.ops.boxes import box_sides


def box_iou(
    boxes1: Num[Tensor, "N 4"], boxes2: Num[Tensor, "M 4"], fmt: str = "xyxy"
) -> Float[Tensor, "N M"]:
    """Intersection over union of every pair of boxes.

    Parameters
    ----------
    boxes1 : (N, 4) boxes as x1, y1, x2, y2; x2 and y2 exclusive.
    boxes2 : (M, 4)
    fmt : one of ``BOX_FORMATS``, if the boxes are given otherwise.

    Returns
    -------
    (N, M) tensor in [0, 1]. A box of no area has IoU 0 with everything, itself included.

    Raises
    ------
    ValueError: a last dimension other than 4; a NaN or infinite coordinate; an unknown format.

    Differs from
    ------------
    torchvision 0.27: 0/0 gives NaN there.

    Examples
    --------
    >>> box_iou(torch.tensor([[0.0, 0, 2, 2]]), torch.tensor([[1.0, 0, 3, 2]]))
    tensor([[0.3333]])
    """
    first, second = box_sides("boxes1", boxes1, fmt), box_sides("boxes2", boxes2, fmt)
    shared, union = shared_and_united(first[:, None], second[None])
    return share_of(shared, union)


def generalized_box_iou(
    boxes1: Num[Tensor, "N 4"], boxes2: Num[Tensor, "M 4"]
) -> Float[Tensor, "N M"]:
    """IoU of every pair, less the share of their common hull that neither box covers.

    IoU is 0 for all boxes that do not meet. This one goes on falling as they part, towards -1,
    so that a loss made of it has a slope there.

    Parameters
    ----------
    boxes1 : (N, 4) boxes as x1, y1, x2, y2; x2 and y2 exclusive.
    boxes2 : (M, 4)

    Returns
    -------
    (N, M) tensor in [-1, 1] for boxes that are not inverted. Two boxes of no area have -1, or 0
    where their hull has no area either.

    Raises
    ------
    ValueError: a last dimension other than 4; a NaN or infinite coordinate.

    Source
    ------
    Rezatofighi et al., Generalized Intersection over Union (2019), algorithm 1.

    Differs from
    ------------
    torchvision 0.27: two boxes of no area give NaN there.

    Examples
    --------
    Two unit squares with a gap of one between them fill two thirds of their hull:

    >>> generalized_box_iou(torch.tensor([[0.0, 0, 1, 1]]), torch.tensor([[2.0, 0, 3, 1]]))
    tensor([[-0.3333]])
    """
    first = box_sides("boxes1", boxes1)[:, None]  # [N, 1, 4]
    second = box_sides("boxes2", boxes2)[None]  # [1, M, 4]
    shared, union = shared_and_united(first, second)
    low = torch.minimum(first[..., :2], second[..., :2])
    high = torch.maximum(first[..., 2:], second[..., 2:])
    hull = (high - low).clamp(min=0).prod(-1)  # [N, M]
    empty = torch.where(hull > 0, (hull - union) / torch.where(hull > 0, hull, 1), 0.0)
    return share_of(shared, union) - empty


def shared_and_united(
    first: Num[Tensor, "N 1 4"], second: Num[Tensor, "1 M 4"]
) -> tuple[Num[Tensor, "N M"], Num[Tensor, "N M"]]:
    """Areas of the intersection and of the union of every pair of boxes."""
    low = torch.maximum(first[..., :2], second[..., :2])  # [N, M, 2]
    high = torch.minimum(first[..., 2:], second[..., 2:])
    shared = (high - low).clamp(min=0).prod(-1)  # [N, M]
    areas = [(boxes[..., 2:] - boxes[..., :2]).prod(-1) for boxes in (first, second)]
    return shared, areas[0] + areas[1] - shared


def share_of(shared: Num[Tensor, "N M"], union: Num[Tensor, "N M"]) -> Float[Tensor, "N M"]:
    """Intersection over union where boxes meet, 0 where they do not."""
    return torch.where(shared > 0, shared / torch.where(shared > 0, union, 1), 0.0)
