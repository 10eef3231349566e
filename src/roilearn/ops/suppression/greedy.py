"""Greedy suppression of boxes by descending score, for many boxes at once.

The loop of greedy NMS takes one box after another. It needs to know which pairs of boxes overlap by
more than the threshold, and there are two ways to find that for many boxes at once. Where a box
overlaps few others, all pairs are listed (``overlapping_pairs.py``). Where many boxes lie on top of
each other the list would be long, but few boxes are kept: the best boxes are decided as a block,
and what they suppress is dropped before the next block.

The work is done in NumPy, whose operations on a few hundred numbers take a third of the time of
PyTorch's and never start threads: threads that wait for each other are slow on a busy machine.
"""

import itertools

import numpy as np
from jaxtyping import Bool, Float, Int64
from numpy import ndarray

from roilearn.ops.suppression.overlapping_pairs import iou, overlapping_pairs, sort_into_strips

FIRST_BLOCK = 64
"""Boxes of the first block."""
SMALLEST_BLOCK = 48
"""Boxes of a later block where few are kept: a smaller one takes as long."""
LARGEST_BLOCK = 192
"""Boxes of a block where most of them are kept."""
LAST_BLOCK = 128
"""Up to this number, all boxes that are left are one block: two would take as long in all."""
PAIRS_AT_ONCE = 2**15
"""Pairs of a block with other boxes that are compared at once, so that they stay in the cache."""
BOXES_PER_GROUP = 160
"""Groups that are larger on average are suppressed one after the other, smaller ones as a list."""
FEW_BOXES = 1024
"""Up to this number of boxes, groups are decided in common blocks."""
BOXES_PER_FEW_GROUPS = 16
"""Of few boxes, groups that are smaller on average are suppressed as a list."""
LISTING = 200
"""Sorting a box into strips costs as much as this number of comparisons in a block."""
LISTED_PAIR = 8
"""A comparison in a list costs as much as this number of comparisons in a block."""
MAX_COMPARISONS = 2**23
"""Comparisons that a list may need whatever the number of boxes; each may be a pair to store."""


def kept_boxes(
    table: Float[ndarray, "5 N"], group: Int64[ndarray, " N"], groups: int, threshold: float
) -> Bool[ndarray, " N"]:
    """Whether to keep each box, of boxes by descending score that have an area."""
    boxes = len(group)
    if groups == 1:
        return keep_by_blocks(table, None, threshold)
    if boxes <= LAST_BLOCK or BOXES_PER_FEW_GROUPS * groups <= boxes <= FEW_BOXES:
        return keep_by_blocks(table, group, threshold)
    if boxes < BOXES_PER_GROUP * groups:
        layout = sort_into_strips(table, group, groups)
        if layout.comparisons() <= comparison_limit(boxes):
            return suppress_by_pairs(*overlapping_pairs(table, layout, threshold), boxes)
    by_group = group.argsort(kind="stable")
    ends = group[by_group].searchsorted(np.arange(1, groups))
    keep = np.empty(boxes, np.bool_)
    for members in np.split(by_group, ends):
        keep[members] = keep_by_blocks(table[:, members], None, threshold)
    return keep


