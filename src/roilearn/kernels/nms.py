"""Non-maximum suppression on a GPU: a launch for the pairs, a launch for the order."""

import torch
from jaxtyping import Float, Int, Int64
from torch import Tensor

from roilearn import ops
from roilearn.arguments import (
    check_finite,
    check_iou_threshold,
    check_one_a_box,
    check_one_device,
    check_tensor,
    check_whole_numbers,
)
from roilearn.kernels.arguments import covers
from roilearn.kernels.device.suppression import WORD, mark_pairs, settle
from roilearn.kernels.launch import block, check_place, launch
from roilearn.ops.dispatch import MOST_BOXES
from roilearn.ops.suppression.nms import check_all, threshold_in

ROWS = 64
"""Boxes whose words one program writes."""


def nms(
    boxes: Float[Tensor, "N 4"], scores: Float[Tensor, " N"], iou_threshold: float
) -> Int64[Tensor, " kept"]:
    """Keep each box that no kept box of a higher score overlaps by more than the threshold.

    Parameters
    ----------
    boxes, scores, iou_threshold : as in ``roilearn.ops.nms``.

    Returns
    -------
    The same indices as ``roilearn.ops.nms``, ties included.

    Raises
    ------
    ValueError, TypeError: as ``roilearn.ops.nms``; boxes that are not on a GPU.
    """
    threshold = check_iou_threshold(iou_threshold)
    check_all(boxes, scores)
    if not _covers(boxes):
        return ops.nms(boxes, scores, threshold)
    return _suppress(boxes.detach(), scores.detach(), None, threshold)


def batched_nms(
    boxes: Float[Tensor, "N 4"],
    scores: Float[Tensor, " N"],
    idxs: Int[Tensor, " N"],
    iou_threshold: float,
) -> Int64[Tensor, " kept"]:
    """``nms`` within each group of boxes: pairs of two groups are never marked.

    Parameters
    ----------
    boxes, scores, idxs, iou_threshold : as in ``roilearn.ops.batched_nms``.

    Returns
    -------
    The same indices as ``roilearn.ops.batched_nms``.

    Raises
    ------
    ValueError, TypeError: as ``roilearn.ops.batched_nms``; boxes that are not on a GPU.
    """
    threshold = check_iou_threshold(iou_threshold)
    check_all(boxes, scores)
    check_tensor("idxs", idxs)
    check_one_a_box("idxs", idxs, boxes.shape[0])
    check_whole_numbers("idxs", idxs)
    check_one_device(boxes=boxes, idxs=idxs)
    if not _covers(boxes):
        return ops.batched_nms(boxes, scores, idxs, threshold)
    return _suppress(boxes.detach(), scores.detach(), idxs, threshold)


def _covers(boxes: Tensor) -> bool:
    return covers([boxes]) and len(boxes) <= MOST_BOXES


def _suppress(
    boxes: Float[Tensor, "N 4"],
    scores: Float[Tensor, " N"],
    idxs: Int[Tensor, " N"] | None,
    iou_threshold: float,
) -> Int64[Tensor, " kept"]:
    check_place("boxes", boxes)
    check_finite("boxes", boxes)
    check_finite("scores", scores[:, None])
    order = scores.argsort(stable=True, descending=True)
    number = len(order)
    if not number:
        return order
    boxes = boxes.to(torch.float32)[order].contiguous()
    group = None if idxs is None else idxs[order].contiguous()
    width = -(-number // WORD.value)
    words = order.new_empty(number, width, dtype=torch.int32)
    stays = order.new_empty(number, dtype=torch.int8)
    threshold = threshold_in(torch.float32, iou_threshold)
    pairs, grouped = (-(-number // ROWS), width), group is not None
    arguments = (boxes, group, words, number, width, threshold)
    launch(mark_pairs, pairs, boxes, *arguments, GROUPED=grouped, ROWS=ROWS)
    launch(settle, (1,), boxes, words, stays, number, width, WIDTH=block(width, 2**20))
    return order[stays.bool()]
