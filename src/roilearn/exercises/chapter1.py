"""Exercises of chapter 1 (interpolation), with the mistakes they are set to catch."""

import math

import numpy as np

from roilearn import reference
from roilearn.exercises.exercise import Edit, Exercise, Mistake, OpenTask
from roilearn.exercises.operators.bilinear_points import MANY_POINTS
from roilearn.exercises.operators.resize import RESIZE

OBLONG = np.array([[3.0, 7.0, 1.0, 9.0, 4.0], [8.0, 2.0, 6.0, 0.0, 5.0], [1.0, 9.0, 4.0, 7.0, 2.0]])
SQUARE = np.array([[5.0, 1.0, 8.0], [2.0, 9.0, 3.0], [7.0, 4.0, 6.0]])
PLACE = (2.25, 0.6)


def weights(row: float, column: float) -> np.ndarray:
    """Return the four weights on a 4 x 4 map, as their cells lie."""
    four = [weight for _, _, weight in reference.bilinear_weights(row, column, 4, 4)]
    return np.reshape(four, (2, 2))


def weights_by_distance(row: float, column: float) -> np.ndarray:
    """Weigh each of the four cells by the inverse of its distance."""
    cells = reference.bilinear_weights(row, column, 4, 4)
    near = np.array([1 / math.hypot(row - i, column - j) for i, j, _ in cells])
    return near / near.sum()


BY_HAND = Exercise(
    "1.1",
    "On a map of 4 x 4 cells, which weight has each of the four cells around the point at row "
    "2.25, column 0.6 (index coordinates: cell (2, 0) sits at row 2, column 0)? A list of four "
    "numbers in reading order.",
    weights(*PLACE).ravel(),
    (
        Mistake(
            "weights transposed",
            weights(*PLACE).ravel()[::-1],
            "Your nearest cell weighs least. A cell weighs as much as the rectangle opposite to "
            "it: the point is nearest to cell (2, 1), so that cell weighs most.",
        ),
        Mistake(
            "row and column swapped",
            weights(2.6, 0.25).ravel(),
            "You used the row's fraction along the columns. The way down is 0.25 (of the row), "
            "the way across 0.6 (of the column).",
        ),
        Mistake(
            "as the cells lie",
            weights(*PLACE),
            "All four are right, laid out as their cells lie. The check takes them in reading "
            "order, as one list of four.",
        ),
        Mistake(
            "mirrored left to right",
            weights(*PLACE)[:, ::-1].ravel(),
            "Left and right have changed places: the point is 0.6 of the way across, so nearer to "
            "column 1, and that column has the larger weights.",
        ),
        Mistake(
            "mirrored top to bottom",
            weights(*PLACE)[::-1].ravel(),
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
            weights_by_distance(*PLACE),
            "You weighed by the inverse of the distance. A bilinear weight is a product of one "
            "fraction along each axis; no distance enters.",
        ),
    ),
    tolerance=1e-3,
    praise="Right: 0.75 x 0.4, 0.75 x 0.6, 0.25 x 0.4, 0.25 x 0.6; they sum to 1.",
)


def bilinear(image: np.ndarray, row: float, column: float) -> float:
    """Read an image between its cells, clamped to the image: the answer to 1.2."""
    height, width = image.shape
    row = min(max(row, 0), height - 1)
    column = min(max(column, 0), width - 1)
    top, left = math.floor(row), math.floor(column)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    down, across = row - top, column - left
    upper = (1 - across) * image[top, left] + across * image[top, right]
    lower = (1 - across) * image[bottom, left] + across * image[bottom, right]
    return (1 - down) * upper + down * lower


