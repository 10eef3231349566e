"""Exercise: the cells that RoIPool reads for a box, the first of its two roundings."""

import math

import numpy as np

from roilearn.exercises.exercise import Edit, Exercise, Mistake


def cells_read(box: np.ndarray, spatial_scale: float) -> list[int]:
    """First and stop of the columns and rows that RoIPool reads: the answer to 2.7."""
    corners = []
    for side in box:
        scaled = side * spatial_scale
        whole = math.trunc(scaled)
        if abs(scaled - whole) >= 0.5:
            whole += 1 if scaled > 0 else -1
        corners.append(whole)
    left, top, right, bottom = corners
    return [left, top, right + 1, bottom + 1]


_AWAY = "        if abs(scaled - whole) >= 0.5:\n            whole += 1 if scaled > 0 else -1\n"
_HALF = [(np.array([40.0, 24.0, 665.0, 300.0]), 1 / 16), (np.array([2.0, 6.0, 10.0, 26.0]), 1 / 4)]

CELLS = Exercise(
    "2.7",
    "Write cells_read(box, spatial_scale) for a box x1, y1, x2, y2 in image pixels: the cells that "
    "RoIPool reads, as four whole numbers left, top, right, bottom. Each corner is scaled and "
    "rounded, halves away from zero; the cells named by x2 and y2 are read too. right and bottom "
    "are stops: one more than the last cell. The border of the map is left out of account.",
    cells_read,
    (
        Mistake(
            "end left out",
            Edit("right + 1, bottom + 1", "right, bottom"),
            "You leave the last cell out. RoIPool reads the cells that x2 and y2 name as well, so "
            "a "
            "stop is one more than the rounded corner.",
        ),
        Mistake(
            "floor",
            Edit("math.trunc(scaled)", "math.floor(scaled)", _AWAY, ""),
            "You rounded down. RoIPool rounds to the nearest cell.",
            also=(Edit(_AWAY, ""),),
        ),
        Mistake(
            "Python's round",
            Edit("math.trunc(scaled)", "round(scaled)", _AWAY, ""),
            "Right but for the halves: Python's round and NumPy's take them to the even number, "
            "RoIPool away from zero.",
        ),
        Mistake(
            "floor of x + 0.5",
            Edit("math.trunc(scaled)", "math.floor(scaled + 0.5)", _AWAY, ""),
            "Right above zero. Below zero floor(x + 0.5) takes halves towards zero: -0.5 becomes "
            "0.",
        ),
        Mistake(
            "rounded outwards",
            Edit(
                "return [left, top, right + 1, bottom + 1]",
                "s = spatial_scale\n    return [math.floor(box[0] * s), math.floor(box[1] * s), "
                "math.ceil(box[2] * s), math.ceil(box[3] * s)]",
            ),
            "These are the cells that the box touches. RoIPool rounds every corner to the nearest.",
        ),
        Mistake(
            "width rounded",
            Edit(
                "[left, top, right + 1, bottom + 1]",
                "[left, top, left + int((box[2] - box[0]) * spatial_scale + 0.5), top + "
                "int((box[3] - box[1]) * spatial_scale + 0.5)]",
            ),
            "You rounded the width. RoIPool rounds both corners, and the width follows.",
        ),
        Mistake(
            "rows first",
            Edit("[left, top, right + 1, bottom + 1]", "[top, left, bottom + 1, right + 1]"),
            "Right numbers in another order: left, top, right, bottom, as the box has x1, y1, x2, "
            "y2.",
        ),
        Mistake(
            "scale upside down",
            Edit("side * spatial_scale", "side / spatial_scale"),
            "You divided by the scale. spatial_scale is 1 / stride: multiply.",
        ),
    ),
    groups={
        "inside": [
            (np.array([37.0, 20.0, 171.0, 93.0]), 1 / 16),
            (np.array([5.0, 9.0, 18.0, 31.0]), 1 / 4),
        ],
        "halves": _HALF,
        "left of the image": [
            (np.array([-22.0, -3.0, 13.0, 41.0]), 1 / 4),
            (np.array([-10.0, -14.0, 3.0, 6.0]), 1 / 4),
            (np.array([-3.0, -1.0, 5.0, 7.0]), 1 / 4),
        ],
        "a box under one cell": [
            (np.array([20.0, 33.0, 22.0, 38.0]), 1 / 16),
            (np.array([3.0, 3.0, 3.0, 3.0]), 1 / 4),
        ],
        "on cells' edges": [(np.array([8.0, 4.0, 16.0, 20.0]), 1 / 4)],
        "scale 1": [(np.array([1.5, 2.25, 6.75, 9.5]), 1.0)],
    },
    praise="Right: corners rounded half away from zero, and the last cells are read.",
)
