"""Exercises of chapter 7 (residual backbones), with the mistakes they are set to catch."""

from collections.abc import Sequence

import numpy as np

from roilearn.exercises.exercise import Edit, Exercise, Mistake, OpenTask

_random = np.random.RandomState(7)

BY_HAND = Exercise(
    "7.1",
    "An identity block on a row of two cells, 1 and 3. The first convolution has the weights "
    "0, 1, -1 for the cell before, the cell itself and the cell after; the second has -1, 1, -0.5. "
    "Zeros stand outside the row. Give the two values of the output as a list.",
    np.array([0.0, 6.0]),
    (
        Mistake(
            "no shortcut",
            np.array([0.0, 3.0]),
            "That is the ReLU of the branch alone. What does the shortcut bring to the sum?",
        ),
        Mistake(
            "no last ReLU",
            np.array([-0.5, 6.0]),
            "The sums are right. A ReLU follows the addition.",
        ),
        Mistake(
            "no ReLU between",
            np.array([0.0, 8.0]),
            "The second convolution read the -2 that the first one gave. A ReLU stands between.",
        ),
        Mistake(
            "ReLU too early",
            np.array([1.0, 6.0]),
            "You applied the ReLU to the branch and then added. The branch ends without a ReLU, so "
            "that it can also lower a value; the ReLU follows the sum.",
        ),
        Mistake(
            "mirrored",
            np.array([0.0, 4.5]),
            "You mirrored the weights. The first of the three belongs to the cell before.",
        ),
        Mistake(
            "the branch",
            np.array([-1.5, 3.0]),
            "That is what the branch gives. Two steps follow it: the addition and a ReLU.",
        ),
        Mistake(
            "border repeated",
            np.array([1.0, 3.0]),
            "You repeated the outer cells. Outside the row stand zeros.",
        ),
    ),
    praise="Right: the branch gives -1.5 and 3, and the sums are -0.5 and 6.",
)

COLUMNS = Exercise(
    "7.2",
    "An image is 1066 pixels wide. How many columns has its map C4?",
    67.0,
    (
        Mistake(
            "rounded down",
            66.0,
            "1066 / 16 is 66.625. A layer of stride 2 begins at the first cell and gives a cell "
            "also for what is left at the end: it rounds up.",
        ),
        Mistake("not whole", 66.625, "A map has whole columns. Up or down?"),
        Mistake(
            "padded to a multiple of 32",
            68.0,
            "That holds inside the detector, which pads its images to a multiple of 32: to 1088 "
            "pixels here. Asked for is the map of the image as it is.",
        ),
        Mistake("C5", 34.0, "That is C5, at stride 32. Which power of 2 is the stride of C4?"),
        Mistake("C3", 134.0, "That is C3, at stride 8. Which power of 2 is the stride of C4?"),
        Mistake("C3, down", 133.0, "That is C3, at stride 8, and rounded down. C4 has stride 16."),
        Mistake("C2", 267.0, "That is C2, at stride 4. Which power of 2 is the stride of C4?"),
    ),
    praise="Right: 1066, 533, 267, 134, 67.",
)

FIELD = Exercise(
    "7.3",
    "ResNet-18 begins with a convolution of 7 x 7 and stride 2 and max pooling over 3 x 3 with "
    "stride 2. Each stage has two blocks of two 3 x 3 convolutions; the first convolution of the "
    "second stage has stride 2. How many pixels does a cell of C3 see along one axis?",
    99.0,
    (
        Mistake(
            "stride too early",
            111.0,
            "You multiplied by the stride of a layer before you added its window. The window lies "
            "on the layer's input: it counts in the stride of that map.",
        ),
        Mistake(
            "whole window",
            145.0,
            "You added whole windows. One cell of each window was counted already: add one less.",
        ),
        Mistake(
            "pooling left out",
            51.0,
            "You left out the pooling, which has a window of 3 and a stride of 2 like a layer; or "
            "you counted one block in each stage, and there are two.",
        ),
        Mistake(
            "one block",
            67.0,
            "You stopped after the first block of the second stage. It has two blocks.",
        ),
        Mistake("C4", 211.0, "That is C4. C3 is the output of the second stage."),
        Mistake("C2", 43.0, "That is C2. The second stage adds four more convolutions."),
        Mistake(
            "stride",
            8.0,
            "8 is the stride of C3: how far apart the fields of two neighbours lie, and not how "
            "far one cell sees.",
        ),
        Mistake(
            "shortcut",
            11.0,
            "You followed the shortcuts. The field is that of the way that sees most: the branch.",
        ),
    ),
    praise="Right: 7, 11, then 43 after the first stage, 51 and 99.",
)


