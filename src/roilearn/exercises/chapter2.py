"""Exercises of chapter 2 (quantization), with the mistakes they are set to catch."""

import math
from collections.abc import Callable

import numpy as np

from roilearn import reference
from roilearn.exercises.exercise import Edit, Exercise, Mistake
from roilearn.exercises.operators.cells_read import CELLS

CELLS_READ = Exercise(
    "2.1",
    "A box runs from x1 = 40 to x2 = 665 pixels, on a map of stride 16. What are the first cell, "
    "the last cell and the number of cells that RoIPool reads along x? Three numbers, counted "
    "from 0; halves are rounded away from zero, and the last cell is read too.",
    (3, 42, 40),
    (
        Mistake(
            "floor",
            (2, 41, 40),
            "You rounded down. The kernels round: 2.5 goes to 3 and 41.5625 to 42. The count of 40 "
            "came out right because both ends slipped by one cell.",
        ),
        Mistake(
            "half to even",
            (2, 42, 41),
            "2.5 is a half. Python rounds it to the even 2; C's round, which the kernels call, "
            "rounds it away from zero, to 3.",
        ),
        Mistake(
            "last cell floored",
            (3, 41, 39),
            "The first cell is right. The last one is rounded by the same rule: 41.5625 is nearer "
            "to 42 than to 41.",
        ),
        Mistake(
            "end left out",
            (3, 42, 39),
            "42 - 3 = 39 counts steps. The last cell is read too, so there is one cell more. "
            "The width itself is never rounded, only the two corners are.",
        ),
    ),
    praise="Right: 2.5 rounds to 3, 41.5625 to 42, and both ends are read.",
)

MEAN_MOVE = Exercise(
    "2.2",
    "An edge is rounded to the nearest whole cell of a map of stride 8; all places of the edge are "
    "equally likely. What is the mean of the size of its move, in image pixels, whatever the "
    "direction?",
    2.0,
    (
        Mistake(
            "largest",
            4.0,
            "4 px, half a cell, is the farthest that rounding moves an edge (and the mean for "
            "floor). The moves are spread evenly from 0 to 4.",
        ),
        Mistake(
            "signed",
            0.0,
            "0 is the mean of the signed moves: left and right cancel. The question ignores the "
            "direction.",
        ),
        Mistake(
            "spread",
            8 / math.sqrt(12),
            "8 / sqrt(12) is the standard deviation: it squares the moves before it averages them. "
            "The question asks for the mean of their sizes.",
        ),
        Mistake("cells", 0.25, "A quarter of a cell is right. In image pixels, times the stride?"),
    ),
    tolerance=0.005,  # 2.3 and 2.31 are 8 / sqrt(12) too
    praise="Right: a quarter of a cell, 8 / 4 px.",
)


def half_away(x: float) -> float:
    """Round one number half away from zero, without adding a half to it: the answer to 2.3."""
    whole = math.trunc(x)
    if abs(x - whole) < 0.5:
        return whole
    return whole + 1 if x > 0 else whole - 1


