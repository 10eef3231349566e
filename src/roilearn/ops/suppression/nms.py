"""Non-maximum suppression (NMS): of boxes that overlap too much, the best score is kept.

The same result as the loop of ``roilearn.reference.nms``. Here are the argument checks, the choice
between kernel and PyTorch, and the node in a traced graph; ``greedy.py`` does the work in PyTorch.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, Int64, Shaped
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
    Greedy suppression as in torchvision 0.27, whose CPU kernel gives the same indices: the IoU of
    float32 boxes is computed in float32 and compared with the threshold in double precision.

    Differs from
    ------------
    torchvision 0.27: accepts NaN, and infinite coordinates. Below a threshold of 0 it keeps boxes
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
    torchvision 0.27: separates the groups by an offset added to their coordinates, which rounds
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
    check_finite("boxes", boxes)
    check_no_nan("scores", scores[:, None])
    if idxs is not None:
        check_no_nan("idxs", idxs[:, None])
    if iou_threshold < 0:  # every IoU is above it
        return best_of_each_group(scores, idxs)
    if len(boxes) <= MAX_NMS_BOXES and (kernels := kernels_for([boxes], scores)) is not None:
        if idxs is None:
            return kernels.nms(boxes, scores, iou_threshold)
        return kernels.batched_nms(boxes, scores, idxs, iou_threshold)
    order = scores.argsort(stable=True, descending=True)
    boxes = boxes.to(torch.promote_types(boxes.dtype, torch.float32))[order]
    table, (group, groups) = box_table(boxes), group_numbers(idxs, order)
    keep = torch.ones_like(order, dtype=torch.bool)
    x1, y1, x2, y2, area = table
    # Other boxes overlap nothing: their IoU is 0 / 0 or 0, which is above no threshold.
    solid = ((x2 > x1) & (y2 > y1) & (area > 0) & (area < math.inf)).nonzero()[:, 0]
    threshold = threshold_in_dtype(boxes.dtype, iou_threshold)
    keep[solid] = kept_boxes(table.index_select(1, solid), group[solid], groups, threshold)
    return order[keep]


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
    idxs: Shaped[Tensor, " N"] | None, order: Int64[Tensor, " N"]
) -> tuple[Int64[Tensor, " N"], int]:
    """Group number from 0 of each box, by descending score; and the number of group numbers."""
    if idxs is None or not len(order):
        return torch.zeros_like(order), 1
    numbers: Any = idxs
    if idxs.is_floating_point():  # equal ids are one group, whole or not
        _, numbers = idxs.unique(return_inverse=True)
    number = numbers.to(torch.int64).index_select(0, order)
    low, high = (int(end) for end in number.aminmax())
    if high - low < len(order):
        return number - low, high - low + 1
    names, number = number.unique(return_inverse=True)
    return number, len(names)


def best_of_each_group(
    scores: Float[Tensor, " N"], idxs: Shaped[Tensor, " N"] | None
) -> Int64[Tensor, " kept"]:
    """Find the box of the highest score in each group, by descending score; ties by index."""
    order = scores.sort(descending=True, stable=True).indices
    group, groups = group_numbers(idxs, order)
    place = torch.arange(len(order), device=order.device)
    first = place.new_full((groups,), len(order)).scatter_reduce(0, group, place, "amin")
    return order[first[first < len(order)].sort().values]


def threshold_in_dtype(dtype: torch.dtype, threshold: float) -> float:
    """Round ``threshold`` down to a number of ``dtype``: the same IoUs of ``dtype`` lie above it.

    PyTorch rounds a number to the dtype of the tensor that it is compared with, and rounds 0.3 up.
    An IoU of exactly that number would then not be above 0.3, although it is in the kernel.
    """
    rounded = torch.tensor(threshold, dtype=dtype, device="cpu")
    if rounded.item() > threshold:
        rounded = rounded.nextafter(torch.zeros_like(rounded))
    return rounded.item()


_onnx_nms = nms_node(suppress, threshold_in_dtype)