def pixels_seen(layers: Sequence[tuple[int, int, int]], cell: int, length: int) -> list[int]:
    """First pixel that a cell sees, and the first after its field: the answer to 7.4."""
    first, size, stride = 0, 1, 1
    for window, step, padding in layers:
        first -= padding * stride
        size += (window - 1) * stride
        stride *= step
    start = first + cell * stride
    return [max(start, 0), min(start + size, length)]


_GROW = "size += (window - 1) * stride"

PIXELS = Exercise(
    "7.4",
    "Write pixels_seen(layers, cell, length): along one axis of an image of `length` pixels, the "
    "pixels that cell number `cell` of a map depends on. `layers` holds (window, stride, padding) "
    "of each layer, the one next to the image first. Return two whole numbers, the first pixel and "
    "one more than the last, both kept inside the image. The field of every cell that is asked for "
    "reaches into the image.",
    pixels_seen,
    (
        Mistake(
            "whole window",
            Edit(_GROW, "size += window * stride"),
            "You add whole windows. One cell of each window was counted already: add one less.",
        ),
        Mistake(
            "stride too early",
            Edit(
                "        first -= padding * stride\n",
                "        stride *= step\n        first -= padding * stride\n",
                "* stride\n        stride *= step\n",
                "* stride\n",
            ),
            "You multiply by a layer's stride before you use its window and padding. These lie on "
            "the layer's input, in the stride of that map.",
        ),
        Mistake(
            "windows not scaled",
            Edit(_GROW, "size += window - 1"),
            "You count windows in cells of their own maps. One cell there is `stride` pixels here.",
        ),
        Mistake(
            "strides added",
            Edit("stride *= step", "stride += step - 1"),
            "You add strides. Two layers of stride 2 have a stride of 4 together.",
        ),
        Mistake(
            "padding forgotten",
            Edit("        first -= padding * stride\n", ""),
            "You leave the padding out: with it, the field of cell 0 begins outside the image.",
        ),
        Mistake(
            "padding not scaled",
            Edit("first -= padding * stride", "first -= padding"),
            "Right for the first layer. Padding of a later layer is in cells of its input map, and "
            "each of these is `stride` pixels.",
        ),
        Mistake(
            "last pixel",
            Edit("min(start + size, length)", "min(start + size, length) - 1"),
            "You return the last pixel. The second number is one more than that.",
        ),
        Mistake(
            "not kept inside",
            Edit("[max(start, 0), min(start + size, length)]", "[start, start + size]"),
            "Right in the middle. At the border a part of the field is padding and not image.",
            also=(
                Edit("max(start, 0)", "start"),
                Edit("min(start + size, length)", "start + size"),
            ),
        ),
        Mistake(
            "stride as field",
            Edit(
                "[max(start, 0), min(start + size, length)]",
                "[cell * stride, min((cell + 1) * stride, length)]",
            ),
            "That is the square that the cell stands for. Its windows read beyond it.",
        ),
        Mistake(
            "from the map to the image",
            Edit("in layers:", "in layers[::-1]:"),
            "You go through the layers from the map to the image. Strides multiply from the image "
            "on.",
        ),
    ),
    groups={
        "one layer": [([(3, 1, 1)], 4, 10), ([(5, 1, 2)], 7, 30)],
        "no padding": [([(3, 1, 0), (3, 2, 0)], 2, 20), ([(2, 2, 0), (2, 2, 0)], 1, 16)],
        "two strides": [([(3, 2, 1), (3, 2, 1), (3, 1, 1)], 5, 64)],
        "windows of several sizes": [
            ([(7, 2, 3), (3, 2, 1), (1, 1, 0), (3, 2, 1), (1, 1, 0)], 6, 120),
            ([(3, 3, 2), (5, 1, 0), (1, 2, 0), (3, 1, 1)], 3, 200),
        ],
        "at the border": [
            ([(7, 2, 3), (3, 2, 1)], 0, 40),
            ([(7, 2, 3), (3, 2, 1)], 9, 40),
            ([(3, 2, 1), (3, 1, 1)], 1, 5),
        ],
    },
    praise="Right: windows and padding count in the stride of the map that they lie on.",
)