IN_CODE = Exercise(
    "1.2",
    "Write bilinear(image, row, column): the value of a map (height, width) at an index position "
    "(the value of cell (i, j) sits at row i, column j), interpolated linearly along both axes. A "
    "position outside the map, however far, is moved onto its border first. Return one number.",
    bilinear,
    (
        Mistake(
            "row and column swapped",
            lambda image, row, column: reference.bilinear(image, column, row),
            "You read at (column, row). Arrays are indexed row first; a symmetric map would not "
            "have shown it.",
        ),
        Mistake(
            "weights transposed",
            Edit(
                "down, across = row - top, column - left",
                "down, across = 1 - row + top, 1 - column + left",
            ),
            "Your nearest cell weighs least: each weight is on the opposite cell. The lower "
            "index takes 1 - fraction, the higher one takes fraction.",
        ),
        Mistake(
            "nearest neighbour",
            Edit("row - top, column - left", "float(row - top > 0.5), float(column - left > 0.5)"),
            "You return the nearest cell's value. Between cells the answer is a mean of four.",
            also=(
                Edit("row - top, column - left", "round(row) - top, round(column) - left"),
                Edit(
                    "row - top, column - left",
                    "float(row - top >= 0.5), float(column - left >= 0.5)",
                ),
            ),
        ),
        Mistake(
            "position not clamped",
            Edit(
                "    row = min(max(row, 0), height - 1)\n    column = min(max(column, 0), width - "
                "1)\n",
                "",
                "math.floor(row), math.floor(column)",
                "min(max(math.floor(row), 0), max(height - 2, 0)), "
                "min(max(math.floor(column), 0), max(width - 2, 0))",
            ),
            "Inside you are right. Beyond the border the line runs on: you clamp the neighbours "
            "but not the position, so a weight becomes negative. Clamp the position first.",
        ),
        Mistake(
            "wraps around",
            Edit(
                "    row = min(max(row, 0), height - 1)\n    column = min(max(column, 0), width - "
                "1)\n",
                "",
                "bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)\n    down, "
                "across = row - top, column - left",
                "down, across = row - top, column - left\n    top, left, bottom, right = "
                "top % height, left % width, (top + 1) % height, (left + 1) % width",
            ),
            "Inside you are right. Beyond the border you read the opposite side: index -1 is the "
            "last row in Python. Clamp the position to [0, size - 1] first.",
        ),
        Mistake(
            "zero outside",
            lambda image, row, column: reference.bilinear(
                np.pad(image, 9), np.clip(row, -5, 15) + 9, np.clip(column, -5, 15) + 9
            ),
            "Inside you are right. Beyond the border you fade to 0, as PyTorch's grid_sample does "
            "by default. Here the border value continues: clamp the position.",
        ),
        Mistake(
            "half a pixel twice",
            lambda image, row, column: reference.bilinear(image, row - 0.5, column - 0.5),
            "You took off half a pixel. Row and column are index positions already, so 0 is the "
            "first centre; only x and y, which count from the edge, need the half off.",
        ),
    ),
    groups={
        "inside": [
            (OBLONG, 1.25, 2.6),
            (OBLONG, 0.75, 1.2),
            (SQUARE, 1.4, 0.2),
            (SQUARE, 0.6, 1.7),
        ],
        "on a cell": [(OBLONG, 2.0, 1.0), (OBLONG, 1.0, 4.0), (SQUARE, 0.0, 0.0), (SQUARE, 1, 0.5)],
        "less than a cell beyond the border": [
            (SQUARE, -0.4, 1.25),
            (SQUARE, 2.75, 0.6),
            (SQUARE, 1.4, 2.75),
            (OBLONG, 1.3, -0.2),
        ],
        "far beyond the border": [
            (SQUARE, -3.7, 1.25),
            (SQUARE, 9.2, 0.6),
            (OBLONG, 1.4, 11.0),
            (OBLONG, 0.3, -2.0),
        ],
        "a single row or column": [
            (OBLONG[:1], 0.0, 2.6),
            (OBLONG[:, :1], 1.25, 0.0),
            (OBLONG[:1, :1], 0.5, 0.5),
        ],
    },
    praise="Right: at whole positions, on a map that is not square, and beyond the border.",
)

