"""Suppression on a GPU: all pairs at once, then the boxes one after another in a single program.

Boxes stand by descending score. Which of those behind a box overlap it too much is a row of bits,
32 to a word. The second launch keeps a bit for every box that is gone and goes through the words:
the boxes of one word settle among themselves, then all that stay drop what their rows name.
"""

import triton
import triton.language as tl

WORD = tl.constexpr(32)


@triton.jit
def solid(x1, y1, x2, y2):
    """Whether a box has an area that is a number. Others overlap nothing."""
    area = (x2 - x1) * (y2 - y1)
    return (x2 > x1) & (y2 > y1) & (area > 0) & (area < float("inf"))


@triton.jit
def mark_pairs(
    boxes,
    group,
    words,
    number,
    width,
    threshold,
    GROUPED: tl.constexpr,
    ROWS: tl.constexpr,
):
    """Write a word for each of ``ROWS`` boxes: which of 32 boxes behind it overlap it too much."""
    first_row, first_column = tl.program_id(0) * ROWS, tl.program_id(1) * WORD
    if first_column + WORD > first_row:  # nobody reads words before a box's own
        row, column = first_row + tl.arange(0, ROWS), first_column + tl.arange(0, WORD)
        row_there, column_there = row < number, column < number
        x1 = tl.load(boxes + row * 4, mask=row_there, other=0.0)[:, None]
        y1 = tl.load(boxes + row * 4 + 1, mask=row_there, other=0.0)[:, None]
        x2 = tl.load(boxes + row * 4 + 2, mask=row_there, other=0.0)[:, None]
        y2 = tl.load(boxes + row * 4 + 3, mask=row_there, other=0.0)[:, None]
        u1 = tl.load(boxes + column * 4, mask=column_there, other=0.0)[None, :]
        v1 = tl.load(boxes + column * 4 + 1, mask=column_there, other=0.0)[None, :]
        u2 = tl.load(boxes + column * 4 + 2, mask=column_there, other=0.0)[None, :]
        v2 = tl.load(boxes + column * 4 + 3, mask=column_there, other=0.0)[None, :]
        wide = tl.maximum(tl.minimum(x2, u2) - tl.maximum(x1, u1), 0.0)
        high = tl.maximum(tl.minimum(y2, v2) - tl.maximum(y1, v1), 0.0)
        shared = wide * high
        total = (x2 - x1) * (y2 - y1) + (u2 - u1) * (v2 - v1) - shared
        meets = solid(x1, y1, x2, y2) & solid(u1, v1, u2, v2)
        above = meets & (tl.div_rn(shared, tl.where(meets, total, 1.0)) > threshold)
        if GROUPED:
            of_row = tl.load(group + row, mask=row_there, other=0)[:, None]
            above &= of_row == tl.load(group + column, mask=column_there, other=0)[None, :]
        above &= column[None, :] > row[:, None]
        bits = tl.where(above, 1 << tl.arange(0, WORD)[None, :], 0)
        place = words + row.to(tl.int64) * width + tl.program_id(1)
        tl.store(place, tl.sum(bits, 1), mask=row_there)


@triton.jit
def settle(words, stays, number, width, WIDTH: tl.constexpr):
    """Write 1 for each box that stays and 0 for each that goes; one program does it all."""
    column, lane = tl.arange(0, WIDTH), tl.arange(0, WORD)
    gone = tl.zeros((WIDTH,), tl.int32)
    for word in range(width):
        here = tl.sum(tl.where(column == word, gone, 0), 0)
        for bit in tl.static_range(WORD):
            row = word * WORD + bit
            own = tl.load(words + row.to(tl.int64) * width + word, mask=row < number, other=0)
            here |= tl.where(((here >> bit) & 1) == 0, own, 0)
        box = word * WORD + lane
        tl.store(stays + box, ((here >> lane) & 1) ^ 1, mask=box < number)
        for bit in tl.static_range(WORD):
            row = word * WORD + bit
            reads = (column > word) & (column < width) & (row < number) & (((here >> bit) & 1) == 0)
            gone |= tl.load(words + row.to(tl.int64) * width + column, mask=reads, other=0)
