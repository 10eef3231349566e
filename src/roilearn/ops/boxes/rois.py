"""RoIs: the boxes of a batch of images, as one (K, 5) tensor with the image's index first."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from roilearn.arguments import (
    BOX_COLUMNS,
    check_box_values,
    check_boxes,
    check_floating,
    check_tensor,
)
from roilearn.ops.tracing import is_exporting_onnx, may_read_values, values_of

NOWHERE = (0.0, -1e30, -1e30, -1e30, -1e30)
"""The row that replaces an invalid one where no error can be raised: a box far from any map."""


def as_rois(
    boxes: Tensor | Sequence[Tensor],
    batch_size: int,
    dtype: torch.dtype = torch.float32,
    *,
    validate: bool | None = None,
    columns: str = BOX_COLUMNS,
) -> Float[Tensor, "K _"]:
    """Return boxes in either form as one (K, 5) tensor of batch index, x1, y1, x2, y2.

    Parameters
    ----------
    boxes : (K, 5) tensor, or a list with one (Ki, 4) tensor for each image of the batch.
    batch_size : number of images.
    dtype : floating dtype of the features. The result has at least its precision, that of the
        boxes and that of float32: float16 has only every second whole number above 2048.
    validate : as in ``roi_align``.
    columns : names of the columns, for boxes that have others.

    Returns
    -------
    (K, 5) tensor. Where values are not checked, an invalid row becomes ``NOWHERE``, which pools to
    0. In an ONNX file invalid rows stay, and the engine refuses them.

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
    rois = join_rois(boxes, batch_size, dtype, columns)
    if may_read_values(rois, validate):
        check_box_values(values_of(rois), batch_size, columns)
        return rois
    return rois if is_exporting_onnx() else without_bad_rows(rois, batch_size)


def join_rois(
    boxes: Tensor | Sequence[Tensor], batch_size: int, dtype: torch.dtype, columns: str
) -> Float[Tensor, "K _"]:
    """Do what ``as_rois`` does, without checking values."""
    if isinstance(boxes, Tensor):
        check_tensor("boxes", boxes)
    check_boxes(boxes, batch_size, columns)
    images = [boxes] if isinstance(boxes, Tensor) else list(boxes)
    for image_boxes in images:
        check_tensor("boxes", image_boxes)
        check_floating("boxes", image_boxes)
        dtype = torch.promote_types(dtype, image_boxes.dtype)
    dtype = torch.promote_types(dtype, torch.float32)
    if isinstance(boxes, Tensor):
        return boxes.to(dtype)
    images = [torch.nn.functional.pad(b.to(dtype), (1, 0), value=n) for n, b in enumerate(images)]
    return torch.cat(images) if images else torch.zeros(0, columns.count(",") + 1, device="cpu")


def without_bad_rows(rois: Float[Tensor, "K n"], batch_size: int) -> Float[Tensor, "K n"]:
    """Replace each row that ``check_box_values`` would refuse by ``NOWHERE``."""
    index = rois[:, 0]
    good = rois.isfinite().all(1) & (index >= 0) & (index < batch_size) & (index % 1 == 0)
    nowhere = rois.new_tensor([*NOWHERE, 0])[: rois.shape[1]]
    return torch.where(good[:, None], rois, nowhere)
