"""Exercises of chapter 3 (RoIPool), with the mistakes they are set to catch."""

import math

import numpy as np

from roilearn.exercises.exercise import Edit, Exercise, Mistake, OpenTask
from roilearn.exercises.operators.roi_pool import ROI_POOL

Edges = list[tuple[int, int]]

BY_HAND = Exercise(
    "3.1",
    "A box covers cells 3 to 7 of an axis, both included, and is pooled into 3 bins. How many "
    "cells does each bin read? Three numbers; a bin reads every cell that it touches.",
    (2, 3, 2),
    (
        Mistake(
            "partition",
            (1, 2, 2),
            "Those bins share no cell. Each end is rounded outwards: floor at the start, ceil "
            "at the stop. Which cells lie in two bins?",
        ),
        Mistake(
            "equal",
            (2, 2, 2),
            "Bins need not read equally many cells. Either you gave every bin ceil(5 / 3) cells, "
            "or "
            "you left the last cell out: both corners are included, 7 - 3 + 1 = 5 cells.",
        ),
        Mistake(
            "nearest",
            (2, 1, 2),
            "You rounded the edges 5/3 and 10/3 to the nearest cell. A bin reads every cell that "
            "it "
            "touches: floor at the start, ceil at the stop.",
        ),
        Mistake(
            "bin size",
            (5 / 3, 5 / 3, 5 / 3),
            "5 / 3 is the size before the second rounding. A bin reads whole cells.",
            also=((1.67, 1.67, 1.67), (1.667, 1.667, 1.667), 5 / 3),
        ),
        Mistake(
            "sum of five",
            (2, 2, 1),
            "Your bins have five cells in all, so they share none. Neighbouring bins overlap where "
            "an edge falls inside a cell.",
        ),
    ),
    tolerance=1e-3,
    praise="Right: cells 3, 4; cells 4, 5, 6; cells 6, 7. Cells 4 and 6 are read twice.",
)


def bin_edges(first: int, last: int, bins: int) -> Edges:
    """Round each bin outwards, the last cell included: the answer to 3.2."""
    size = max(last - first + 1, 1) / bins
    return [(first + math.floor(i * size), first + math.ceil((i + 1) * size)) for i in range(bins)]


BIN_EDGES = Exercise(
    "3.2",
    "Write bin_edges(first, last, bins): the cells of each bin along one axis, as a list of `bins` "
    "pairs (start, stop), the stop excluded. The box covers the cells first to last, both "
    "included, and at least one cell even if last < first; it is cut into `bins` equal parts, and "
    "a "
    "bin reads every cell that its part touches. No cut at the border of the map.",
    bin_edges,
    (
        Mistake(
            "partition",
            Edit("math.ceil((i + 1) * size)", "math.floor((i + 1) * size)"),
            "Your bins share no cell: you rounded the stop down, like the start. RoIPool "
            "rounds a bin outwards, so the stop takes math.ceil.",
            also=(
                lambda first, last, bins: _pairs(
                    np.linspace(first, last + 1, bins + 1).astype(int)
                ),
            ),
        ),
        Mistake(
            "end left out",
            Edit("last - first + 1", "last - first"),
            "Your bins stop one cell early: last is a cell that the box names, so there are "
            "last - first + 1 cells.",
        ),
        Mistake(
            "inclusive stops",
            Edit("math.ceil((i + 1) * size)", "math.ceil((i + 1) * size) - 1"),
            "The cells are right, and you name the last one of each bin. A stop is excluded: "
            "the cell after it.",
        ),
        Mistake(
            "nearest",
            Edit(
                "math.floor(i * size)",
                "round(i * size)",
                "math.ceil((i + 1) * size)",
                "round((i + 1) * size)",
            ),
            "You rounded each edge to the nearest cell. A bin that touches a cell reads it: "
            "floor at the start, ceil at the stop.",
        ),
        Mistake(
            "equal size",
            Edit(
                "size = max(last - first + 1, 1) / bins",
                "size = math.ceil(max(last - first + 1, 1) / bins)",
            ),
            "Your bins all have ceil(size) cells, one after the other, and run past the end "
            "of the box. Start bin i at floor(i * size).",
        ),
        Mistake(
            "counted from the box",
            Edit("first + math.floor", "math.floor", "first + math.ceil", "math.ceil"),
            "Right, counted from the first cell of the box. Count from the map's: add `first`.",
        ),
        Mistake(
            "a box of no cell",
            Edit("max(last - first + 1, 1)", "(last - first + 1)"),
            "Right for boxes. Where last < first, a box has at least one cell: max(..., 1).",
            also=(Edit("max(last - first + 1, 1)", "max(last - first + 1, 0)"),),
        ),
    ),
    groups={
        "overlapping bins": [(0, 11, 7), (3, 7, 2), (2, 9, 3)],
        "whole bins": [(0, 20, 7), (2, 9, 4)],
        "more bins than cells": [(5, 6, 3), (4, 4, 3), (1, 3, 7)],
        "one bin": [(1, 5, 1), (6, 6, 1)],
        "left of the map": [(-3, 1, 2), (-4, -1, 3)],
        "last before first": [(5, 4, 3), (5, 3, 2), (9, 2, 4)],
    },
    praise="Right: floor at the start, ceil at the stop, and the last cell counts.",
)


def _pairs(cuts: np.ndarray) -> Edges:
    return list(zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True))


