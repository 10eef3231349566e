"""Which pairs of many boxes overlap by more than a threshold, without looking at every pair.

Boxes are laid out in strips across the image, and within a strip by their left edge. What a box
can overlap then lies right behind it, up to the first box that begins where it ends. Windows of
neighbours are views of one table, so pairs are compared without being gathered.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

ROWS_AT_ONCE = 1024
"""Entries of a layout that are compared at once, each with a window of those behind it."""
BOXES_PER_STRIP = 64
"""Boxes that a strip should hold at least, to be worth having."""


class StripLayout(NamedTuple):
    """Boxes by group, strip and left edge. A box is entered into every strip that it reaches."""

    box: Int64[Tensor, " M"]  # its index
    behind: Int64[Tensor, " M"]  # entries behind it, in its strip, that begin before it ends
    windows: list[int]  # the largest ``behind`` of each ROWS_AT_ONCE entries

    def comparisons(self) -> int:
        """Pairs that ``overlapping_pairs`` would compare."""
        return ROWS_AT_ONCE * sum(self.windows)


def box_table(boxes: Float[Tensor, "N 4"]) -> Float[Tensor, "5 N"]:
    """Columns x1, y1, x2, y2 and area."""
    x1, y1, x2, y2 = boxes.unbind(1)
    return torch.stack([x1, y1, x2, y2, (x2 - x1) * (y2 - y1)])


def iou(first: Float[Tensor, "5 #R #W"], second: Float[Tensor, "5 #R #W"]) -> Float[Tensor, "R W"]:
    """Intersection over union of parts of a table: torchvision's arithmetic, step by step."""
    width = torch.minimum(first[2], second[2]).sub_(torch.maximum(first[0], second[0]))
    height = torch.minimum(first[3], second[3]).sub_(torch.maximum(first[1], second[1]))
    shared = width.clamp_(min=0).mul_(height.clamp_(min=0))
    return shared.div_((first[4] + second[4]).sub_(shared))


def sort_into_strips(
    table: Float[Tensor, "5 N"], group: Int64[Tensor, " N"], groups: int
) -> StripLayout:
    """Enter boxes that have an area into strips, those of each group apart.

    Left edges are compared once, as they are. From there on their ranks stand for them: to add a
    class or a strip to a coordinate would round it.
    """
    x1, by_edge = table[0].sort()
    table = table.index_select(1, by_edge)
    top, bottom = strip_range(table, table.shape[1] // groups // BOXES_PER_STRIP)
    reach = bottom - top + 1
    rank = torch.repeat_interleave(reach)  # [M]
    entry = torch.arange(1, len(rank) + 1, device=rank.device)
    below = entry - 1 - (reach.cumsum(0) - reach).index_select(0, rank)
    strip = top.index_select(0, rank) + below
    step = table.shape[1] + 1  # more than any rank, and than any strip
    strip += group.index_select(0, by_edge.index_select(0, rank)) * step
    strip, by_strip = strip.sort(stable=True)
    rank = rank.index_select(0, by_strip)
    end = torch.searchsorted(x1, table[2]).index_select(0, rank)  # a rank, too
    behind = torch.searchsorted(strip * step + rank, strip * step + end) - entry
    blocks = torch.nn.functional.pad(behind, (0, -len(behind) % ROWS_AT_ONCE)).view(
        -1, ROWS_AT_ONCE
    )
    return StripLayout(by_edge.index_select(0, rank), behind, blocks.amax(1).tolist())


def strip_range(
    table: Float[Tensor, "5 N"], most: int
) -> tuple[Int64[Tensor, " N"], Int64[Tensor, " N"]]:
    """First and last strip of each box: strips as high as a box on average, or higher."""
    y1, y2 = table[1].double(), table[3].double()
    low, span = y1.min(), y2.max() - y1.min()
    number = int(max(min(most, float(span / (y2 - y1).mean())), 1))
    # However this rounds, a lower edge never falls into a higher strip: boxes that meet share one.
    top, bottom = (((y - low) * (number / span)).nan_to_num(0, 0).long() for y in (y1, y2))
    return top, bottom


def overlapping_pairs(
    table: Float[Tensor, "5 N"], layout: StripLayout, threshold: float
) -> tuple[Int64[Tensor, " P"], Int64[Tensor, " P"]]:
    """Pairs with an intersection over union above ``threshold``: lower index, higher index.

    A pair that shares several strips is named once for each.
    """
    entries = torch.nn.functional.pad(table.index_select(1, layout.box), (0, max(layout.windows)))
    found = [layout.box.new_zeros(2, 0)]
    for number, window in enumerate(layout.windows):
        if not window:
            continue
        start = number * ROWS_AT_ONCE
        behind = layout.behind[start : start + ROWS_AT_ONCE]
        stop = start + len(behind)
        others = entries[:, start + 1 : stop + window].unfold(
            1, window, 1
        )  # [5, ROWS_AT_ONCE, window]
        above = iou(entries[:, start:stop, None], others) > threshold
        row, place = above.nonzero().unbind(1)
        in_strip = place < behind.index_select(0, row)
        found.append(torch.stack([start + row, start + row + 1 + place])[:, in_strip])
    first, second = layout.box[torch.cat(found, 1)]
    return torch.minimum(first, second), torch.maximum(first, second)
