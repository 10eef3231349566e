"""Box coding: boxes as deltas (dx, dy, dw, dh) to their anchors, and back."""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Num
from torch import Tensor

from roilearn.arguments import (
    check_at_least,
    check_deltas,
    check_one_device,
    check_positive_sides,
    check_same_rows,
    check_tensor,
    check_weights,
)
from roilearn.ops.boxes.boxes import box_corners, check_coordinates
from roilearn.ops.clamping import clamp
from roilearn.ops.tracing import may_read_values

SCALE_CLAMP = math.log(1000 / 16)
"""dw and dh are not decoded beyond this: a side grows by 62.5 at most, 16 pixels to 1,000."""


def encode_boxes(
    boxes: Num[Tensor, "K 4"],
    anchors: Num[Tensor, "K 4"],
    weights: Sequence[float] = (1.0, 1.0, 1.0, 1.0),
) -> Float[Tensor, "K 4"]:
    """Encode each box as deltas to its anchor.

    Parameters
    ----------
    boxes : (K, 4) boxes as x1, y1, x2, y2.
    anchors : (K, 4) the anchor, or proposal, of each box.
    weights : factors of dx, dy, dw and dh. Deltas of good anchors are small numbers, so that heads
        are trained on larger ones, with weights (10, 10, 5, 5).

    Returns
    -------
    (K, 4) deltas dx, dy, dw, dh: how far the centre has to move, in sides of the anchor, and the
    logarithm of the factor by which each side has to grow. In float32 or better, differentiable.

    Raises
    ------
    ValueError: shapes that do not fit; a NaN or infinite coordinate; a side that is not above 0
        (where values are not checked, its deltas are NaN or infinite); weights that are not four
        positive numbers.

    Source
    ------
    Girshick et al., Rich feature hierarchies (2014), appendix C; as in torchvision 0.29.

    Examples
    --------
    Half the anchor's width to the right, and twice as high:

    >>> encode_boxes(torch.tensor([[5.0, 0, 15, 20]]), torch.tensor([[0.0, 5, 10, 15]]))
    tensor([[0.5000, 0.0000, 0.0000, 0.6931]])
    """
    factors = check_weights(weights)
    boxes, anchors = box_corners("boxes", boxes), box_corners("anchors", anchors)
    check_same_rows("anchors", anchors, "boxes", boxes.shape[0])
    check_one_device(boxes=boxes, anchors=anchors)
    if may_read_values(boxes):
        check_positive_sides("boxes", boxes)
        check_positive_sides("anchors", anchors)
    centre_x, centre_y, width, height = centre_and_size(boxes)
    anchor_x, anchor_y, anchor_width, anchor_height = centre_and_size(anchors)
    dx = factors[0] * (centre_x - anchor_x) / anchor_width
    dy = factors[1] * (centre_y - anchor_y) / anchor_height
    dw = factors[2] * (width / anchor_width).log()
    dh = factors[3] * (height / anchor_height).log()
    return torch.stack([dx, dy, dw, dh], -1)


def decode_boxes(
    deltas: Float[Tensor, "K *C 4"],
    anchors: Num[Tensor, "K 4"],
    weights: Sequence[float] = (1.0, 1.0, 1.0, 1.0),
    scale_clamp: float = SCALE_CLAMP,
) -> Float[Tensor, "K *C 4"]:
    """Decode deltas: move and scale each anchor by its deltas, the inverse of ``encode_boxes``.

    Parameters
    ----------
    deltas : (K, 4), or (K, C, 4) with a row for each of C classes. A head's (K, 4 * C) becomes
        the latter by ``reshape(K, C, 4)``.
    anchors : (K, 4) boxes as x1, y1, x2, y2.
    weights : those of ``encode_boxes``.
    scale_clamp : maximum of dw and dh. Larger ones are clamped to it, so that the exponential does
        not overflow, and get no gradient, unlike one of exactly the maximum; ``math.inf`` clamps
        nothing.

    Returns
    -------
    Boxes x1, y1, x2, y2, of the shape of ``deltas``, in float32 or better: half precision has no
    number between 1024 and 1025. They may reach outside the image. Differentiable in the deltas and
    in the anchors.

    Raises
    ------
    ValueError: shapes that do not fit; a NaN or infinite number; weights that are not four
        positive numbers.
    TypeError: deltas that are not floating point.

    Source
    ------
    Girshick et al., Rich feature hierarchies (2014), appendix C; as in torchvision 0.29.

    Differs from
    ------------
    torchvision 0.29: its ``BoxCoder`` takes (K, 4 * C) and returns (K, C, 4), in the dtype of the
    deltas.

    Examples
    --------
    >>> deltas = torch.tensor([[0.5, 0, 0, math.log(2)]])
    >>> decode_boxes(deltas, torch.tensor([[0.0, 5, 10, 15]]))
    tensor([[ 5.,  0., 15., 20.]])
    """
    factors = check_weights(weights)
    check_tensor("deltas", deltas)
    check_deltas(deltas)
    check_coordinates("deltas", deltas)
    anchors = box_corners("anchors", anchors)
    check_same_rows("anchors", anchors, "deltas", deltas.shape[0])
    check_one_device(deltas=deltas, anchors=anchors)
    limit = check_at_least("scale_clamp", scale_clamp, 0)
    deltas = deltas.to(torch.promote_types(deltas.dtype, torch.float32))
    if deltas.ndim == 3:
        anchors = anchors[:, None]  # [K, 1, 4]
    anchor_x, anchor_y, anchor_width, anchor_height = centre_and_size(anchors)
    dx, dy, dw, dh = deltas.unbind(-1)  # [K, *C] each
    centre_x = dx / factors[0] * anchor_width + anchor_x
    centre_y = dy / factors[1] * anchor_height + anchor_y
    width = clamp(dw / factors[2], high=limit).exp() * anchor_width
    height = clamp(dh / factors[3], high=limit).exp() * anchor_height
    first = [centre_x - 0.5 * width, centre_y - 0.5 * height]
    return torch.stack([*first, centre_x + 0.5 * width, centre_y + 0.5 * height], -1)


def centre_and_size(boxes: Num[Tensor, "*K 4"]) -> tuple[Num[Tensor, "*K"], ...]:
    """Centre x and y, width and height of each box."""
    x1, y1, x2, y2 = boxes.unbind(-1)
    width, height = x2 - x1, y2 - y1
    return x1 + 0.5 * width, y1 + 0.5 * height, width, height
