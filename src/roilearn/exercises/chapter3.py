"""Exercises of chapter 3 (RoIPool), with the mistakes they are set to catch."""

import math

import numpy as np

from roilearn.exercises.exercise import Exercise, Mistake

Edges = list[tuple[int, int]]


def bin_edges(first: int, last: int, bins: int) -> Edges:
    """Round each bin outwards, the last cell included."""
    size = max(last - first + 1, 1) / bins
    return [(first + math.floor(i * size), first + math.ceil((i + 1) * size)) for i in range(bins)]


def partition(first: int, last: int, bins: int) -> Edges:
    """Cut without overlap: both ends of a bin rounded down."""
    size = max(last - first + 1, 1) / bins
    return [(first + math.floor(i * size), first + math.floor((i + 1) * size)) for i in range(bins)]


def without_the_last_cell(first: int, last: int, bins: int) -> Edges:
    """Leave the end out: last - first cells."""
    return bin_edges(first, last - 1, bins)


def inclusive_stops(first: int, last: int, bins: int) -> Edges:
    """Name the last cell of a bin instead of the one after it."""
    return [(start, stop - 1) for start, stop in bin_edges(first, last, bins)]


def nearest(first: int, last: int, bins: int) -> Edges:
    """Round both ends of a bin to the nearest cell, as Python rounds."""
    size = max(last - first + 1, 1) / bins
    return [(first + round(i * size), first + round((i + 1) * size)) for i in range(bins)]


def equal_size(first: int, last: int, bins: int) -> Edges:
    """Give every bin ceil(size) cells, one after the other."""
    size = math.ceil(max(last - first + 1, 1) / bins)
    return [(first + i * size, first + (i + 1) * size) for i in range(bins)]


def learning_cells(values: np.ndarray, edges_y: Edges, edges_x: Edges) -> int:
    """Count the distinct winners."""
    return len(set(_winners(values, edges_y, edges_x)))


def all_bins(values: np.ndarray, edges_y: Edges, edges_x: Edges) -> int:  # noqa: ARG001
    """Count the bins instead."""
    return len(edges_y) * len(edges_x)


def all_cells(values: np.ndarray, edges_y: Edges, edges_x: Edges) -> int:  # noqa: ARG001
    """Count every cell that some bin reads."""
    rows = {i for start, stop in edges_y for i in range(start, stop)}
    columns = {i for start, stop in edges_x for i in range(start, stop)}
    return len(rows) * len(columns)


def distinct_values(values: np.ndarray, edges_y: Edges, edges_x: Edges) -> int:
    """Count different maxima, so that two winners of equal value count once."""
    return len({float(values[place]) for place in _winners(values, edges_y, edges_x)})


def every_tied_cell(values: np.ndarray, edges_y: Edges, edges_x: Edges) -> int:
    """Let all cells that equal the maximum win."""
    cells = set()
    for top, bottom in edges_y:
        for left, right in edges_x:
            block = values[top:bottom, left:right]
            cells |= {(top + i, left + j) for i, j in np.argwhere(block == block.max())}
    return len(cells)


def _winners(values: np.ndarray, edges_y: Edges, edges_x: Edges) -> list[tuple[int, int]]:
    places = []
    for top, bottom in edges_y:
        for left, right in edges_x:
            block = values[top:bottom, left:right]
            row, column = np.unravel_index(np.argmax(block), block.shape)
            places.append((top + int(row), left + int(column)))
    return places


_MAPS = [np.random.RandomState(seed).randint(0, 12, (6, 8)).astype(float) for seed in range(4)]

EXERCISES = (
    Exercise(
        "3.1",
        "Cells 3 to 7 into 2 bins: how many cells does each bin read?",
        (3, 3),
        (
            Mistake(
                "partition",
                (2, 3),
                "Those bins share no cell. Each end is rounded outwards: floor at the start, ceil "
                "at the stop. Which cell lies in both?",
            ),
            Mistake(
                "end left out",
                (2, 2),
                "7 - 3 = 4 leaves the last cell out. RoIPool's corners are cells, both included: "
                "7 - 3 + 1 = 5.",
            ),
            Mistake(
                "bin size",
                (2.5, 2.5),
                "2.5 is the size before the second rounding. A bin reads whole cells.",
            ),
            Mistake(
                "cells named",
                ((3, 4, 5), (5, 6, 7)),
                "Those are the right cells. The question asks how many each bin reads.",
            ),
        ),
        praise="Right: cells 3, 4, 5 and cells 5, 6, 7. They share cell 5.",
    ),
    Exercise(
        "3.2",
        "Write bin_edges(first, last, bins).",
        bin_edges,
        (
            Mistake(
                "partition",
                partition,
                "Your bins share no cell: you rounded the stop down, like the start. RoIPool "
                "rounds a bin outwards, so the stop takes math.ceil.",
            ),
            Mistake(
                "end left out",
                without_the_last_cell,
                "Your bins stop one cell early: last is a cell that the box names, so there are "
                "last - first + 1 cells.",
            ),
            Mistake(
                "inclusive stops",
                inclusive_stops,
                "The cells are right, and you name the last one of each bin. A stop is excluded: "
                "the cell after it.",
            ),
            Mistake(
                "nearest",
                nearest,
                "You rounded each edge to the nearest cell. A bin that touches a cell reads it: "
                "floor at the start, ceil at the stop.",
            ),
            Mistake(
                "equal size",
                equal_size,
                "Your bins all have ceil(size) cells, one after the other, and run past the end "
                "of the box. Start bin i at floor(i * size).",
            ),
        ),
        inputs=((0, 11, 7), (3, 7, 2), (0, 21, 7), (5, 6, 3), (2, 9, 4), (1, 13, 5)),
        praise="Right: floor at the start, ceil at the stop, and the last cell counts.",
    ),
    Exercise(
        "3.3",
        "Whole pixels a box from 100 to 164 may move at stride 16 before its output changes.",
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
    ),
    Exercise(
        "3.4",
        "Count the cells that receive gradient.",
        learning_cells,
        (
            Mistake(
                "bins",
                all_bins,
                "You counted bins. Bins overlap, so one cell can win several of them and still is "
                "one cell.",
            ),
            Mistake(
                "cells read",
                all_cells,
                "You counted every cell that is read. A maximum pays its winner only.",
            ),
            Mistake(
                "values",
                distinct_values,
                "You counted different values. Two cells of equal value are two cells.",
            ),
            Mistake(
                "ties",
                every_tied_cell,
                "You let every cell that equals the maximum win. The kernels pay the first one in "
                "reading order.",
            ),
        ),
        inputs=tuple((values, bin_edges(0, 5, 3), bin_edges(1, 7, 4)) for values in _MAPS)
        + tuple((values, bin_edges(0, 4, 3), bin_edges(0, 6, 4)) for values in _MAPS),
        praise="Right: distinct winners, and never more than there are bins.",
    ),
)
"""In the order of the page."""
