"""Boxes: their two forms, their area and how much two of them overlap."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Num
from torch import Tensor

from roilearn.arguments import (
    check_box_values,
    check_boxes,
    check_finite,
    check_four_columns,
    check_tensor,
)
from roilearn.ops import onnx
from roilearn.ops.eager import reads_values

NOWHERE = (0.0, -1e30, -1e30, -1e30, -1e30)
"""The row that takes the place of a bad one where no error can be raised: far from any map."""


def as_rois(
    boxes: Tensor | Sequence[Tensor],
    batch_size: int,
    dtype: torch.dtype = torch.float32,
    *,
    validate: bool | None = None,
) -> Float[Tensor, "K 5"]:
    """Boxes in either form as one (K, 5) tensor of batch index, x1, y1, x2, y2.

    Parameters
    ----------
    boxes : (K, 5) tensor, or a list with one (Ki, 4) tensor for each image of the batch.
    batch_size : number of images.
    dtype : floating dtype of the features. The result has at least its precision, that of the
        boxes and that of float32: float16 knows only every second whole number above 2048.
    validate : as in ``roi_align``.

    Returns
    -------
    (K, 5) tensor. Where values are not read, a bad row becomes ``NOWHERE``, which pools to 0;
    in an ONNX file bad rows stay, for the engine to refuse.

    Raises
    ------
    ValueError: another shape; a list of another length; a NaN or infinite coordinate; a batch
        index that is not a whole number from 0 to batch_size - 1.
    TypeError: boxes that are not floating point.

    Examples
    --------
    >>> as_rois([torch.tensor([[0.0, 0, 4, 4]]), torch.tensor([[1.0, 2, 3, 5]])], batch_size=2)
    tensor([[0., 0., 0., 4., 4.],
            [1., 1., 2., 3., 5.]])
    """
    check_boxes(boxes, batch_size)
    images = [boxes] if isinstance(boxes, Tensor) else list(boxes)
    for image_boxes in images:
        check_tensor("boxes", image_boxes)
        if not image_boxes.is_floating_point():
            raise TypeError(
                f"boxes must be floating point; got {image_boxes.dtype}. Pass boxes.float()."
            )
        dtype = torch.promote_types(dtype, image_boxes.dtype)
    dtype = torch.promote_types(dtype, torch.float32)
    if not isinstance(boxes, Tensor):
        images = [
            torch.nn.functional.pad(b.to(dtype), (1, 0), value=n) for n, b in enumerate(boxes)
        ]
    rois = torch.cat(images).to(dtype) if images else torch.zeros(0, 5)
    if reads_values(rois, validate):
        check_box_values(rois, batch_size)
        return rois
    return rois if onnx.exporting() else without_bad_rows(rois, batch_size)


def without_bad_rows(rois: Float[Tensor, "K 5"], batch_size: int) -> Float[Tensor, "K 5"]:
    """Put ``NOWHERE`` in place of each row that ``check_box_values`` would refuse."""
    index = rois[:, 0]
    good = rois.isfinite().all(1) & (index >= 0) & (index < batch_size) & (index % 1 == 0)
    return torch.where(good[:, None], rois, rois.new_tensor(NOWHERE))


def box_area(boxes: Num[Tensor, "K 4"]) -> Num[Tensor, " K"]:
    """Area of each box: (x2 - x1) * (y2 - y1), nothing added.

    Parameters
    ----------
    boxes : (K, 4) boxes as x1, y1, x2, y2; x2 and y2 exclusive.

    Returns
    -------
    (K,) areas; negative for a box inverted along one axis.

    Raises
    ------
    ValueError: not four columns; a NaN or infinite coordinate.

    Examples
    --------
    >>> box_area(torch.tensor([[0, 0, 665, 665]]))
    tensor([442225])
    """
    x1, y1, x2, y2 = _wide("boxes", boxes).unbind(1)
    return (x2 - x1) * (y2 - y1)


def box_iou(boxes1: Num[Tensor, "N 4"], boxes2: Num[Tensor, "M 4"]) -> Float[Tensor, "N M"]:
    """Intersection over union of every pair of boxes.

    Parameters
    ----------
    boxes1 : (N, 4) boxes as x1, y1, x2, y2; x2 and y2 exclusive.
    boxes2 : (M, 4)

    Returns
    -------
    (N, M) tensor in [0, 1]. A box of no area has IoU 0 with everything, itself included.

    Raises
    ------
    ValueError: a last dimension other than 4; a NaN or infinite coordinate.

    Differs from
    ------------
    torchvision 0.27: 0/0 gives NaN there.

    Examples
    --------
    >>> box_iou(torch.tensor([[0.0, 0, 2, 2]]), torch.tensor([[1.0, 0, 3, 2]]))
    tensor([[0.3333]])
    """
    boxes1, boxes2 = _wide("boxes1", boxes1), _wide("boxes2", boxes2)
    first, second = boxes1[:, None], boxes2[None]  # [N, 1, 4], [1, M, 4]
    low = torch.maximum(first[..., :2], second[..., :2])  # [N, M, 2]
    high = torch.minimum(first[..., 2:], second[..., 2:])
    shared = (high - low).clamp(min=0).prod(-1)  # [N, M]
    union = box_area(boxes1)[:, None] + box_area(boxes2) - shared
    return torch.where(shared > 0, shared / torch.where(shared > 0, union, 1), 0.0)


def _wide(name: str, boxes: Tensor) -> Tensor:
    """Check boxes; widen numbers whose product would not fit, as an area's does not in float16."""
    _check(name, boxes)
    least = torch.float32 if boxes.is_floating_point() else torch.int64
    return boxes.to(torch.promote_types(boxes.dtype, least))


def _check(name: str, boxes: Tensor) -> None:
    check_tensor(name, boxes)
    check_four_columns(name, boxes)
    if reads_values(boxes):
        check_finite(name, boxes)