def identity_row(
    row: Sequence[float], first: Sequence[float], second: Sequence[float]
) -> np.ndarray:
    """Compute an identity block on a row of cells: the answer to 7.5."""
    cells = [float(value) for value in row]
    for weights in (first, second):
        padded = [0.0, *cells, 0.0]
        cells = [
            weights[0] * padded[i] + weights[1] * padded[i + 1] + weights[2] * padded[i + 2]
            for i in range(len(row))
        ]
        if weights is first:
            cells = [max(value, 0.0) for value in cells]
    return np.array([max(value + x, 0.0) for value, x in zip(cells, row, strict=True)])


def _convolve_same(
    row: Sequence[float], first: Sequence[float], second: Sequence[float]
) -> np.ndarray:
    """Use np.convolve's "same", which is as long as the longer of row and weights."""
    inner = np.maximum(np.convolve(row, first[::-1], "same"), 0)
    return np.maximum(np.convolve(inner, second[::-1], "same") + row, 0)


_BETWEEN = (
    "        if weights is first:\n            cells = [max(value, 0.0) for value in cells]\n"
)
_SUM = "weights[0] * padded[i] + weights[1] * padded[i + 1] + weights[2] * padded[i + 2]"


def _rows(*lengths: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    return [(_random.randint(-4, 5, n) / 1.0, *_random.randint(-6, 7, (2, 3)) / 2) for n in lengths]


_POSITIVE = [(_random.randint(1, 9, 6) / 1.0, *_random.randint(1, 5, (2, 3)) / 2)]

ROW = Exercise(
    "7.5",
    "Write identity_row(row, first, second): an identity block without normalisation on a row of "
    "cells. `first` and `second` hold the three weights of a convolution, for the cell before, the "
    "cell itself and the cell after; zeros stand outside the row. A ReLU follows the first "
    "convolution, and another the addition of the input. Return as many numbers as the row has.",
    identity_row,
    (
        Mistake(
            "no shortcut",
            Edit("max(value + x, 0.0)", "max(value, 0.0)"),
            "You return the ReLU of the branch. The block adds its input to the branch first.",
        ),
        Mistake(
            "no last ReLU",
            Edit("max(value + x, 0.0)", "value + x"),
            "Right where the sum is positive. A ReLU follows the addition.",
        ),
        Mistake(
            "no ReLU between",
            Edit(_BETWEEN, ""),
            "Right while the first convolution gives nothing below 0. A ReLU stands between the "
            "two convolutions.",
        ),
        Mistake(
            "ReLU too early",
            Edit("max(value + x, 0.0)", "max(value, 0.0) + x"),
            "You apply the ReLU to the branch and add afterwards. Then the branch can only raise a "
            "value. Add first.",
            also=(Edit("max(value + x, 0.0)", "max(max(value, 0.0) + x, 0.0)"),),
        ),
        Mistake(
            "mirrored",
            Edit(
                _SUM,
                "weights[2] * padded[i] + weights[1] * padded[i + 1] + weights[0] * padded[i + 2]",
            ),
            "You mirror the weights, as np.convolve does. The first belongs to the cell before.",
        ),
        Mistake(
            "border repeated",
            Edit("[0.0, *cells, 0.0]", "[cells[0], *cells, cells[-1]]"),
            "You repeat the outer cells. Outside the row stand zeros.",
        ),
        Mistake(
            "ReLU of the input",
            Edit("max(value + x, 0.0)", "max(value + max(x, 0.0), 0.0)"),
            "You add the ReLU of the input. The shortcut carries the input as it is.",
        ),
        Mistake(
            "convolutions swapped",
            Edit(
                "in (first, second):",
                "in (second, first):",
                "if weights is first:",
                "if weights is second:",
            ),
            "You use the weights `second` in the first convolution and `first` in the second.",
        ),
        Mistake(
            "one mirrored",
            Edit(
                _SUM,
                "sum(weights[2 - m if weights is first else m] * padded[i + m] for m in range(3))",
            ),
            "You mirror the weights of one convolution. In both, the first weight belongs to the "
            "cell before.",
            also=(
                Edit(
                    _SUM,
                    "sum(weights[m if weights is first else 2 - m] * padded[i + m] "
                    "for m in range(3))",
                ),
            ),
        ),
        Mistake(
            "shortcut too early",
            Edit(
                "cells = [max(value, 0.0) for value in cells]",
                "cells = [max(value, 0.0) + x for value, x in zip(cells, row, strict=True)]",
                "max(value + x, 0.0)",
                "max(value, 0.0)",
            ),
            "You add the input before the second convolution. The shortcut leads past both.",
        ),
        Mistake(
            "as long as the weights",
            _convolve_same,
            'Right for rows of three cells and more. With "same", the result of NumPy is as long '
            "as the longer of the two: three weights make three values of a shorter row.",
        ),
        Mistake(
            "one convolution",
            Edit("in (first, second):", "in (first,):"),
            "You use one convolution. The branch has two.",
        ),
    ),
    groups={
        "all values and weights positive": _POSITIVE,
        "two cells": [([2.0, 1.0], [-1.0, 1.0, 0.0], [1.0, -0.5, 0.0]), *_rows(2)],
        "one cell": [([3.0], [1.0, 2.0, 4.0], [8.0, -0.25, 32.0]), ([-3.0], [1, -1, 1], [0, 1, 0])],
        "longer rows": _rows(5, 8, 11),
    },
    praise="Right: two weighted sums with a ReLU between, the input added, and a ReLU.",
)


def gradient_of_row(
    row: Sequence[float],
    first: Sequence[float],
    second: Sequence[float],
    gradient: Sequence[float],
) -> np.ndarray:
    """Take a gradient back through an identity block on a row: the answer to 7.6."""
    padded = [0.0, *row, 0.0]
    inner = [sum(first[m] * padded[i + m] for m in range(3)) for i in range(len(row))]
    active = [0.0, *[max(value, 0.0) for value in inner], 0.0]
    total = [sum(second[m] * active[i + m] for m in range(3)) + row[i] for i in range(len(row))]
    after = [g if value > 0 else 0.0 for g, value in zip(gradient, total, strict=True)]
    to_inner, to_row = np.zeros(len(row) + 2), np.zeros(len(row) + 2)
    for i, g in enumerate(after):
        for m in range(3):
            to_inner[i + m] += second[m] * g
    for i, value in enumerate(inner):
        for m in range(3):
            if value > 0:
                to_row[i + m] += first[m] * to_inner[i + 1]
    return to_row[1:-1] + after


def _gradient_rows(*lengths: int) -> list[tuple[np.ndarray, ...]]:
    return [
        (*arguments, _random.randint(1, 9, len(arguments[0])) / 2) for arguments in _rows(*lengths)
    ]


GRADIENT = Exercise(
    "7.6",
    "Write gradient_of_row(row, first, second, gradient): take a gradient of the output of "
    "exercise 7.5 back to the input. `gradient` holds a number for each output cell. A ReLU passes "
    "the gradient where its input is above 0. Return as many numbers as the row has.",
    gradient_of_row,
    (
        Mistake(
            "no shortcut",
            Edit("return to_row[1:-1] + after", "return to_row[1:-1]"),
            "You take the gradient back through the branch alone. The shortcut brings the gradient "
            "of the sum to the input as it is.",
        ),
        Mistake(
            "shortcut only",
            Edit("return to_row[1:-1] + after", "return np.array(after)"),
            "You take the gradient back through the shortcut alone.",
        ),
        Mistake(
            "past the last ReLU",
            Edit("g if value > 0 else 0.0 for g", "g for g"),
            "You let the gradient past the ReLU after the addition where the sum is not above 0.",
        ),
        Mistake(
            "shortcut around the last ReLU",
            Edit("return to_row[1:-1] + after", "return to_row[1:-1] + np.array(gradient)"),
            "Your shortcut goes around the last ReLU. The addition comes before it.",
        ),
        Mistake(
            "past the ReLU between",
            Edit(
                "            if value > 0:\n                to_row",
                "            if True:\n                to_row",
            ),
            "You let the gradient past the ReLU between the convolutions where its input is not "
            "above 0.",
        ),
        Mistake(
            "by the gradient's sign",
            Edit(
                "            if value > 0:\n                to_row",
                "            if to_inner[i + 1] > 0:\n                to_row",
            ),
            "You let the gradient past the ReLU between where the gradient is above 0. What counts "
            "is the ReLU's input, the value of the forward pass; a negative gradient passes too.",
        ),
        Mistake(
            "branch instead of sum",
            Edit(" + row[i] for i in range", " for i in range"),
            "You let the gradient past the last ReLU where the branch is above 0. The input of "
            "that ReLU is the sum of branch and shortcut.",
        ),
        Mistake(
            "not transposed",
            Edit(
                "to_inner[i + m] += second[m] * g",
                "to_inner[i + m] += second[2 - m] * g",
                "to_row[i + m] += first[m] * to_inner[i + 1]",
                "to_row[i + m] += first[2 - m] * to_inner[i + 1]",
            ),
            "You use the weights as in the forward pass. A cell that an output read as the one "
            "before gets that output's gradient with this weight: seen from the cell, the order "
            "is reversed.",
        ),
    ),
    groups={
        "two cells": [([2.0, 1.0], [-1.0, 1.0, 0.0], [1.0, -0.5, 0.0], [1.0, 1.0])],
        "one cell": [
            ([3.0], [1.0, 2.0, 4.0], [8.0, 0.5, 32.0], [1.5]),
            ([-3.0], [1, 1, 1], [0, 1, 0], [1]),
        ],
        "all positive": [(*_POSITIVE[0], np.arange(1.0, 7))],
        "longer rows": _gradient_rows(5, 8, 11, 12),
        "nothing above 0 in the branch": [([1.0], [0.0, -1.0, 0.0], [0.0, 32.0, 0.0], [2.0])],
        "sums near 0": [
            ([1.0], [far, near, far], [far_, near_, far_], [2.0])
            for far, near in ((8.0, 1.0), (8.0, -1.0), (-8.0, 1.0), (-8.0, -1.0))
            for far_, near_ in ((32.0, -0.5), (32.0, -2.0), (-32.0, -0.5), (-32.0, -2.0))
        ]
        + [
            ([1.0], [far, 1.0, 0.0], [0.0, 0.5, far_], [2.0])
            for far in (8.0, -8.0)
            for far_ in (32.0, -32.0)
        ]
        + [
            ([1.0], [0.0, near, far], [far_, -1.5, 0.0], [2.0])
            for far in (8.0, -8.0)
            for near in (1.0, -1.0)
            for far_ in (32.0, -32.0)
        ],
    },
    praise="Right: through the ReLU, then along both ways, and the two are added.",
)

EXERCISES = (BY_HAND, COLUMNS, FIELD, PIXELS, ROW, GRADIENT)
"""In the order of the page."""

OPEN_TASKS = (
    OpenTask(
        "7.7",
        "A colleague has made a backbone twice as deep. Detections on new images are worse, and "
        "the colleague calls it overfitting. Which numbers do you ask for, and which change to the "
        "network would you try first?",
    ),
)