ROUNDING = Exercise(
    "2.3",
    "Write half_away(x): one number rounded to the nearest whole number, halves away from zero, so "
    "that 2.5 becomes 3 and -2.5 becomes -3. It is also right for the numbers just below a half.",
    half_away,
    (
        Mistake(
            "Python's round",
            round,
            "That is how Python's round works: 2.5 goes to the even 2. The kernels' 2.5 goes to 3.",
        ),
        Mistake(
            "floor of x + 0.5",
            lambda x: math.floor(x + 0.5),
            "Right for positive halves, but floor(-2.5 + 0.5) is -2: negative halves go towards "
            "zero. Box coordinates left of the image are negative.",
        ),
        Mistake(
            "int of x",
            int,
            "int() cuts the fraction off: 2.7 becomes 2 and -2.7 becomes -2. That is truncation.",
        ),
        Mistake(
            "floor",
            math.floor,
            "floor always goes down: 2.7 becomes 2 and -2.7 becomes -3. That is the slides' rule.",
        ),
        Mistake(
            "ceil",
            math.ceil,
            "ceil always goes up: 2.2 becomes 3. The nearest whole number is 2.",
        ),
        Mistake(
            "away from zero always",
            lambda x: math.copysign(math.ceil(abs(x)), x),
            "You round every fraction away from zero: 2.2 becomes 3. Only halves go away from "
            "zero; "
            "everything else goes to the nearest whole number.",
        ),
        Mistake(
            "halves towards zero",
            lambda x: math.copysign(math.ceil(abs(x) - 0.5), x),
            "Right but for the halves, which go towards zero: 2.5 becomes 2. They go away from it.",
        ),
        Mistake(
            "int of x + 0.5",
            lambda x: int(x + 0.5),
            "int() cuts towards zero, so adding 0.5 only works above zero: -2.7 + 0.5 is cut to "
            "-2, though -3 is nearer.",
        ),
        Mistake(
            "sum rounded before floor",
            lambda x: math.copysign(math.floor(abs(x) + 0.5), x),
            "Right on every half. It fails on 0.49999999999999994, the last number below a half: "
            "adding 0.5 to it rounds to 1.0 before floor sees it. Compare the fraction with 0.5.",
        ),
        Mistake(
            "sign lost",
            lambda x: half_away(abs(x)),
            "Right above zero. Below zero you lose the sign.",
        ),
        Mistake(
            "the number compared, not its fraction",
            lambda x: math.trunc(x) if abs(x) < 0.5 else math.trunc(x) + math.copysign(1, x),
            "You compare the number itself with 0.5. Compare its fraction: the distance to the "
            "whole "
            "number that int() cuts it to.",
        ),
    ),
    groups={
        "nearer to the number below": [(2.2,), (20.25,), (0.2,)],
        "nearer to the number above": [(2.7,), (20.78125,), (0.75,)],
        "halves": [(0.5,), (1.5,), (2.5,), (3.5,)],
        "negative": [(-0.2,), (-2.2,), (-2.7,), (-0.75,)],
        "negative halves": [(-0.5,), (-1.5,), (-2.5,)],
        "whole numbers": [(0.0,), (1.0,), (7.0,), (-3.0,)],
        "just below a half": [(0.49999999999999994,), (-0.49999999999999994,)],
    },
    praise="Right, on halves of both signs and just below a half.",
)


def touched_iou(size: int, stride: int) -> float:
    """Mean IoU of a box with the cells it touches, on one axis: the answer to 2.4."""
    total = 0.0
    for x1 in range(stride):
        cells = math.ceil((x1 + size) / stride)
        total += size / (cells * stride)
    return total / stride


Edge = Callable[[np.ndarray], np.ndarray]


def _mean_iou(first: Edge, stop: Edge) -> Callable[[int, int], float]:
    """Mean IoU of a box with cells [first(x1), stop(x2)), over its whole-pixel positions."""

    def answer(size: int, stride: int) -> float:
        x1 = np.arange(stride)
        x2 = x1 + size
        start, end = first(x1 / stride) * stride, stop(x2 / stride) * stride
        shared = np.clip(np.minimum(end, x2) - np.maximum(start, x1), 0, None)
        return float((shared / (size + (end - start) - shared)).mean())

    return answer


