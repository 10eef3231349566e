"""Exercises of chapter 1, with the mistakes they are set to catch."""

import numpy as np

from roilearn.exercises import reading_between as told
from roilearn.exercises.exercise import Exercise, Mistake
from roilearn.reference import bilinear, linear_adjoint

OBLONG = np.array([[3.0, 7.0, 1.0, 9.0, 4.0], [8.0, 2.0, 6.0, 0.0, 5.0], [1.0, 9.0, 4.0, 7.0, 2.0]])
SQUARE = np.array([[5.0, 1.0, 8.0], [2.0, 9.0, 3.0], [7.0, 4.0, 6.0]])
PLACE = (2.25, 0.6)

BY_HAND = Exercise(
    "1.1",
    "The four weights of (row 2.25, column 0.6) on a 4 x 4 map, in reading order.",
    told.weights(*PLACE),
    (
        Mistake(
            "weights transposed",
            told.weights(*PLACE)[::-1],
            "Your nearest cell weighs least. A cell weighs as much as the rectangle opposite to "
            "it: the point is nearest to cell (2, 1), so that cell weighs most.",
        ),
        Mistake(
            "row and column swapped",
            told.weights(2.6, 0.25),
            "You used the row's fraction along the columns. The way down is 0.25 (of the row), "
            "the way across 0.6 (of the column).",
        ),
        Mistake(
            "as the cells lie",
            told.square_of(told.weights(*PLACE)),
            "All four are right, laid out as their cells lie. The check takes them in reading "
            "order, as one list of four.",
        ),
        Mistake(
            "mirrored left to right",
            told.square_of(told.weights(*PLACE))[:, ::-1].ravel(),
            "Left and right have changed places: the point is 0.6 of the way across, so nearer to "
            "column 1, and that column has the larger weights.",
        ),
        Mistake(
            "mirrored top to bottom",
            told.square_of(told.weights(*PLACE))[::-1].ravel(),
            "Up and down have changed places: the point is 0.25 of the way down, so nearer to "
            "row 2, and that row has the larger weights.",
        ),
        Mistake(
            "all equal",
            [0.25] * 4,
            "That is the mean of the four cells: right only half way between all of them.",
        ),
        Mistake(
            "by distance",
            told.weights_by_distance(*PLACE),
            "You weighed by the inverse of the distance. A bilinear weight is a product of one "
            "fraction along each axis; no distance enters.",
        ),
    ),
    tolerance=1e-3,
    praise="Right: 0.75 x 0.4, 0.75 x 0.6, 0.25 x 0.4, 0.25 x 0.6; they sum to 1.",
)

IN_CODE = Exercise(
    "1.2",
    "Write bilinear(image, row, column), clamped to the image.",
    bilinear,
    (
        Mistake(
            "row and column swapped",
            lambda image, row, column: bilinear(image, column, row),
            "You read at (column, row). Arrays are indexed row first; a symmetric map would not "
            "have shown it.",
        ),
        Mistake(
            "weights transposed",
            told.farthest_weighs_most,
            "Your nearest cell weighs least: each weight is on the opposite cell. The lower "
            "index takes 1 - fraction, the higher one takes fraction.",
        ),
        Mistake(
            "nearest neighbour",
            told.nearest,
            "You return the nearest cell's value. Between cells the answer is a mean of four.",
        ),
        Mistake(
            "position not clamped",
            told.position_not_clamped,
            "Inside you are right. Beyond the border the line runs on: you clamp the neighbours "
            "but not the position, so a weight becomes negative. Clamp the position first.",
        ),
        Mistake(
            "wraps around",
            told.wrapped,
            "Inside you are right. Beyond the border you read the opposite side: index -1 is the "
            "last row in Python. Clamp the position to [0, size - 1] first.",
        ),
        Mistake(
            "zero outside",
            told.zero_outside,
            "Inside you are right. Beyond the border you fade to 0, as PyTorch's grid_sample does "
            "by default. Here the border value continues: clamp the position.",
        ),
        Mistake(
            "half a pixel twice",
            lambda image, row, column: bilinear(image, row - 0.5, column - 0.5),
            "You took off half a pixel. Row and column are index positions already, so 0 is the "
            "first centre; only x and y, which count from the edge, need the half off.",
        ),
    ),
    inputs=(
        (OBLONG, 1.25, 2.6),
        (OBLONG, 0.75, 1.2),
        (OBLONG, 2.0, 1.0),
        (SQUARE, 1.4, 0.2),
        (SQUARE, -0.4, 1.25),
        (SQUARE, 2.75, 0.6),
        (SQUARE, 1.4, 2.75),
    ),
    praise="Right: at whole positions, on a map that is not square, and beyond the border.",
)

