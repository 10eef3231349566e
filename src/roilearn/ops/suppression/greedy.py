"""Which boxes stay, of many boxes by descending score: the loop, some hundred boxes at a time.

The loop asks one box after another. What it has to know is which pairs overlap too much, and
there are two ways to learn that for many boxes at once. Where a box meets few others, list the
pairs (``nms_pairs``). Where boxes lie in heaps the list would be long, but few boxes stay: suppress_by_pairs
the best ones as a block, and drop what they suppress before the next. A few hundred boxes are one
block.
"""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from roilearn.ops.suppression.overlapping_pairs import iou, overlapping_pairs, sort_into_strips

BLOCK_SIZE = 192
"""Boxes settled at once where boxes lie in heaps."""
SINGLE_BLOCK = 512
"""Boxes up to which all are settled at once: to look for less work would be more work."""
COLUMNS = 4096
"""Boxes that a block is compared with at once, so that the comparison stays in the cache."""
DENSE_SHARE = 0.8
"""Share of the boxes that a block leaves above which boxes do not lie in heaps."""
MAX_COMPARISONS = 2**23
"""Comparisons that are listed whatever the number of boxes; each may be a pair to remember."""


def kept_boxes(
    table: Float[Tensor, "5 N"], group: Int64[Tensor, " N"], groups: int, threshold: float
) -> Bool[Tensor, " N"]:
    """Whether each box stays, of boxes by descending score that have an area.

    The first block says whether boxes lie in heaps. Those of several groups are listed first.
    """
    if len(group) <= SINGLE_BLOCK:
        return suppress_by_block(table, group, groups, threshold, SINGLE_BLOCK)
    stays = torch.ones_like(group, dtype=torch.bool)
    left = torch.arange(len(group), device=group.device)  # boxes still in question
    heaps = groups == 1
    look_below = len(left)
    while len(left):
        if not heaps and len(left) <= look_below:
            layout = sort_into_strips(table, group, groups)
            if layout.comparisons() <= comparison_limit(len(left)):
                pairs = overlapping_pairs(table, layout, threshold)
                stays[left] = suppress_by_pairs(*pairs, len(left))
                break
            look_below = len(left) // 2
        alive = suppress_by_block(table, group, groups, threshold, BLOCK_SIZE)
        stays[left[~alive]] = False
        alive[:BLOCK_SIZE] = False  # those are settled
        heaps = int(alive.sum()) < DENSE_SHARE * (len(left) - BLOCK_SIZE)
        left, table, group = left[alive], table[:, alive], group[alive]
    return stays


def comparison_limit(boxes: int) -> int:
    """Up to how many comparisons a list costs less than blocks, and memory allows it."""
    return min(boxes * boxes // 8, max(MAX_COMPARISONS, 128 * boxes))


def suppress_by_block(
    table: Float[Tensor, "5 N"],
    group: Int64[Tensor, " N"],
    groups: int,
    threshold: float,
    block: int,
) -> Bool[Tensor, " N"]:
    """Settle the first ``block`` boxes; whether each box is left by those of them that stay."""

    def above(first: slice | Tensor, second: slice) -> Float[Tensor, "A B"]:
        overlap = iou(table[:, first, None], table[:, None, second])
        if groups == 1:
            return overlap
        return overlap.masked_fill_(group[first, None] != group[second], 0)

    head = slice(0, block)
    first, second = (above(head, head).triu_(1) > threshold).nonzero().unbind(1)
    in_block = suppress_by_pairs(first, second, len(group[head]))
    winners = in_block.nonzero()[:, 0]
    worst = [
        above(winners, slice(start, start + COLUMNS)).amax(0)
        for start in range(block, len(group), COLUMNS)
    ]
    return torch.cat([in_block, *(w <= threshold for w in worst)])


def suppress_by_pairs(
    first: Int64[Tensor, " P"], second: Int64[Tensor, " P"], boxes: int
) -> Bool[Tensor, " N"]:
    """Whether each box stays, where ``first`` suppresses ``second`` if it stays itself.

    In rounds: a box that nothing in question suppresses stays, what it suppresses goes, and pairs
    of which one has gone are done. Each round settles at least the best box in question.
    """
    stays = torch.ones(boxes, dtype=torch.bool, device=first.device)
    while len(first):
        free = torch.ones_like(stays)
        free[second] = False
        stays[second[free[first]]] = False
        in_question = (stays[first] & stays[second]).nonzero()[:, 0]
        first, second = first[in_question], second[in_question]
    return stays
