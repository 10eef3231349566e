"""Overlapping pairs: the pairs of boxes with an IoU above a threshold, without comparing them all.

Boxes are sorted into horizontal strips of the image, and within a strip by their left edge. The
boxes that a box can overlap then follow it directly, up to the first box that begins at its right
edge or beyond. Only these are compared with it.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64
from numpy import ndarray

PAIRS_AT_ONCE = 2**15
"""Pairs that are compared at once, so that their numbers stay in the cache."""
BOXES_PER_STRIP = 64
"""Boxes that a strip should hold on average: more strips would cost more than they save."""


class StripLayout(NamedTuple):
    """Boxes by group, strip and left edge. A box has an entry in every strip that it overlaps."""

    box: Int64[ndarray, " M"]  # index of the box of each entry
    behind: Int64[ndarray, " M"]  # following entries of its strip that begin before it ends

    def comparisons(self) -> int:
        """Count the pairs that ``overlapping_pairs`` would compare."""
        return int(self.behind.sum())


def box_table(boxes: Float[ndarray, "N 4"]) -> Float[ndarray, "5 N"]:
    """Columns x1, y1, x2, y2 and area."""
    table = np.empty((5, len(boxes)), boxes.dtype)
    table[:4] = boxes.T
    np.multiply(table[2] - table[0], table[3] - table[1], out=table[4])
    return table


def iou(first: Float[ndarray, "5 *#A"], second: Float[ndarray, "5 *#A"]) -> Float[ndarray, "*A"]:
    """Intersection over union of parts of a table: torchvision's arithmetic, step by step."""
    intersection = np.minimum(first[2], second[2])
    intersection -= np.maximum(first[0], second[0])
    np.maximum(intersection, 0, out=intersection)
    height = np.minimum(first[3], second[3])
    height -= np.maximum(first[1], second[1])
    np.maximum(height, 0, out=height)
    intersection *= height
    union = np.add(first[4], second[4], out=height)
    union -= intersection
    intersection /= union
    return intersection


def sort_into_strips(
    table: Float[ndarray, "5 N"], group: Int64[ndarray, " N"], groups: int
) -> StripLayout:
    """Sort boxes that have an area into strips, each group separately.

    Left edges are sorted once. From there on their ranks stand for them, because adding a group or
    a strip to a coordinate would round it.
    """
    by_edge = table[0].argsort()
    table = table.take(by_edge, axis=1)
    top, bottom = strip_range(table, table.shape[1] // groups // BOXES_PER_STRIP)
    strip_count = bottom - top + 1
    rank = np.arange(len(top)).repeat(strip_count)  # [M]
    entry = np.arange(1, len(rank) + 1)
    below = entry - 1 - (strip_count.cumsum() - strip_count).take(rank)
    strip = top.take(rank) + below
    step = table.shape[1] + 1  # more than any rank, and than any strip
    strip += group.take(by_edge).take(rank) * step
    place = np.sort(strip * step + rank)  # by strip, then by left edge; no two are the same
    rank = place % step
    end = table[0].searchsorted(table[2]).take(rank)  # also a rank
    behind = place.searchsorted(place - rank + end) - entry
    return StripLayout(by_edge.take(rank), behind)


def strip_range(
    table: Float[ndarray, "5 N"], max_strips: int
) -> tuple[Int64[ndarray, " N"], Int64[ndarray, " N"]]:
    """First and last strip of each box: strips are at least as high as the average box."""
    y1, y2 = table[1].astype(np.float64), table[3].astype(np.float64)
    low = y1.min()
    span = y2.max() - low
    number = int(max(min(max_strips, span / (y2 - y1).mean()), 1))
    # Rounding is monotonic in y, so that boxes that overlap always share a strip.
    top, bottom = (((y - low) * (number / span)).astype(np.int64) for y in (y1, y2))
    return top, bottom


def overlapping_pairs(
    table: Float[ndarray, "5 N"], layout: StripLayout, threshold: float
) -> tuple[Int64[ndarray, " P"], Int64[ndarray, " P"]]:
    """Pairs with an intersection over union above ``threshold``: lower index, higher index.

    A pair that shares several strips is listed once for each.
    """
    entries = table.take(layout.box, axis=1)
    behind = layout.behind
    stops = behind.cumsum()
    found = [np.empty((2, 0), np.int64)]
    start = 0
    while start < len(behind):
        before = stops[start] - behind[start]
        stop = max(int(stops.searchsorted(before + PAIRS_AT_ONCE, "right")), start + 1)
        count = behind[start:stop]
        first = np.arange(start, stop).repeat(count)
        second = np.arange(1, len(first) + 1) + (
            first - (stops.take(first) - behind.take(first) - before)
        )
        above = iou(entries.take(first, axis=1), entries.take(second, axis=1)) > threshold
        found.append(np.stack([first[above], second[above]]))
        start = stop
    first, second = layout.box[np.concatenate(found, 1)]
    return np.minimum(first, second), np.maximum(first, second)
