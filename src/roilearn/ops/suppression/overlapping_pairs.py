"""Overlapping pairs: the pairs of boxes with an IoU above a threshold, without comparing them all.

Boxes are sorted into horizontal strips of the image, and within a strip by their left edge. The
boxes that a box can overlap then follow it directly, up to the first box that begins at its right
edge or beyond. Windows of such neighbours are views of one table, so no pair is copied.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

BLOCK_ROWS = 1024
"""Entries of a layout that are compared at once, each with a window of those that follow it."""
BOXES_PER_STRIP = 64
"""Boxes that a strip should hold on average: more strips would cost more than they save."""


class StripLayout(NamedTuple):
    """Boxes by group, strip and left edge. A box has an entry in every strip that it overlaps."""

    box: Int64[Tensor, " M"]  # index of the box of each entry
    behind: Int64[Tensor, " M"]  # following entries of its strip that begin before it ends
    windows: list[int]  # the largest ``behind`` of each BLOCK_ROWS entries

    def comparisons(self) -> int:
        """Count the pairs that ``overlapping_pairs`` would compare."""
        return BLOCK_ROWS * sum(self.windows)


def box_table(boxes: Float[Tensor, "N 4"]) -> Float[Tensor, "5 N"]:
    """Columns x1, y1, x2, y2 and area."""
    x1, y1, x2, y2 = boxes.unbind(1)
    return torch.stack([x1, y1, x2, y2, (x2 - x1) * (y2 - y1)])


def iou(first: Float[Tensor, "5 #R #W"], second: Float[Tensor, "5 #R #W"]) -> Float[Tensor, "R W"]:
    """Intersection over union of parts of a table: torchvision's arithmetic, step by step."""
    width = torch.minimum(first[2], second[2]).sub_(torch.maximum(first[0], second[0]))
    height = torch.minimum(first[3], second[3]).sub_(torch.maximum(first[1], second[1]))
    intersection = width.clamp_(min=0).mul_(height.clamp_(min=0))
    return intersection.div_((first[4] + second[4]).sub_(intersection))


def sort_into_strips(
    table: Float[Tensor, "5 N"], group: Int64[Tensor, " N"], groups: int
) -> StripLayout:
    """Sort boxes that have an area into strips, each group separately.

    Left edges are sorted once. From there on their ranks stand for them, because adding a group or
    a strip to a coordinate would round it.
    """
    x1, by_edge = table[0].sort()
    table = table.index_select(1, by_edge)
    top, bottom = strip_range(table, table.shape[1] // groups // BOXES_PER_STRIP)
    strip_count = bottom - top + 1
    rank = torch.repeat_interleave(strip_count)  # [M]
    entry = torch.arange(1, len(rank) + 1, device=rank.device)
    below = entry - 1 - (strip_count.cumsum(0) - strip_count).index_select(0, rank)
    strip = top.index_select(0, rank) + below
    step = table.shape[1] + 1  # more than any rank, and than any strip
    strip += group.index_select(0, by_edge.index_select(0, rank)) * step
    strip, by_strip = strip.sort(stable=True)
    rank = rank.index_select(0, by_strip)
    end = torch.searchsorted(x1, table[2]).index_select(0, rank)  # also a rank
    behind = torch.searchsorted(strip * step + rank, strip * step + end) - entry
    blocks = torch.nn.functional.pad(behind, (0, -len(behind) % BLOCK_ROWS)).view(-1, BLOCK_ROWS)
    return StripLayout(by_edge.index_select(0, rank), behind, blocks.amax(1).tolist())


def strip_range(
    table: Float[Tensor, "5 N"], max_strips: int
) -> tuple[Int64[Tensor, " N"], Int64[Tensor, " N"]]:
    """First and last strip of each box: strips are at least as high as the average box."""
    y1, y2 = table[1].double(), table[3].double()
    low, span = y1.min(), y2.max() - y1.min()
    number = int(max(min(max_strips, float(span / (y2 - y1).mean())), 1))
    # Rounding is monotonic in y, so that boxes that overlap always share a strip.
    top, bottom = (((y - low) * (number / span)).nan_to_num(0, 0).long() for y in (y1, y2))
    return top, bottom


def overlapping_pairs(
    table: Float[Tensor, "5 N"], layout: StripLayout, threshold: float
) -> tuple[Int64[Tensor, " P"], Int64[Tensor, " P"]]:
    """Pairs with an intersection over union above ``threshold``: lower index, higher index.

    A pair that shares several strips is listed once for each.
    """
    entries = torch.nn.functional.pad(table.index_select(1, layout.box), (0, max(layout.windows)))
    found = [layout.box.new_zeros(2, 0)]
    for number, window in enumerate(layout.windows):
        if not window:
            continue
        start = number * BLOCK_ROWS
        behind = layout.behind[start : start + BLOCK_ROWS]
        stop = start + len(behind)
        others = entries[:, start + 1 : stop + window].unfold(1, window, 1)  # [5, rows, window]
        above = iou(entries[:, start:stop, None], others) > threshold
        row, place = above.nonzero().unbind(1)
        in_strip = place < behind.index_select(0, row)
        found.append(torch.stack([start + row, start + row + 1 + place])[:, in_strip])
    first, second = layout.box[torch.cat(found, 1)]
    return torch.minimum(first, second), torch.maximum(first, second)