FREE_PIXELS = Exercise(
    "3.3",
    "At stride 16, a box of 64 x 64 pixels starts at x1 = 100. By how many whole pixels can it "
    "move "
    "to the right before its RoIPool output changes? Corners are rounded to the nearest cell, "
    "halves away from zero.",
    3,
    (
        Mistake(
            "a whole stride",
            15,
            "15 would be right for an edge that has just crossed a half cell. This one starts "
            "at 6.25 cells: how far is it to 6.5?",
        ),
        Mistake(
            "inclusive",
            4,
            "At shift 4 the left edge is at 104 / 16 = 6.5 cells, and halves round away from "
            "zero: the output has changed there.",
        ),
        Mistake(
            "floor",
            11,
            "You let the edge move until it reaches the next whole cell. The kernels round, "
            "they do not floor: the jump comes at the half cell.",
        ),
        Mistake(
            "half a stride",
            8,
            "Half a stride is the distance from a cell's centre. This edge starts a quarter "
            "of a cell beyond a whole number: count from there.",
        ),
    ),
    praise="Right: 6.25 cells reach 6.5 at a shift of 4 pixels, so 3 are free.",
)


def learning_cells(values: np.ndarray, edges_y: Edges, edges_x: Edges) -> int:
    """Count the cells that are the maximum of some bin: the answer to 3.4."""
    winners = set()
    for top, bottom in edges_y:
        for left, right in edges_x:
            block = values[top:bottom, left:right]
            row, column = np.unravel_index(block.argmax(), block.shape)
            winners.add((top + row, left + column))
    return len(winners)


def _all_cells(values: np.ndarray, edges_y: Edges, edges_x: Edges) -> int:  # noqa: ARG001
    rows = {i for start, stop in edges_y for i in range(start, stop)}
    columns = {i for start, stop in edges_x for i in range(start, stop)}
    return len(rows) * len(columns)


def _every_tied_cell(values: np.ndarray, edges_y: Edges, edges_x: Edges) -> int:
    cells = set()
    for top, bottom in edges_y:
        for left, right in edges_x:
            block = values[top:bottom, left:right]
            cells |= {(top + i, left + j) for i, j in np.argwhere(block == block.max())}
    return len(cells)


_TIED = [np.random.RandomState(seed).randint(0, 4, (6, 8)).astype(float) for seed in range(4)]
_DISTINCT = [np.random.RandomState(seed).permutation(48).reshape(6, 8) / 4 for seed in range(3)]
_PEAK = np.where(np.arange(48).reshape(6, 8) == 19, 9.0, 1.0)
_OVERLAPS = (bin_edges(0, 5, 4), bin_edges(1, 7, 4))
_APART = ([(0, 2), (2, 4), (4, 6)], [(1, 3), (3, 5), (5, 7)])

LEARNING_CELLS = Exercise(
    "3.4",
    "Write learning_cells(values, edges_y, edges_x): how many cells of a map (height, width) "
    "receive "
    "gradient when every bin of RoIPool sends 1 to its maximum. Bin (i, j) reads "
    "values[edges_y[i][0]:edges_y[i][1], edges_x[j][0]:edges_x[j][1]]. Where several cells of a "
    "bin are equal to its maximum, the first one in reading order receives all.",
    learning_cells,
    (
        Mistake(
            "bins",
            lambda values, edges_y, edges_x: len(edges_y) * len(edges_x),  # noqa: ARG005
            "You counted bins. Bins overlap, so one cell can win several of them and still is "
            "one cell.",
        ),
        Mistake(
            "cells read",
            _all_cells,
            "You counted every cell that is read. A maximum sends its gradient to one cell.",
        ),
        Mistake(
            "values",
            Edit("(top + row, left + column)", "float(block.max())"),
            "You counted different values. Two cells of equal value are two cells.",
        ),
        Mistake(
            "ties",
            _every_tied_cell,
            "You let every cell that equals the maximum win. The kernels take the first one in "
            "reading order.",
        ),
        Mistake(
            "last of equals",
            Edit(
                "block.argmax(), block.shape",
                "block.size - 1 - block.ravel()[::-1].argmax(), block.shape",
            ),
            "Where cells are equal you take the last one. The kernels take the first one in "
            "reading "
            "order: compare with > and not with >=.",
        ),
        Mistake(
            "places within the bin",
            Edit("(top + row, left + column)", "(row, column)"),
            "You counted places within a bin. Add the bin's own start: (top + row, left + column).",
        ),
        Mistake(
            "minima",
            Edit("block.argmax()", "block.argmin()"),
            "You took the smallest value of each bin. RoIPool keeps the largest.",
        ),
    ),
    groups={
        "no ties": [(values, *_OVERLAPS) for values in _DISTINCT],
        "ties": [(values, *_OVERLAPS) for values in _TIED],
        "one cell wins several bins": [(_PEAK, bin_edges(1, 3, 2), bin_edges(2, 4, 2))],
        "bins that share no cell": [
            (_DISTINCT[0], *_APART),
            (_TIED[0], *_APART),
            (_TIED[1], *_APART),
        ],
        "negative values": [(-1 - _DISTINCT[1], *_OVERLAPS)],
        "one bin": [(_TIED[2], [(1, 4)], [(2, 7)])],
    },
    praise="Right: distinct winners, and never more than there are bins.",
)


EXERCISES = (BY_HAND, BIN_EDGES, FREE_PIXELS, LEARNING_CELLS, ROI_POOL)
"""In the order of the page."""

OPEN_TASKS = (
    OpenTask(
        "3.5",
        "Replace the maximum by the average in the sliding experiment. Does the staircase become a "
        "slope? Say first, then try mode='average', and explain what of the two roundings is left.",
    ),
)