def keep_by_blocks(
    table: Float[ndarray, "5 N"], group: Int64[ndarray, " N"] | None, threshold: float
) -> Bool[ndarray, " N"]:
    """Whether to keep each box; without groups all boxes may suppress each other.

    Each block tells what the others would cost in the same way. Without groups a list is tried
    where it costs less, and again once half of the boxes are decided.
    """
    keep = np.zeros(table.shape[1], np.bool_)
    left = np.arange(len(keep))  # boxes not decided yet
    try_list_below = len(left) if group is None else 0
    block = FIRST_BLOCK
    while len(left):
        if len(left) <= LAST_BLOCK:
            block = len(left)
        in_block, survives = suppress_by_block(table, group, threshold, block)
        keep[left[:block][in_block]] = True
        if block >= len(left):
            break
        open_boxes = block + np.flatnonzero(survives)
        left, table = left.take(open_boxes), table.take(open_boxes, axis=1)
        group = None if group is None else group.take(open_boxes)
        kept = int(np.count_nonzero(in_block))
        block = min(max(4 * kept, SMALLEST_BLOCK), LARGEST_BLOCK)
        cost = cost_of_blocks(kept, len(survives), len(left), block)
        if len(left) <= try_list_below and cost > LISTING * len(left):
            layout = sort_into_strips(table, np.zeros(len(left), np.int64), 1)
            comparisons = layout.comparisons()
            if LISTED_PAIR * comparisons <= cost and comparisons <= comparison_limit(len(left)):
                pairs = overlapping_pairs(table, layout, threshold)
                keep[left] = suppress_by_pairs(*pairs, len(left))
                break
            try_list_below = len(left) // 2
    return keep


def cost_of_blocks(kept: int, others: int, left: int, block: int) -> float:
    """Estimate the comparisons of all further blocks, if each is like the last one.

    Parameters
    ----------
    kept : boxes of the last block that were kept.
    others, left : boxes outside it, before and after they were compared with it.
    block : boxes of the next block.
    """
    blocks = left / block
    if left < others:  # each block leaves this share of the others, and the shares are multiplied
        blocks = min(blocks, others / (others - left))
    return kept * left * blocks / 2


def comparison_limit(boxes: int) -> int:
    """Limit of comparisons below which a list of pairs fits in memory."""
    return max(MAX_COMPARISONS, 128 * boxes)


def suppress_by_block(
    table: Float[ndarray, "5 N"],
    group: Int64[ndarray, " N"] | None,
    threshold: float,
    block: int,
) -> tuple[Bool[ndarray, " B"], Bool[ndarray, " R"]]:
    """Decide the first boxes, ``block`` of them, and which of the rest survive those that are kept.

    A kept box overlaps no kept box before it, so the rows of the boxes before it need no zeros.
    """
    apart = are_apart(table, group, threshold, slice(0, block), slice(0, block))
    apart.reshape(-1)[:: len(apart) + 1] = True  # the diagonal
    in_block = np.ones(len(apart), np.bool_)
    for better in np.flatnonzero(~apart.all(1)).tolist():
        if in_block[better]:
            in_block &= apart[better]
    survives = np.ones(table.shape[1] - len(apart), np.bool_)
    kept = np.flatnonzero(in_block)
    columns = max(PAIRS_AT_ONCE // len(kept), 1)
    for start in range(0, len(survives), columns):
        part = slice(block + start, block + start + columns)
        survives[start : start + columns] = are_apart(table, group, threshold, kept, part).all(0)
    return in_block, survives


def are_apart(
    table: Float[ndarray, "5 N"],
    group: Int64[ndarray, " N"] | None,
    threshold: float,
    first: Int64[ndarray, " A"] | slice,
    second: slice,
) -> Bool[ndarray, "A B"]:
    """Whether each of the first boxes leaves each of the second: small IoU, or another group."""
    apart = iou(table[:, first, None], table[:, None, second]) <= threshold
    if group is not None:
        apart |= group[first, None] != group[second]
    return apart


def suppress_by_pairs(
    first: Int64[ndarray, " P"], second: Int64[ndarray, " P"], boxes: int
) -> Bool[ndarray, " N"]:
    """Whether to keep each box, where ``first`` suppresses ``second`` if it is kept itself.

    Pairs are taken by descending score of ``first``, whose fate is then decided.
    """
    keep = np.ones(boxes, np.bool_)
    order = first.argsort(kind="stable")
    first, second = first[order], second[order]
    edges = np.flatnonzero(np.diff(first, prepend=-1, append=boxes)).tolist()
    for start, end in itertools.pairwise(edges):
        better = first[start]
        if keep[better]:
            keep[second[start:end]] = False
    return keep
