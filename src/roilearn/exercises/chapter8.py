"""Exercises of chapter 8 (feature pyramids), with the mistakes they are set to catch."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from roilearn.exercises.exercise import Edit, Exercise, Mistake, OpenTask

_random = np.random.RandomState(8)

CELL = Exercise(
    "8.1",
    "Three laterals of one channel, finest first: 4 x 4 cells that all hold 1; 2 x 2 cells, first "
    "row 2 and 3, second row 4 and 5; a single cell, 10. The top-down step adds them. What is in "
    "the cell at row 1, column 2 of the finest sum? Rows and columns count from 0.",
    14.0,
    (
        Mistake(
            "only the next map",
            4.0,
            "You added the lateral of the middle map. From above comes its *sum*, in which the "
            "coarsest map is already contained.",
        ),
        Mistake(
            "transposed",
            15.0,
            "You read the middle map at row 1, column 0. Row 1 of 4 lies in row 0 of 2, and column "
            "2 in column 1.",
        ),
        Mistake("last cell", 16.0, "Row 1 of 4 lies in row 0 of 2: the row number is halved."),
        Mistake(
            "first cell", 13.0, "Column 2 of 4 lies in column 1 of 2: the column number is halved."
        ),
        Mistake(
            "averaged",
            7.0,
            "You took means. The pyramid of the paper adds; averaging is an option of Detectron2.",
        ),
        Mistake(
            "middle left out",
            11.0,
            "You added the coarsest map alone. The lateral of the middle map is part of the sum.",
        ),
        Mistake("lateral", 1.0, "That is the lateral alone. What comes from above?"),
    ),
    praise="Right: 1 + (3 + 10).",
)

LEVEL = Exercise(
    "8.2",
    "A box of 100 x 400 pixels, canonical scale 224, canonical level 4, levels 2 to 5. From which "
    "level is it pooled?",
    3.0,
    (
        Mistake(
            "rounded to the nearest",
            4.0,
            "The size is 200, and log2(200 / 224) is -0.16. Added to 4 that is 3.84, and the rule "
            "rounds down. If you took the longer side: the size is the root of the area.",
        ),
        Mistake("shorter side", 2.0, "The size is the root of width times height, not one side."),
        Mistake("not whole", 4 + math.log2(200 / 224), "Right so far. Round it down."),
        Mistake(
            "no root",
            5.0,
            "You took the area for the size. The root is missing: a box of twice the side has four "
            "times the area, and goes up one level.",
        ),
    ),
    tolerance=0.005,  # 3.84 is the number that is not yet rounded down
    praise="Right: the size is 200, and floor(4 - 0.16) is 3.",
)

RESIZED = Exercise(
    "8.3",
    "An image of 640 x 480 pixels is resized to 1067 x 800 before the backbone. A box of "
    "200 x 200 pixels is given in the image as it was. Canonical scale 224, canonical level 4, "
    "levels 2 to 5. From which level is it pooled?",
    4.0,
    (
        Mistake(
            "measured before",
            3.0,
            "You measured the box in the image as it was. The maps belong to the resized image, in "
            "which the box is 5/3 as large.",
        ),
        Mistake(
            "rounded to the nearest",
            5.0,
            "log2(333 / 224) is 0.57. Added to 4 that is 4.57, and the rule rounds down. If you "
            "scaled by the factor of the area: a side grows by 800 / 480.",
        ),
        Mistake("not whole", 4 + math.log2(1000 / 3 / 224), "Right so far. Round it down."),
    ),
    tolerance=0.005,  # 4.57 is the number that is not yet rounded down
    praise="Right: 200 x 5/3 is 333 pixels, between 224 and 448.",
)


def assign_level(
    box: Sequence[float],
    min_level: int,
    max_level: int,
    canonical_scale: float,
    canonical_level: int,
) -> int:
    """Level from which one box is pooled: the answer to 8.4."""
    x1, y1, x2, y2 = box
    area = (x2 - x1) * (y2 - y1)
    if area <= 0:
        return min_level
    doublings = math.log2(math.sqrt(area) / canonical_scale)
    level = math.floor(canonical_level + doublings + 1e-6)
    return min(max(level, min_level), max_level)


_DOUBLINGS = "math.log2(math.sqrt(area) / canonical_scale)"

ASSIGN = Exercise(
    "8.4",
    "Write assign_level(box, min_level, max_level, canonical_scale, canonical_level): the level "
    "from which one box is pooled. `box` holds x1, y1, x2, y2 in pixels of the image that the "
    "backbone sees. Round down, after adding 1e-6; keep the level between `min_level` and "
    "`max_level`, both included. A box whose area is 0 or less gets `min_level`. Return a whole "
    "number.",
    assign_level,
    (
        Mistake(
            "rounded to the nearest",
            Edit("math.floor(", "round("),
            "You round to the nearest. The paper rounds down, so that a level begins at the "
            "canonical scale and not at 0.71 of it.",
        ),
        Mistake(
            "no epsilon",
            Edit(" + 1e-6", ""),
            "Right but for boxes whose size is a power of 2 times the canonical scale, less a "
            "rounding error. Add 1e-6 before you round down.",
        ),
        Mistake(
            "epsilon inside the logarithm",
            Edit(
                "/ canonical_scale)", "/ canonical_scale + 1e-6)", "doublings + 1e-6)", "doublings)"
            ),
            "You add 1e-6 to the ratio, inside the logarithm. Add it to the level.",
        ),
        Mistake(
            "not kept within",
            Edit("min(max(level, min_level), max_level)", "level"),
            "Very small and very large boxes get levels that the pyramid does not have.",
            also=(
                Edit("min(max(level, min_level), max_level)", "max(level, min_level)"),
                Edit("min(max(level, min_level), max_level)", "min(level, max_level)"),
            ),
        ),
        Mistake(
            "sign",
            Edit(
                "canonical_level + doublings",
                "canonical_level - doublings",
            ),
            "You subtract the logarithm. A larger box belongs to a higher level.",
        ),
        Mistake(
            "no root",
            Edit("math.sqrt(area)", "area"),
            "You take the area for the size. Its root is missing.",
            also=(Edit("/ canonical_scale", "/ canonical_scale**2", "math.sqrt(area)", "area"),),
        ),
        Mistake(
            "longer side",
            Edit("math.sqrt(area)", "max(x2 - x1, y2 - y1)"),
            "You take the longer side for the size. It is the root of width times height.",
        ),
        Mistake(
            "natural logarithm",
            Edit("math.log2(", "math.log("),
            "You use the natural logarithm. One level is one doubling: base 2.",
        ),
        Mistake(
            "224 and 4 fixed",
            Edit(_DOUBLINGS, "math.log2(math.sqrt(area) / 224)"),
            "You use 224. The canonical scale is an argument, because not every model is trained "
            "on images of 800 pixels.",
        ),
        Mistake(
            "counted from 0",
            Edit(
                "min(max(level, min_level), max_level)",
                "min(max(level, min_level), max_level) - min_level",
            ),
            "You count levels from 0, as torchvision does inside. Level k is the one of stride "
            "2**k here.",
        ),
        Mistake(
            "end included",
            Edit("(x2 - x1) * (y2 - y1)", "(x2 - x1 + 1) * (y2 - y1 + 1)"),
            "You add 1 to width and height. The ends of a box are exclusive here.",
        ),
        Mistake(
            "area without its sign",
            Edit("(x2 - x1) * (y2 - y1)", "abs((x2 - x1) * (y2 - y1))"),
            "You drop the sign of the area. A box that is inverted along one axis gets the first "
            "level.",
        ),
        Mistake(
            "no area",
            Edit("return min_level\n    doublings", "return max_level\n    doublings"),
            "Right but for boxes without area. They get the first level.",
        ),
    ),
    groups={
        "square boxes": [
            ((10.0, 20.0, 10.0 + side, 20.0 + side), 2, 5, 224, 4)
            for side in (60.0, 200.0, 300.0, 320.0)
        ],
        "not square": [
            ((5.0, 0.0, 105.0, 400.0), 2, 5, 224, 4),
            ((0.0, 0.0, 500.0, 90.0), 2, 5, 224, 4),
            ((300.0, 20.0, 400.0, 180.0), 2, 5, 224, 4),
            ((20.0, 300.0, 180.0, 400.0), 2, 5, 224, 4),
        ],
        "at the edges": [
            ((0.0, 0.0, side, side), 2, 5, 224, 4)
            for side in (111.5, 112.0, 223.5, 224.0, 447.5, 448.0)
        ],
        "a rounding error below an edge": [
            ((0.0, 0.0, 224.0 * (1 - 4e-7), 224.0), 2, 5, 224, 4),
            ((0.0, 0.0, 112.0 * (1 - 4e-7), 112.0), 2, 5, 224, 4),
            ((0.0, 0.0, 224.0 * (1 - 4e-6), 224.0), 2, 5, 224, 4),
            ((0.0, 0.0, 224.0 * (1 - 1.7e-6), 224.0), 2, 5, 224, 4),
        ],
        "another canonical scale and level": [
            ((18.7, 53.0, 50.2, 84.5), 2, 4, 112, 4),
            ((29.0, 0.0, 120.0, 80.0), 2, 4, 112, 4),
            ((0.0, 0.0, 100.0, 150.0), 2, 6, 56, 3),
        ],
        "smaller or larger than any level": [
            ((0.0, 0.0, 3.0, 5.0), 2, 5, 224, 4),
            ((0.0, 0.0, 2000.0, 1500.0), 2, 5, 224, 4),
            ((0.0, 0.0, 2000.0, 1500.0), 3, 4, 224, 4),
        ],
        "no area": [
            ((7.0, 7.0, 7.0, 90.0), 2, 5, 224, 4),
            ((7.0, 7.0, 7.0, 90.0), 3, 5, 224, 4),
            ((90.0, 7.0, 7.0, 90.0), 2, 5, 224, 4),
            ((600.0, 7.0, 7.0, 600.0), 2, 5, 224, 4),
            ((0.0, 0.0, 0.5, 1.0), 0, 5, 1, 4),
        ],
    },
    praise="Right: the root of the area, its doublings, rounded down, and kept within.",
)


def top_down(laterals: Sequence[np.ndarray]) -> np.ndarray:
    """Sum of all laterals, each coarser one enlarged: the answer to 8.5."""
    total = laterals[-1]
    for lateral in laterals[-2::-1]:
        above = total
        rows, columns = above.shape
        height, width = lateral.shape
        total = np.array(lateral, dtype=float)
        for i in range(height):
            for j in range(width):
                total[i, j] += above[i * rows // height, j * columns // width]
    return total


def lateral_above(laterals: Sequence[np.ndarray], lateral: np.ndarray) -> np.ndarray:
    """Return the lateral that is one step coarser: what a known mistake adds."""
    return next(b for a, b in pairwise(laterals) if a is lateral)


def _laterals(*sizes: tuple[int, int]) -> list[np.ndarray]:
    return [_random.randint(-9, 10, size) / 2 for size in sizes]


TOP_DOWN = Exercise(
    "8.5",
    "Write top_down(laterals): the top-down step of a feature pyramid. `laterals` is a list of "
    "maps of one channel, arrays (rows, columns), finest first. Begin with the coarsest. To each "
    "finer "
    "map add the sum so far, enlarged to the size of that map: cell (i, j) of H x W copies row "
    "i * h // H and column j * w // W of h x w. Leave the arrays that you are given as they are. "
    "Return the finest of the sums, an array of the size of the first lateral.",
    top_down,
    (
        Mistake(
            "only the next map",
            Edit("        above = total\n", "        above = lateral_above(laterals, lateral)\n"),
            "You add the next coarser *lateral*. Add its sum, so that the coarsest map reaches the "
            "finest: go from the top down.",
        ),
        Mistake(
            "nothing added",
            Edit("total[i, j] += above", "total[i, j] += 0 * above"),
            "You return the finest lateral as it is.",
        ),
        Mistake(
            "enlarged without adding",
            Edit("total[i, j] += above", "total[i, j] = above"),
            "You replace the lateral by the enlarged map. Add the two.",
        ),
        Mistake(
            "averaged",
            Edit("    return total", "        total /= 2\n    return total"),
            "You take the mean of the two. The pyramid of the paper adds.",
        ),
        Mistake(
            "rounded up",
            Edit("i * rows // height", "-(-i * rows // height) % rows"),
            "Your row or column is rounded up. Row i of H lies in row i * h // H.",
            also=(Edit("j * columns // width", "-(-j * columns // width) % columns"),),
        ),
        Mistake(
            "doubled",
            Edit(
                "i * rows // height, j * columns // width",
                "min(i // 2, rows - 1), min(j // 2, columns - 1)",
            ),
            "You double the map, whatever the size of the finer one. Enlarge it to that size.",
        ),
        Mistake(
            "coarsest",
            lambda laterals: np.array(laterals[-1], dtype=float),
            "You return the coarsest map, from which the sums begin. Return the finest sum.",
        ),
        Mistake(
            "tiled",
            Edit("i * rows // height, j * columns // width", "i % rows, j % columns"),
            "You lay whole maps side by side. Repeat each cell instead: np.repeat, not np.tile.",
        ),
    ),
    groups={
        "one map": [(_laterals((3, 2)),)],
        "two maps": [(_laterals((4, 4), (2, 2)),), (_laterals((2, 6), (1, 3)),)],
        "three maps": [(_laterals((8, 4), (4, 2), (2, 1)),)],
        "four maps": [(_laterals((8, 16), (4, 8), (2, 4), (1, 2)),)],
        "odd sizes": [
            (_laterals((5, 7), (3, 4)),),
            (_laterals((9, 5), (5, 3), (3, 2)),),
            (_laterals((6, 9), (2, 4)),),
        ],
    },
    praise="Right: from the coarsest map down, each sum goes on to the next.",
)

EXERCISES = (CELL, LEVEL, RESIZED, ASSIGN, TOP_DOWN)
"""In the order of the page."""

OPEN_TASKS = (
    OpenTask(
        "8.6",
        "A detector for aerial photographs of 4000 x 4000 pixels, whose objects are all 12 to 30 "
        "pixels wide, uses the pyramid P2 to P5 with a canonical scale of 224. Which levels are "
        "ever pooled from? What would you change, and what does it cost?",
    ),
)
