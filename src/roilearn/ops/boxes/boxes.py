"""Boxes: formats, area, clipping to an image, and removal of small boxes."""

from collections.abc import Sequence

import torch
from jaxtyping import Int, Int64, Num
from torch import Tensor

from roilearn.arguments import (
    check_box_batch,
    check_box_formats,
    check_choice,
    check_finite,
    check_finite_number,
    check_four_columns,
    check_last_axis,
    check_no_nan,
    check_output_size,
    check_tensor,
)
from roilearn.ops.boxes.rotated_formats import (
    FROM_ROTATED,
    NUMBERS,
    ROTATED_BOX_FORMATS,
    TO_ROTATED,
)
from roilearn.ops.clamping import clamp
from roilearn.ops.tracing import is_tracing, may_read_values, require_values, smallest

TO_CORNERS = {
    "xyxy": lambda x1, y1, x2, y2: (x1, y1, x2, y2),
    "xywh": lambda x1, y1, w, h: (x1, y1, x1 + w, y1 + h),
    "cxcywh": lambda cx, cy, w, h: (cx - 0.5 * w, cy - 0.5 * h, cx + 0.5 * w, cy + 0.5 * h),
}
"""For each format, the function from its four numbers to two corners."""
FROM_CORNERS = {
    "xyxy": lambda x1, y1, x2, y2: (x1, y1, x2, y2),
    "xywh": lambda x1, y1, x2, y2: (x1, y1, x2 - x1, y2 - y1),
    "cxcywh": lambda x1, y1, x2, y2: ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1),
}
"""For each format, the function from two corners to its four numbers."""
BOX_FORMATS = tuple(TO_CORNERS)
"""Two corners; first corner and size; centre and size."""


def box_convert(boxes: Num[Tensor, "*K _"], in_fmt: str, out_fmt: str) -> Num[Tensor, "*K _"]:
    """Convert boxes from one format to another.

    Parameters
    ----------
    boxes : (..., 4) boxes in the format ``in_fmt``; (..., 5) or (..., 8) rotated ones.
    in_fmt, out_fmt : both of ``BOX_FORMATS``, ``"xyxy"``, ``"xywh"`` or ``"cxcywh"``; or both of
        ``ROTATED_BOX_FORMATS``, ``"xywhr"``, ``"cxcywhr"`` or ``"xyxyxyxy"``. The angle r is in
        degrees, counter-clockwise as the image is displayed. x, y is the corner that is top left
        at angle 0, and the four corners follow clockwise from it.

    Returns
    -------
    (..., 4), (..., 5) or (..., 8) new tensor of the same floating dtype, halves rounded once at the
    end; whole numbers as int64, in which the sum of two below 2**62 does not wrap, or floating
    where a centre needs a half or a box is rotated. Where the first two corners coincide,
    the angle is 0.

    Raises
    ------
    ValueError: an unknown format, or one upright and one rotated; another number of columns; a NaN
        or infinite number.

    Differs from
    ------------
    torchvision 0.29: whole numbers keep their dtype there: bytes wrap, and rotated boxes are
    rounded; halves are added in half precision, where the second corner may overflow; corners at
    one point have the gradient NaN.

    Examples
    --------
    >>> box_convert(torch.tensor([[2, 3, 6, 5]]), "xyxy", "xywh")
    tensor([[2, 3, 4, 2]])
    >>> box_convert(torch.tensor([[2, 3, 6, 5]]), "xyxy", "cxcywh")
    tensor([[4., 4., 4., 2.]])

    A box of 4 x 2 pixels, a quarter turn about its first corner: its width points upwards.

    >>> box_convert(torch.tensor([[2.0, 6, 4, 2, 90]]), "xywhr", "xyxyxyxy").round(decimals=3)
    tensor([[2., 6., 2., 2., 4., 2., 4., 6.]])
    """
    check_box_formats(in_fmt, out_fmt, BOX_FORMATS, ROTATED_BOX_FORMATS)
    check_coordinates("boxes", boxes, numbers=NUMBERS.get(in_fmt, 4))
    rotated = in_fmt in ROTATED_BOX_FORMATS
    if not boxes.is_floating_point():
        boxes = boxes.to(torch.get_default_dtype() if rotated else torch.int64)
    if in_fmt == out_fmt:
        return boxes.clone()
    # In halves a corner may overflow where the centre does not: 60,000 + 8,000 is infinite.
    halves = boxes.is_floating_point() and boxes.element_size() == 2
    first = (TO_ROTATED if rotated else TO_CORNERS)[in_fmt]
    then = (FROM_ROTATED if rotated else FROM_CORNERS)[out_fmt]
    corners = first(*(boxes.float() if halves else boxes).unbind(-1))
    converted = torch.stack(then(*corners), -1)
    return converted.to(boxes.dtype) if halves else converted


