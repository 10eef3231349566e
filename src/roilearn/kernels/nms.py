"""NMS on a GPU: one launch finds the overlapping pairs, a second suppresses in order of score."""

import numpy as np
import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor

from roilearn import ops
from roilearn.arguments import (
    check_finite,
    check_group_ids,
    check_nms_threshold,
    check_no_nan,
    check_one_device,
    check_one_per_box,
    check_tensor,
)
from roilearn.kernels.arguments import supports
from roilearn.kernels.device.suppression import WORD_BITS, find_overlapping_pairs, suppress
from roilearn.kernels.launch import block_size, check_device, launch
from roilearn.ops.dispatch import MAX_NMS_BOXES
from roilearn.ops.suppression.nms import check_boxes_and_scores, threshold_in_dtype

BLOCK_ROWS = 64
"""Boxes for which one program of ``find_overlapping_pairs`` writes a word each."""


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
    threshold = check_nms_threshold(iou_threshold)
    check_boxes_and_scores(boxes, scores)
    if not _supports(boxes) or threshold < 0:
        return ops.nms(boxes, scores, threshold)
    return _suppress(boxes.detach(), scores.detach(), None, threshold)


def batched_nms(
    boxes: Float[Tensor, "N 4"],
    scores: Float[Tensor, " N"],
    idxs: Shaped[Tensor, " N"],
    iou_threshold: float,
) -> Int64[Tensor, " kept"]:
    """Apply ``nms`` within each group of boxes: boxes of two groups never suppress each other.

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
    threshold = check_nms_threshold(iou_threshold)
    check_boxes_and_scores(boxes, scores)
    check_tensor("idxs", idxs)
    check_one_per_box("idxs", idxs, boxes.shape[0])
    check_group_ids("idxs", idxs)
    check_one_device(boxes=boxes, idxs=idxs)
    if not _supports(boxes) or threshold < 0:
        return ops.batched_nms(boxes, scores, idxs, threshold)
    return _suppress(boxes.detach(), scores.detach(), idxs, threshold)


def _supports(boxes: Tensor) -> bool:
    return supports([boxes]) and len(boxes) <= MAX_NMS_BOXES


def _suppress(
    boxes: Float[Tensor, "N 4"],
    scores: Float[Tensor, " N"],
    idxs: Shaped[Tensor, " N"] | None,
    iou_threshold: float,
) -> Int64[Tensor, " kept"]:
    check_device("boxes", boxes)
    check_finite("boxes", boxes)
    check_no_nan("scores", scores[:, None])
    if idxs is not None:
        check_no_nan("idxs", idxs[:, None])
    order = scores.argsort(stable=True, descending=True)
    num_boxes = len(order)
    if not num_boxes:
        return order
    boxes = boxes.to(torch.float32)[order].contiguous()
    groups = None if idxs is None else group_ids(idxs)[order].contiguous()
    words_per_box = -(-num_boxes // WORD_BITS.value)
    overlap_bits = order.new_empty(num_boxes, words_per_box, dtype=torch.int32)
    kept = order.new_empty(num_boxes, dtype=torch.int8)
    threshold = threshold_in_dtype(np.float32, iou_threshold)
    pairs, grouped = (-(-num_boxes // BLOCK_ROWS), words_per_box), groups is not None
    arguments = (boxes, groups, overlap_bits, num_boxes, words_per_box, threshold)
    launch(find_overlapping_pairs, pairs, boxes, *arguments, GROUPED=grouped, BLOCK_ROWS=BLOCK_ROWS)
    launch(
        suppress,
        (1,),
        boxes,
        overlap_bits,
        kept,
        num_boxes,
        words_per_box,
        BLOCK_WORDS=block_size(words_per_box, 2**20),
    )
    return order[kept.bool()]


def group_ids(idxs: Shaped[Tensor, " N"]) -> Int64[Tensor, " N"]:
    """Return whole numbers that are equal where ``idxs`` are: the kernel compares nothing else."""
    if idxs.is_floating_point():
        return idxs.unique(return_inverse=True)[1]
    return idxs.to(torch.int64)