EXPECTED_IOU = Exercise(
    "2.4",
    "Write touched_iou(size, stride) for an operator that reads every cell that a box touches, "
    "and no other: along one axis, the IoU of the box from x1 to x1 + size with those cells, in "
    "pixels, averaged over x1 = 0, 1, ..., stride - 1. Cell k covers the pixels from k * stride to "
    "(k + 1) * stride; a box that ends on a cell's edge does not touch the cell after it.",
    touched_iou,
    (
        Mistake(
            "RoIPool",
            _mean_iou(reference.quantize, lambda x2: reference.quantize(x2) + 1),
            "These are the cells that RoIPool reads, rounded and end included. The cells that the "
            "box touches begin at floor(x1 / stride) and stop at ceil(x2 / stride).",
        ),
        Mistake(
            "one cell too many",
            _mean_iou(np.floor, lambda x2: np.floor(x2) + 1),
            "Almost: a box that ends on a cell's edge does not touch the cell after it. "
            "floor(x2 / stride) + 1 counts that cell; ceil(x2 / stride) does not.",
        ),
        Mistake(
            "floor twice",
            _mean_iou(np.floor, np.floor),
            "With floor at both ends the last cell, which the box touches in part, is left out.",
        ),
        Mistake(
            "cells inside",
            _mean_iou(np.ceil, np.floor),
            "These are the cells that lie wholly inside the box. Those it touches begin one "
            "earlier and end one later, unless the edge is a cell's edge.",
        ),
        Mistake(
            "rounded without the end",
            _mean_iou(reference.quantize, reference.quantize),
            "You rounded both edges to the nearest cell's edge. A cell that is touched a little is "
            "touched.",
        ),
        Mistake(
            "share of the box",
            lambda size, stride: 1.0,  # noqa: ARG005
            "You divide by the length of the box, and all of it is read: 1. IoU divides by the "
            "union, so that reading too much costs as well.",
        ),
        Mistake(
            "the first position alone",
            Edit("range(stride)", "range(1)", "total / stride", "total"),
            "That is the IoU for x1 = 0. The task averages over all of x1 = 0, ..., stride - 1.",
        ),
    ),
    groups={
        "several cells": [(40, 16), (100, 32), (30, 8)],
        "a whole number of cells": [(24, 8), (224, 16), (16, 16)],
        "a box under one cell": [(5, 16), (1, 8), (15, 16)],
        "stride 1": [(7, 1)],
        "just over a cell": [(17, 16)],
    },
    praise="Right. At 40 px and stride 16, touched cells keep 0.74 and beat RoIPool with 0.65. "
    "Rounding without the included end beats both: 0.82.",
)

LARGEST_STRIDE = Exercise(
    "2.5",
    "From 4, 8, 16 and 32, which is the largest stride at which a square of 64 x 64 pixels keeps a "
    "mean IoU of at least 0.7 with the cells that RoIPool reads, over all whole-pixel positions?",
    8,
    (
        Mistake(
            "end left out",
            16,
            "At stride 16 rounding alone leaves 0.79, but the kernels also read the last cell "
            "whole, which leaves 0.57.",
        ),
        Mistake("too fine", 4, "Stride 4 keeps 0.85, but a larger stride keeps 0.7 as well."),
        Mistake(
            "coarsest",
            32,
            "At stride 32 the box is two cells wide and three are read: the mean IoU is 0.37.",
        ),
        Mistake("scale", 0.125, "1/8 is the spatial_scale. The stride is its inverse."),
    ),
    praise="Right: 0.74 at stride 8, 0.57 at stride 16.",
)

SYMMETRIC_SHIFT = Exercise(
    "2.6",
    "At stride 16 the left edge of a box moves by -8 to 8 pixels when RoIPool rounds it, the right "
    "edge by 8 to 24. Suppose that cell k stood for the pixels from 16k - d to 16(k + 1) - d. For "
    "which d, in pixels, are the two ranges mirror images of each other?",
    8.0,
    (
        Mistake("cells", 0.5, "Half a cell is right. In image pixels, at stride 16?"),
        Mistake(
            "whole cell",
            16.0,
            "With d = 16 the ranges are -24 to -8 and -8 to 8: lopsided the other way.",
        ),
        Mistake("none", 0.0, "With d = 0 they are -8 to 8 and 8 to 24, which do not mirror."),
        Mistake(
            "direction",
            -8.0,
            "The other way round: d is subtracted, so a positive d moves the cells to the left.",
        ),
    ),
    praise="Right: both edges then move outwards by 0 to 16 px.",
)


EXERCISES: tuple[Exercise, ...] = (
    CELLS_READ,
    MEAN_MOVE,
    ROUNDING,
    EXPECTED_IOU,
    LARGEST_STRIDE,
    SYMMETRIC_SHIFT,
    CELLS,
)
"""In the order of the page."""

OPEN_TASKS = ()