def box_area(boxes: Num[Tensor, "*N K 4"], fmt: str = "xyxy") -> Num[Tensor, "*N K"]:
    """Area of each box: (x2 - x1) * (y2 - y1), nothing added.

    Parameters
    ----------
    boxes : (K, 4) boxes as x1, y1, x2, y2; x2 and y2 exclusive; or a batch of them, (..., K, 4).
    fmt : one of ``BOX_FORMATS``, if the boxes are given otherwise.

    Returns
    -------
    (..., K) areas; negative for a box inverted along one axis. Those of whole numbers are int64,
    exact for sides below 2**31; longer ones wrap: pass them as float64.

    Raises
    ------
    ValueError: not four columns; a NaN or infinite coordinate; an unknown format.

    Examples
    --------
    >>> box_area(torch.tensor([[0, 0, 665, 665]]))
    tensor([442225])
    """
    x1, y1, x2, y2 = box_corners("boxes", boxes, fmt, batch=True).unbind(-1)
    return (x2 - x1) * (y2 - y1)


def clip_boxes_to_image(
    boxes: Num[Tensor, "*K 4"], size: Sequence[int] | Int[Tensor, " 2"]
) -> Num[Tensor, "*K 4"]:
    """Clip boxes to the image: move coordinates outside it to its nearest edge.

    Parameters
    ----------
    boxes : (..., 4) boxes as x1, y1, x2, y2.
    size : (height, width) of the image, a pair or a tensor.

    Returns
    -------
    (..., 4) tensor. A box wholly outside has no area afterwards and lies on the nearest edge or
    corner. A coordinate that was clipped gets no gradient; one exactly on the edge gets its own.

    Raises
    ------
    ValueError: a last axis other than 4; a NaN or infinite coordinate; a size below 1.

    Examples
    --------
    >>> clip_boxes_to_image(torch.tensor([[-2, 1, 30, 7]]), (10, 20))
    tensor([[ 0,  1, 20,  7]])
    """
    pair = tuple(size) if isinstance(size, Tensor) else size
    height, width = check_output_size(pair, name="size")
    check_coordinates("boxes", boxes)
    if boxes.element_size() < 4:  # a bound beyond the largest number of the dtype would overflow
        kind = torch.finfo if boxes.is_floating_point() else torch.iinfo
        most = int(kind(boxes.dtype).max)
        height, width = smallest(height, most), smallest(width, most)
    x, y = clamp(boxes[..., 0::2], 0, width), clamp(boxes[..., 1::2], 0, height)  # [*K, 2]
    return torch.stack([x, y], -1).reshape(boxes.shape)


def remove_small_boxes(boxes: Num[Tensor, "K 4"], min_size: float) -> Int64[Tensor, " kept"]:
    """Find the boxes whose width and height are at least ``min_size``.

    Parameters
    ----------
    boxes : (K, 4) boxes as x1, y1, x2, y2.
    min_size : minimum width and height, in the unit of the boxes.

    Returns
    -------
    Indices of the boxes to keep, in order. A side of exactly ``min_size`` is long enough. How many
    there are depends on the values: torch.export supports that, torch.compile in one graph only
    with ``torch._dynamo.config.capture_dynamic_output_shape_ops``.

    Raises
    ------
    ValueError: not four columns; a NaN or infinite coordinate.

    Examples
    --------
    >>> remove_small_boxes(torch.tensor([[0, 0, 9, 2], [0, 0, 3, 3], [5, 5, 4, 4]]), 3)
    tensor([1])
    """
    corners = box_corners("boxes", boxes)
    check_finite_number("min_size", min_size)
    if not is_tracing():
        require_values("boxes", boxes)
    long_enough = corners[:, 2:] - corners[:, :2] >= min_size  # [K, 2]
    return long_enough.all(1).nonzero().squeeze(1)


def box_corners(
    name: str,
    boxes: Num[Tensor, "*N K 4"],
    fmt: str = "xyxy",
    *,
    infinite: bool = False,
    batch: bool = False,
) -> Num[Tensor, "*N K 4"]:
    """Return boxes as corners in a dtype that holds areas: at least float32, or int64.

    Parameters
    ----------
    infinite, batch : whether coordinates may be infinite, and boxes have shape (..., K, 4).
    """
    check_choice("fmt", fmt, BOX_FORMATS)
    check_tensor(name, boxes)
    (check_box_batch if batch else check_four_columns)(name, boxes)
    check_coordinates(name, boxes, infinite=infinite)
    least = torch.float32 if boxes.is_floating_point() else torch.int64
    boxes = boxes.to(torch.promote_types(boxes.dtype, least))
    return boxes if fmt == "xyxy" else box_convert(boxes, fmt, "xyxy")


def check_coordinates(
    name: str, boxes: Tensor, *, infinite: bool = False, numbers: int = 4
) -> None:
    """Raise unless ``boxes`` is a (..., ``numbers``) tensor of finite values.

    Values are looked at where they may be read. With ``infinite`` only NaN is refused.
    """
    check_tensor(name, boxes)
    check_last_axis(name, boxes, numbers)
    if infinite and may_read_values(boxes):
        check_no_nan(name, boxes.reshape(-1, numbers))
    elif may_read_values(boxes) and not all_finite(boxes):
        check_finite(name, boxes.reshape(-1, numbers))


def all_finite(numbers: Tensor) -> bool:
    """Whether no number is NaN or infinite, by one pass over all numbers."""
    if numbers.numel() == 0 or not numbers.is_floating_point():
        return True
    least, most = numbers.aminmax()  # NaN is both of them
    return bool((most - most == 0) & (least - least == 0))
