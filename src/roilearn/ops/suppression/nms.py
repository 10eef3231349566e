"""Non-maximum suppression (NMS): of boxes that overlap too much, the best score is kept.

The same result as the loop of ``roilearn.reference.nms``. Here are the argument checks, the choice
between kernel and PyTorch, and the node in a traced graph; ``greedy.py`` does the work in PyTorch.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64, Shaped
from torch import Tensor

from roilearn.arguments import (
    check_finite,
    check_floating,
    check_four_columns,
    check_group_ids,
    check_nms_threshold,
    check_no_nan,
    check_one_device,
    check_one_per_box,
    check_tensor,
)
from roilearn.ops.dispatch import MAX_NMS_BOXES, kernels_for
from roilearn.ops.suppression.greedy import kept_boxes
from roilearn.ops.suppression.onnx_nms import nms_node
from roilearn.ops.suppression.overlapping_pairs import box_table
from roilearn.ops.tracing import is_exporting_onnx, is_tracing, require_values


def nms(
    boxes: Float[Tensor, "N 4"], scores: Float[Tensor, " N"], iou_threshold: float
) -> Int64[Tensor, " kept"]:
    """Keep each box that no kept box of a higher score overlaps by more than the threshold.

    Parameters
    ----------
    boxes : (N, 4) boxes as x1, y1, x2, y2; x2 and y2 exclusive. float16 and bfloat16 are
        compared in float32.
    scores : (N,) scores, infinite ones allowed; of equal scores the first box counts as the better
        one.
    iou_threshold : intersection over union, usually from 0 to 1, above which the box of the lower
        score is removed. From 1 on all boxes are kept; below 0 only the best one is, because an IoU
        of 0 is above it.

    Returns
    -------
    Indices of the kept boxes, int64, by descending score; ties by index. A box of no area and
    an inverted box have IoU 0 with every other, and a threshold from 0 on keeps them. It also keeps
    boxes whose area the dtype rounds to 0 or to infinity, as in torchvision: sides below 1e-22 or
    above 1e19 in float32; pass float64. The result does not depend on the number of threads.

    Raises
    ------
    ValueError: another shape; a NaN or infinite coordinate; a NaN score or threshold.
    TypeError: boxes or scores that are not floating point.

    Source
    ------
    Greedy suppression as in torchvision 0.29, whose CPU kernel gives the same indices: the IoU of
    float32 boxes is computed in float32 and compared with the threshold in double precision.

    Differs from
    ------------
    torchvision 0.29: accepts NaN, and infinite coordinates. Below a threshold of 0 it keeps boxes
    of no area after another such box, since their IoU is 0 / 0 there.

    Examples
    --------
    The second box overlaps the first by 0.6, the third by nothing:

    >>> boxes = torch.tensor([[0.0, 0, 4, 4], [1, 0, 5, 4], [6, 0, 10, 4]])
    >>> nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.5)
    tensor([0, 2])
    >>> nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.7)
    tensor([0, 1, 2])
    """
    threshold = check_nms_threshold(iou_threshold)
    check_boxes_and_scores(boxes, scores)
    return choose_operator()(boxes.detach(), scores.detach(), None, threshold)


def batched_nms(
    boxes: Float[Tensor, "N 4"],
    scores: Float[Tensor, " N"],
    idxs: Shaped[Tensor, " N"],
    iou_threshold: float,
) -> Int64[Tensor, " kept"]:
    """``nms`` within each group of boxes: those of one class, or of one level.

    Parameters
    ----------
    boxes, scores, iou_threshold : as in ``nms``.
    idxs : (N,) numbers, one for each group, whole ones, floats or truth values: the group of each
        box. Boxes of two groups never suppress each other.

    Returns
    -------
    Indices of the kept boxes of all groups, int64, by descending score; ties by index.

    Raises
    ------
    ValueError: as ``nms``; another number of ``idxs``; one that is NaN.
    TypeError: as ``nms``; ``idxs`` that are not numbers.

    Differs from
    ------------
    torchvision 0.29: separates the groups by an offset added to their coordinates, which rounds
    them and lets boxes at negative coordinates overlap the group before. Above 1,000 boxes on the
    CPU it loops over the groups, and then its sort leaves the order of equal scores undefined.

    Examples
    --------
    >>> boxes = torch.tensor([[0.0, 0, 4, 4], [1, 0, 5, 4], [0, 0, 4, 4]])
    >>> batched_nms(boxes, torch.tensor([0.9, 0.8, 0.7]), torch.tensor([1, 1, 2]), 0.5)
    tensor([0, 2])
    """
    threshold = check_nms_threshold(iou_threshold)
    check_boxes_and_scores(boxes, scores)
    check_tensor("idxs", idxs)
    check_one_per_box("idxs", idxs, boxes.shape[0])
    check_group_ids("idxs", idxs)
    check_one_device(boxes=boxes, idxs=idxs)
    return choose_operator()(boxes.detach(), scores.detach(), idxs, threshold)


def choose_operator() -> Callable[..., Tensor]:
    """Choose what runs: ``suppress``, or what stands for it in a graph that is being recorded."""
    if is_exporting_onnx():
        return _onnx_nms
    return _NMS_OP if is_tracing() else suppress


def check_boxes_and_scores(boxes: Tensor, scores: Tensor) -> None:
    """Raise unless ``boxes`` is (N, 4) and ``scores`` (N,), both floating point."""
    for name, value in (("boxes", boxes), ("scores", scores)):
        check_tensor(name, value)
        check_floating(name, value)
    check_four_columns("boxes", boxes)
    check_one_per_box("scores", scores, boxes.shape[0])
    check_one_device(boxes=boxes, scores=scores)


def suppress(
    boxes: Float[Tensor, "N 4"],
    scores: Float[Tensor, " N"],
    idxs: Shaped[Tensor, " N"] | None,
    iou_threshold: float,
) -> Int64[Tensor, " kept"]:
    """Do the work of ``nms`` and ``batched_nms``; values are always checked.

    The number of kept boxes depends on the values, so they are read in any case.
    """
    require_values("boxes", boxes)
    require_values("scores", scores)
    if idxs is not None:
        require_values("idxs", idxs)
    if not len(boxes):
        return scores.new_empty(0, dtype=torch.int64)
    if iou_threshold >= 0 and scores.device.type != "cpu" and len(boxes) <= MAX_NMS_BOXES:
        kernels = kernels_for([boxes], scores)  # which check the values on their device
        if kernels is not None and idxs is None:
            return kernels.nms(boxes, scores, iou_threshold)
        if kernels is not None:
            return kernels.batched_nms(boxes, scores, idxs, iou_threshold)
    corners, numbers = as_array(boxes), as_array(scores)
    check_finite("boxes", corners)
    order = (-numbers).argsort(kind="stable")
    if math.isnan(numbers[order[-1]]):  # NaN is sorted last
        check_no_nan("scores", numbers[:, None])
    ids = None if idxs is None else as_array(idxs)
    if ids is not None and ids.dtype.kind == "f":
        check_no_nan("idxs", ids[:, None])
    kept = order[keep_by_score(corners[order], *group_numbers(ids, order), iou_threshold)]
    return torch.from_numpy(kept).to(boxes.device)


def as_array(tensor: Shaped[Tensor, "*N"]) -> Shaped[np.ndarray, "*N"]:
    """Return the numbers of a tensor on the CPU, those of half precision in single precision."""
    if tensor.dtype in (torch.float16, torch.bfloat16):
        tensor = tensor.float()
    return tensor.detach().cpu().numpy()


def keep_by_score(
    boxes: Float[np.ndarray, "N 4"], group: Int64[np.ndarray, " N"], groups: int, threshold: float
) -> Bool[np.ndarray, " N"]:
    """Whether to keep each box, of boxes by descending score.

    Boxes without an area, and with one that is no number of the dtype, overlap nothing: their IoU
    is 0 / 0 or 0, which is above no threshold from 0 on.
    """
    if threshold < 0:  # every IoU is above it: the first box of each group stays
        keep = np.zeros(len(boxes), np.bool_)
        keep[np.unique(group, return_index=True)[1]] = True
        return keep
    limit = threshold_in_dtype(boxes.dtype.type, threshold)
    with np.errstate(over="ignore", invalid="ignore"):  # areas may be infinite, or inf * 0
        table = box_table(boxes)
        x1, _, x2, _, area = table
        # Of a box that is not inverted along x, the area has the sign of its height.
        solid = (x2 > x1) & (area > 0) & (area < math.inf)
        if solid.all():
            return kept_boxes(table, group, groups, limit)
        keep = ~solid
        if solid.any():
            keep[solid] = kept_boxes(table[:, solid], group[solid], groups, limit)
    return keep


_NMS_OP = torch.library.custom_op(
    "roilearn::nms",
    suppress,
    mutates_args=(),
    schema="(Tensor boxes, Tensor scores, Tensor? idxs, float iou_threshold) -> Tensor",
)
"""``suppress`` as one node of a traced graph: the number of kept boxes is unknown while tracing."""


@_NMS_OP.register_fake
def fake_suppress(
    boxes: Tensor, scores: Tensor, idxs: Tensor | None, iou_threshold: float
) -> Tensor:
    """Shape and dtype of the result while tracing: indices, an unknown number of them."""
    del scores, idxs, iou_threshold
    return boxes.new_empty(torch.library.get_ctx().new_dynamic_size(), dtype=torch.int64)


def group_numbers(
    idxs: Shaped[np.ndarray, " N"] | None, order: Int64[np.ndarray, " N"]
) -> tuple[Int64[np.ndarray, " N"], int]:
    """Group number from 0 of each box, by descending score; and the number of group numbers."""
    if idxs is None:
        return np.zeros(len(order), np.int64), 1
    number = idxs[order]
    if np.can_cast(number.dtype, np.int64):
        low, high = int(number.min()), int(number.max())
        if high - low < len(order):
            return number.astype(np.int64) - low, high - low + 1
    names, number = np.unique(number, return_inverse=True)  # equal ids are one group, whole or not
    return number.astype(np.int64), len(names)


def threshold_in_dtype(dtype: type[np.floating], threshold: float) -> float:
    """Round ``threshold`` down to a number of ``dtype``: the same IoUs of ``dtype`` lie above it.

    NumPy rounds a number to the dtype of the array that it is compared with, and rounds 0.3 up. An
    IoU of exactly that number would then not be above 0.3, although it is in torchvision's kernel.
    """
    rounded = dtype(threshold)
    if float(rounded) > threshold:
        rounded = np.nextafter(rounded, dtype(0))
    return float(rounded)


_onnx_nms = nms_node(suppress, threshold_in_dtype)