WHICH_RULE = Exercise(
    "1.3",
    "An exported model enlarges the signal 0, 6, 24, 6 to the eight values 0, 3, 6, 15, 24, 15, "
    "6, 6. Which rule is in the file? Answer with one of reference.GRID_RULES: 'corner', "
    "'corner_truncated', 'half_pixel', 'align_corners'.",
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


def scatter(gradient: float, position: float, size: int) -> np.ndarray:
    """Spread a gradient over the values that linear interpolation read: the answer to 1.4."""
    position = min(max(position, 0), size - 1)
    low = math.floor(position)
    high = min(low + 1, size - 1)
    fraction = position - low
    spread = np.zeros(size)
    spread[low] += (1 - fraction) * gradient
    spread[high] += fraction * gradient
    return spread


ADJOINT = Exercise(
    "1.4",
    "Write scatter(gradient, position, size), the adjoint of reference.linear: an array of `size` "
    "numbers, 0 but where reference.linear(values, position) reads, and there the weight of the "
    "value times `gradient`. The position is an index coordinate, clamped to [0, size - 1].",
    scatter,
    (
        Mistake(
            "overwrites",
            Edit("spread[low] += ", "spread[low] = ", "spread[high] += ", "spread[high] = "),
            "At the last value both neighbours are the same cell, and your second assignment "
            "overwrites the first: the gradient is lost. Add (+=), do not assign.",
        ),
        Mistake(
            "shares swapped",
            Edit(
                "(1 - fraction) * gradient",
                "fraction * gradient",
                "high] += fraction *",
                "high] += (1 - fraction) *",
            ),
            "You give the nearer value the smaller share. The adjoint uses the weights of the "
            "reading itself: 1 - fraction for the lower index.",
        ),
        Mistake(
            "all to the nearest",
            Edit("fraction = position - low", "fraction = float(position - low >= 0.5)"),
            "All of it goes to the nearest value. Both values moved the reading, each by its "
            "weight, so each gets its share.",
        ),
        Mistake(
            "halved",
            Edit("fraction = position - low", "fraction = 0.5"),
            "You share equally. The shares are the weights with which the values were read.",
        ),
        Mistake(
            "position not clamped",
            Edit(
                "    position = min(max(position, 0), size - 1)\n",
                "",
                "math.floor(position)",
                "min(max(math.floor(position), 0), size - 1)",
            ),
            "Inside you are right. Beyond the ends you clamp the index but not the position, so "
            "that "
            "a share is negative or larger than 1.",
        ),
    ),
    groups={
        "between two values": [(1.0, 1.25, 4), (2.0, 0.6, 3), (-2.5, 1.75, 3)],
        "on a value": [(-1.5, 1.0, 3), (1.0, 0.0, 2)],
        "on the last value": [(-1.5, 2.0, 3), (2.0, 0.0, 1)],
        "beyond the ends": [(1.0, -2.0, 3), (3.0, 9.0, 4), (2.0, -0.25, 3), (2.0, 2.5, 3)],
    },
    praise="Right: the shares sum to the gradient, at the last value too.",
)

SHIFT = Exercise(
    "1.5",
    "A picture is enlarged 8 times by the corner rule, where output pixel i reads position i / 8. "
    "By how many pixels of the large picture does it move, compared with the half-pixel rule? A "
    "size, without a sign.",
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


EXERCISES: tuple[Exercise, ...] = (
    BY_HAND,
    IN_CODE,
    WHICH_RULE,
    ADJOINT,
    SHIFT,
    MANY_POINTS,
    RESIZE,
)
"""In the order of the page."""

OPEN_TASKS = (
    OpenTask(
        "1.6",
        "Reduce the coin to a quarter of its size by the half-pixel rule. What fraction of its "
        "pixels "
        "is ever read? What goes wrong, and what would you do first?",
    ),
)
