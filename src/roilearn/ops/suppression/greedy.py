"""Greedy suppression of boxes by descending score, for many boxes at once.

The loop of greedy NMS takes one box after another. It needs to know which pairs of boxes overlap by
more than the threshold, and there are two ways to find that for many boxes at once. Where a box
overlaps few others, all pairs are listed (``overlapping_pairs.py``). Where many boxes lie on top of
each other the list would be long, but few boxes are kept: the best boxes are decided as a block,
and what they suppress is dropped before the next block. A few hundred boxes are one block.
"""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from roilearn.ops.suppression.overlapping_pairs import iou, overlapping_pairs, sort_into_strips

BLOCK_SIZE = 192
"""Boxes that are decided as one block where boxes are dense."""
SINGLE_BLOCK = 512
"""Up to this number of boxes all are one block: looking for a cheaper way would cost more."""
COLUMNS = 4096
"""Boxes that a block is compared with at once, so that the comparison keep in the cache."""
DENSE_SHARE = 0.8
"""Boxes are not dense if a block leaves more than this share of the others."""
SLOW_ROUND = 0.95
"""A round that leaves more than this share of the pairs open is the last one."""
MAX_COMPARISONS = 2**23
"""Comparisons that a list may need whatever the number of boxes; each may be a pair to store."""


def kept_boxes(
    table: Float[Tensor, "5 N"], group: Int64[Tensor, " N"], groups: int, threshold: float
) -> Bool[Tensor, " N"]:
    """Whether to keep each box, of boxes by descending score that have an area.

    The first block shows whether boxes are dense. For boxes of several groups pairs are listed
    first.
    """
    if len(group) <= SINGLE_BLOCK:
        return suppress_by_block(table, group, groups, threshold, SINGLE_BLOCK)
    keep = torch.ones_like(group, dtype=torch.bool)
    left = torch.arange(len(group), device=group.device)  # boxes not decided yet
    dense = groups == 1
    try_pairs_below = len(left)
    while len(left):
        if not dense and len(left) <= try_pairs_below:
            layout = sort_into_strips(table, group, groups)
            if layout.comparisons() <= comparison_limit(len(left)):
                pairs = overlapping_pairs(table, layout, threshold)
                keep[left] = suppress_by_pairs(*pairs, len(left))
                break
            try_pairs_below = len(left) // 2
        remaining = suppress_by_block(table, group, groups, threshold, BLOCK_SIZE)
        keep[left[~remaining]] = False
        remaining[:BLOCK_SIZE] = False  # those are decided
        dense = int(remaining.sum()) < DENSE_SHARE * (len(left) - BLOCK_SIZE)
        left, table, group = left[remaining], table[:, remaining], group[remaining]
    return keep


def comparison_limit(boxes: int) -> int:
    """Limit of comparisons below which a list costs less than blocks, and fits in memory."""
    return min(boxes * boxes // 8, max(MAX_COMPARISONS, 128 * boxes))


def suppress_by_block(
    table: Float[Tensor, "5 N"],
    group: Int64[Tensor, " N"],
    groups: int,
    threshold: float,
    block: int,
) -> Bool[Tensor, " N"]:
    """Decide the first ``block`` boxes; return whether each box survives those that are kept."""
    head = slice(0, block)
    in_head = iou_in_groups(table, group, groups, head, head)
    first, second = (in_head.triu_(1) > threshold).nonzero().unbind(1)
    in_block = suppress_by_pairs(first, second, len(group[head]))
    kept = in_block.nonzero()[:, 0]
    max_iou = [
        iou_in_groups(table, group, groups, kept, slice(start, start + COLUMNS)).amax(0)
        for start in range(block, len(group), COLUMNS)
    ]
    return torch.cat([in_block, *(w <= threshold for w in max_iou)])


def iou_in_groups(
    table: Float[Tensor, "5 N"],
    group: Int64[Tensor, " N"],
    groups: int,
    first: slice | Tensor,
    second: slice,
) -> Float[Tensor, "A B"]:
    """IoU of each of the first boxes with each of the second; 0 for boxes of different groups."""
    overlap = iou(table[:, first, None], table[:, None, second])
    if groups == 1:
        return overlap
    return overlap.masked_fill_(group[first, None] != group[second], 0)


def suppress_by_pairs(
    first: Int64[Tensor, " P"], second: Int64[Tensor, " P"], boxes: int
) -> Bool[Tensor, " N"]:
    """Whether to keep each box, where ``first`` suppresses ``second`` if it is kept itself.

    In rounds: a box that no undecided box suppresses is kept, and what it suppresses is removed.
    Pairs with a removed box are dropped. In a long chain, whose boxes overlap only the next ones, a
    round would decide a single box; the pairs that are then left are taken one after another.
    """
    keep = torch.ones(boxes, dtype=torch.bool, device=first.device)
    while pairs := len(first):
        free = torch.ones_like(keep)
        free[second] = False
        keep[second[free[first]]] = False
        open_pairs = (keep[first] & keep[second]).nonzero()[:, 0]
        first, second = first[open_pairs], second[open_pairs]
        if len(first) > SLOW_ROUND * pairs:
            return suppress_one_by_one(keep, first, second)
    return keep


def suppress_one_by_one(
    keep: Bool[Tensor, " N"], first: Int64[Tensor, " P"], second: Int64[Tensor, " P"]
) -> Bool[Tensor, " N"]:
    """Go through pairs by descending score of ``first``, whose fate is then decided."""
    order = first.argsort()
    kept = keep.tolist()
    for better, worse in zip(first[order].tolist(), second[order].tolist(), strict=True):
        if kept[better]:
            kept[worse] = False
    return torch.tensor(kept, device=keep.device)
