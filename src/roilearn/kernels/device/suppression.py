"""NMS: one kernel finds all overlapping pairs, a second suppresses in order of score.

Boxes are sorted by descending score. The boxes further down that overlap a box by more than the
threshold are a row of bits, 32 to a word. The second kernel is a single program with one bit for
each box that has been removed. It goes through the words: first the boxes of one word suppress each
other, then those that are kept remove the boxes of later words that overlap them.
"""

import triton
import triton.language as tl

WORD_BITS = tl.constexpr(32)


@triton.jit
def has_area(x1, y1, x2, y2):
    """Whether a box has a positive, finite area. Others overlap nothing."""
    area = (x2 - x1) * (y2 - y1)
    return (x2 > x1) & (y2 > y1) & (area > 0) & (area < float("inf"))


@triton.jit
def find_overlapping_pairs(
    boxes,
    groups,
    overlap_bits,
    num_boxes,
    words_per_box,
    threshold,
    GROUPED: tl.constexpr,
    BLOCK_ROWS: tl.constexpr,
):
    """Write a word for each of ``BLOCK_ROWS`` boxes: which of 32 boxes overlap it too much."""
    first_row, first_column = tl.program_id(0) * BLOCK_ROWS, tl.program_id(1) * WORD_BITS
    if first_column + WORD_BITS > first_row:  # words before a box's own are never read
        row, column = first_row + tl.arange(0, BLOCK_ROWS), first_column + tl.arange(0, WORD_BITS)
        row_mask, column_mask = row < num_boxes, column < num_boxes
        x1 = tl.load(boxes + row * 4, mask=row_mask, other=0.0)[:, None]
        y1 = tl.load(boxes + row * 4 + 1, mask=row_mask, other=0.0)[:, None]
        x2 = tl.load(boxes + row * 4 + 2, mask=row_mask, other=0.0)[:, None]
        y2 = tl.load(boxes + row * 4 + 3, mask=row_mask, other=0.0)[:, None]
        u1 = tl.load(boxes + column * 4, mask=column_mask, other=0.0)[None, :]
        v1 = tl.load(boxes + column * 4 + 1, mask=column_mask, other=0.0)[None, :]
        u2 = tl.load(boxes + column * 4 + 2, mask=column_mask, other=0.0)[None, :]
        v2 = tl.load(boxes + column * 4 + 3, mask=column_mask, other=0.0)[None, :]
        overlap_width = tl.maximum(tl.minimum(x2, u2) - tl.maximum(x1, u1), 0.0)
        overlap_height = tl.maximum(tl.minimum(y2, v2) - tl.maximum(y1, v1), 0.0)
        intersection = overlap_width * overlap_height
        union = (x2 - x1) * (y2 - y1) + (u2 - u1) * (v2 - v1) - intersection
        both_have_area = has_area(x1, y1, x2, y2) & has_area(u1, v1, u2, v2)
        overlaps = both_have_area & (
            tl.div_rn(intersection, tl.where(both_have_area, union, 1.0)) > threshold
        )
        if GROUPED:
            row_groups = tl.load(groups + row, mask=row_mask, other=0)[:, None]
            overlaps &= row_groups == tl.load(groups + column, mask=column_mask, other=0)[None, :]
        overlaps &= column[None, :] > row[:, None]
        bits = tl.where(overlaps, 1 << tl.arange(0, WORD_BITS)[None, :], 0)
        place = overlap_bits + row.to(tl.int64) * words_per_box + tl.program_id(1)
        tl.store(place, tl.sum(bits, 1), mask=row_mask)


@triton.jit
def suppress(overlap_bits, kept, num_boxes, words_per_box, BLOCK_WORDS: tl.constexpr):
    """Write 1 for each box that is kept and 0 for each that is removed, all in one program."""
    column, lane = tl.arange(0, BLOCK_WORDS), tl.arange(0, WORD_BITS)
    removed = tl.zeros((BLOCK_WORDS,), tl.int32)
    for word in range(words_per_box):
        word_removed = tl.sum(tl.where(column == word, removed, 0), 0)
        for bit in tl.static_range(WORD_BITS):
            row = word * WORD_BITS + bit
            own_bits = tl.load(
                overlap_bits + row.to(tl.int64) * words_per_box + word,
                mask=row < num_boxes,
                other=0,
            )
            word_removed |= tl.where(((word_removed >> bit) & 1) == 0, own_bits, 0)
        box = word * WORD_BITS + lane
        tl.store(kept + box, ((word_removed >> lane) & 1) ^ 1, mask=box < num_boxes)
        for bit in tl.static_range(WORD_BITS):
            row = word * WORD_BITS + bit
            reads = (
                (column > word)
                & (column < words_per_box)
                & (row < num_boxes)
                & (((word_removed >> bit) & 1) == 0)
            )
            removed |= tl.load(
                overlap_bits + row.to(tl.int64) * words_per_box + column, mask=reads, other=0
            )