WHICH_RULE = Exercise(
    "1.3",
    "Which grid rule makes [0, 3, 6, 15, 24, 15, 6, 6] of [0, 6, 24, 6]?",
    "corner",
    (
        Mistake(
            "half_pixel",
            "half_pixel",
            "Half-pixel centres read at (0 + 0.5) / 2 - 0.5 = -0.25 and then at 0.25: the second "
            "output would be 1.5.",
        ),
        Mistake(
            "align_corners",
            "align_corners",
            "Align-corners steps by 3/7: the second output would be 6 x 3/7 = 2.57, and only the "
            "last output would be exactly 6.",
        ),
        Mistake(
            "corner_truncated",
            "corner_truncated",
            "Truncated positions are whole: every output would be one of the four values, and "
            "there is a 3.",
        ),
        Mistake(
            "ONNX's word",
            "asymmetric",
            "That is ONNX's word for the right rule. In this package it is called 'corner'.",
        ),
    ),
    praise="Right: the outputs read at 0, 0.5, 1, ... 3.5, and 3.5 is clamped to 3.",
)

ADJOINT = Exercise(
    "1.4",
    "Write scatter(gradient, position, size), the adjoint of linear reading.",
    linear_adjoint,
    (
        Mistake(
            "overwrites",
            told.overwriting_scatter,
            "At the last value both neighbours are the same cell, and your second assignment "
            "overwrites the first: the gradient is lost. Add (+=), do not assign.",
        ),
        Mistake(
            "shares swapped",
            told.scatter_with(lambda fraction: (fraction, 1 - fraction)),
            "You give the nearer value the smaller share. The adjoint uses the weights of the "
            "reading itself: 1 - fraction for the lower index.",
        ),
        Mistake(
            "all to the nearest",
            told.scatter_with(lambda fraction: (float(fraction < 0.5), float(fraction >= 0.5))),
            "All of it goes to the nearest value. Both values moved the reading, each by its "
            "weight, so each gets its share.",
        ),
        Mistake(
            "halved",
            told.scatter_with(lambda _: (0.5, 0.5)),
            "You share equally. The shares are the weights with which the values were read.",
        ),
    ),
    inputs=((1.0, 1.25, 4), (2.0, 0.6, 3), (-1.5, 2.0, 3), (1.0, -2.0, 3), (3.0, 9.0, 4)),
    praise="Right: the shares sum to the gradient, at the last value too.",
)

SHIFT = Exercise(
    "1.5",
    "By how many output pixels does the corner rule move a picture enlarged 8 times?",
    3.5,
    (
        Mistake(
            "input pixels",
            0.4375,
            "That is the shift in input pixels, 0.5 - 0.5/8. One of them is eight output pixels.",
        ),
        Mistake(
            "with its sign",
            -3.5,
            "The size is right, and the minus says up and to the left, as the chapter prints it. "
            "How far it moves is 3.5.",
        ),
        Mistake(
            "half the factor",
            4.0,
            "Half a pixel of the input is 4 output pixels, but the output's own half pixel comes "
            "off again: (8 - 1) / 2.",
        ),
        Mistake(
            "half a pixel",
            0.5,
            "It is not half a pixel whatever the factor. Compare i/8 with (i + 0.5)/8 - 0.5.",
        ),
        Mistake(
            "the factor less one",
            7.0,
            "The difference of the two rules is half of that: 0.5 - 0.5/8 input pixels.",
        ),
    ),
    praise="Right: (8 - 1) / 2 output pixels, up and to the left.",
)

EXERCISES: tuple[Exercise, ...] = (BY_HAND, IN_CODE, WHICH_RULE, ADJOINT, SHIFT)
