"""Exercises of chapter 2, with the mistakes they are set to catch."""

import math
from collections.abc import Callable

import numpy as np

from roilearn import reference
from roilearn.exercises.exercise import Exercise, Mistake

CELLS_READ = Exercise(
    "2.1",
    "First cell, last cell and number of cells read for x1 = 40, x2 = 665 at stride 16",
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
    "Mean of |move|, in image pixels, of an edge rounded to the nearest cell at stride 8",
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
    """Round one number half away from zero, without adding a half to it."""
    whole = math.trunc(x)
    return whole + math.copysign(abs(x - whole) >= 0.5, x)


ROUNDING = Exercise(
    "2.3",
    "A function of one number that rounds half away from zero",
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
    ),
    inputs=tuple((x,) for x in (0.5, 2.5, 20.78125, -0.5, -2.5, -2.7, 0.0, 0.49999999999999994)),
    praise="Right, on halves of both signs and just below a half.",
)


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
    "A function of size and stride: mean IoU, on one axis, of a box with the cells it touches",
    _mean_iou(np.floor, np.ceil),
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
            "share of the box",
            lambda size, stride: 1.0,  # noqa: ARG005
            "You divide by the length of the box, and all of it is read: 1. IoU divides by the "
            "union, so that reading too much costs as well.",
        ),
    ),
    inputs=((40, 16), (100, 32), (24, 8), (224, 16)),
    praise="Right. Compare it with what RoIPool reads: rounding is not even the better guess.",
)

LARGEST_STRIDE = Exercise(
    "2.5",
    "Largest of the strides 4, 8, 16 and 32 at which a 64 px square keeps a mean IoU of 0.7",
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
    "Shift d, in image pixels at stride 16, of the cells that makes both edges' ranges mirror",
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
)
