"""Exercises of chapter 11 (detection targets), with the mistakes they are set to catch."""

import math
from collections.abc import Sequence

import numpy as np

from roilearn.exercises.exercise import Edit, Exercise, Mistake, OpenTask

_random = np.random.RandomState(11)

LABELS = Exercise(
    "11.1",
    "Two objects have these IoUs with seven anchors: A .8 .7 .65 .3 .25 .1 .1 and "
    "B 0 .1 0 .2 0 .4 .4. With the thresholds 0.7 and 0.3 and the low-quality rule, give the label "
    "of each anchor as a list: 1 positive, 0 negative, -1 ignored.",
    np.array([1, 1, -1, -1, 0, 1, 1]),
    (
        Mistake(
            "no rescue",
            np.array([1, 1, -1, -1, 0, -1, -1]),
            "Object B is left without an anchor. Go along its row as well.",
        ),
        Mistake(
            "one anchor of a tie",
            np.array([1, 1, -1, -1, 0, 1, -1]),
            "Two anchors have the highest IoU of B. The low-quality rule takes both.",
            also=(np.array([1, 1, -1, -1, 0, -1, 1]),),
        ),
        Mistake(
            "above the threshold only",
            np.array([1, -1, -1, -1, 0, 1, 1]),
            "An IoU of exactly 0.7 reaches the upper threshold.",
        ),
        Mistake(
            "at the lower threshold",
            np.array([1, 1, -1, 0, 0, 1, 1]),
            "An IoU of exactly 0.3 is not below the lower threshold.",
        ),
        Mistake(
            "ignored as negative",
            np.array([1, 1, 0, 0, 0, 1, 1]),
            "You call the anchors between the thresholds negative. They are told nothing.",
        ),
        Mistake(
            "indices of objects",
            np.array([0, 0, -2, -2, -1, 1, 1]),
            "Those are matches: indices of objects, with -1 and -2. The task asks for labels.",
        ),
    ),
    praise="Right: 5 and 6 tie for the best IoU of B, and 0.3 is not below 0.3.",
)

COUNTS = Exercise(
    "11.2",
    "The heads sample at most 128 boxes of an image, at most a quarter of them positive. One image "
    "has 40 positive boxes, 300 negative and 100 ignored ones; another has 10 positive and 50 "
    "negative. Give a list of four numbers: sampled positives and negatives of the first image, "
    "then of the second.",
    np.array([32, 96, 10, 50]),
    (
        Mistake(
            "no limit of positives",
            np.array([40, 88, 10, 50]),
            "You sample all 40 positives of the first image. A quarter of 128 is 32.",
        ),
        Mistake(
            "one to three",
            np.array([32, 96, 10, 30]),
            "You keep one to three in the second image. The quarter is a limit of the positives; "
            "negatives fill what is left of 128, as far as there are any.",
        ),
        Mistake(
            "ignored as negative",
            np.array([32, 96, 10, 118]),
            "The second image has only 50 negatives, and nothing else fills their places.",
        ),
        Mistake(
            "a quarter of what there is",
            np.array([32, 96, 15, 45]),
            "You take a quarter of the 60 boxes of the second image. It has 10 positives, and all "
            "of its negatives fit into 128.",
        ),
    ),
    praise="Right: 32 is the limit in the first image; in the second everything fits.",
)


def match(iou: Sequence[Sequence[float]], high: float, low: float) -> list[int]:
    """Object of each anchor, -1 for background, -2 for ignored: the answer to 11.3."""
    highest = [max(row) for row in iou]
    matches = []
    for column in zip(*iou, strict=True):
        best = max(column)
        rescued = any(u == h for u, h in zip(column, highest, strict=True))
        if best >= high or rescued:
            matches.append(column.index(best))
        elif best < low:
            matches.append(-1)
        else:
            matches.append(-2)
    return matches


_NAMED = "next((t for t, (u, h) in enumerate(zip(column, highest)) if u == h), "


def _objects_without_an_anchor_alone(
    iou: Sequence[Sequence[float]], high: float, low: float
) -> list[int]:
    """Match, but skip the row of an object that has an anchor by now: a known mistake."""
    columns = list(zip(*iou, strict=True))
    best = [column.index(max(column)) for column in columns]
    matches = []
    for column, t in zip(columns, best, strict=True):
        matches.append(t if column[t] >= high else -2 if column[t] >= low else -1)
    for t, row in enumerate(iou):
        if t not in matches:
            for k, u in enumerate(row):
                if u == max(row):
                    matches[k] = best[k]
    return matches


def _table(objects: int, anchors: int) -> list[list[float]]:
    return (_random.randint(0, 11, (objects, anchors)) / 10).tolist()


MATCH = Exercise(
    "11.3",
    "Write match(iou, high, low): the object of each anchor. `iou` is a list of T rows, one for "
    "each object, with A numbers each, one for each anchor. An anchor whose highest IoU is at "
    "least `high` is matched; below `low` it is background; otherwise it is ignored. Whatever "
    "these say, every anchor that has the highest IoU of some object is matched too, all of them "
    "in a tie, however low that IoU is: even 0, as in torchvision. Return a list of A whole "
    "numbers: for a matched anchor the index of the object with which *it* has the highest IoU, "
    "the first of several; -1 for background; -2 for ignored. There is at least one object and "
    "one anchor.",
    match,
    (
        Mistake(
            "no rescue",
            Edit("best >= high or rescued", "best >= high"),
            "Right but for the low-quality rule: objects whose best IoU is below `high` have no "
            "anchor. Go along the rows as well.",
        ),
        Mistake(
            "one anchor of a tie",
            Edit(
                "for column in zip(*iou, strict=True)",
                "for k, column in enumerate(zip(*iou, strict=True))",
                "u == h for u, h in zip(column, highest, strict=True)",
                "row.index(max(row)) == k for row in iou",
            ),
            "Right but for ties: you rescue the first anchor of an object. All that have the "
            "highest IoU of its row are matched.",
        ),
        Mistake(
            "an object without overlap",
            Edit("u == h", "u == h and u > 0"),
            "Right but for an object that overlaps no anchor: its highest IoU is 0, and here, as "
            "in torchvision, every anchor with an IoU of 0 to it is matched.",
        ),
        Mistake(
            "the object that names it",
            Edit("column.index(best)", f"{_NAMED}column.index(best))"),
            "You match a rescued anchor with the object that named it. It is matched with the "
            "object of its own highest IoU, the largest in its column.",
        ),
        Mistake(
            "rescued above the low threshold only",
            Edit("u == h", "u == h and u >= low"),
            "You rescue no anchor whose IoU is below `low`. The rule holds for any IoU.",
        ),
        Mistake(
            "objects without an anchor alone",
            _objects_without_an_anchor_alone,
            "You skip an object that has an anchor already. Its best anchors are matched whatever "
            "else it has.",
        ),
        Mistake(
            "the best object's row alone",
            Edit(
                "any(u == h for u, h in zip(column, highest, strict=True))",
                "best == highest[column.index(best)]",
            ),
            "You rescue an anchor only for its own best object. Any object whose highest IoU it "
            "has is enough.",
        ),
        Mistake(
            "above the threshold only",
            Edit("best >= high or rescued", "best > high or rescued"),
            "Right but for an IoU of exactly `high`: it is enough.",
        ),
        Mistake(
            "at the lower threshold",
            Edit("best < low", "best <= low"),
            "Right but for an IoU of exactly `low`: only below it an anchor is background.",
        ),
        Mistake(
            "ignored as negative",
            Edit("append(-2)", "append(-1)"),
            "You call anchors between the thresholds background. They are ignored: -2.",
        ),
        Mistake(
            "last object of a tie",
            Edit("column.index(best)", "len(column) - 1 - column[::-1].index(best)"),
            "Right but for an anchor with two best objects: the first counts.",
        ),
        Mistake(
            "the wrong axis",
            lambda iou, high, low: match([[*column] for column in zip(*iou)], high, low),  # noqa: B905
            "You return one number for each object. Go down the columns: one for each anchor.",
        ),
        Mistake(
            "labels in place of indices",
            lambda iou, high, low: [
                min(one + 1, 1) if one > -1 else one for one in match(iou, high, low)
            ],
            "You return 1 for every matched anchor. Return the index of its object.",
        ),
    ),
    groups={
        "thresholds alone": [
            ([[0.9, 0.5, 0.1, 0.75]], 0.7, 0.3),
            ([[0.9, 0.1, 0.5], [0.2, 0.8, 0.6]], 0.7, 0.3),
        ],
        "exactly a threshold": [
            ([[0.9, 0.7, 0.3]], 0.7, 0.3),
            ([[0.75, 0.5, 0.25], [1.0, 0.0, 0.25]], 0.5, 0.5),
        ],
        "an object to rescue": [
            ([[0.9, 0.1, 0.2], [0.0, 0.4, 0.2]], 0.7, 0.3),
            ([[0.9, 0.1, 0.2], [0.0, 0.15, 0.05]], 0.7, 0.3),
        ],
        "ties of anchors": [([[0.2, 0.5, 0.0, 0.5, 0.4]], 0.7, 0.3)],
        "ties of objects": [([[0.8, 0.6], [0.8, 0.2]], 0.7, 0.3)],
        "an anchor that two objects need": [
            ([[0.6, 0.65], [0.4, 0.1]], 0.7, 0.3),
            ([[0.1, 0.2, 0.3], [0.6, 0.65, 0.8]], 0.7, 0.3),
            ([[0.2, 0.1, 0.0], [0.5, 0.6, 0.0]], 0.7, 0.3),
        ],
        "an object without overlap": [
            ([[0.0, 0.0, 0.0], [0.8, 0.4, 0.0]], 0.7, 0.3),
            ([[0.8, 0.1, 0.35, 0.0], [0.0, 0.0, 0.0, 0.0]], 0.7, 0.3),
        ],
        "many": [(_table(3, 12), 0.7, 0.3), (_table(5, 9), 1.0, 0.6)],
    },
    praise="Right: columns for the thresholds, rows for the rescue, and the column again for the "
    "object.",
)


def sample(
    labels: Sequence[int], order: Sequence[int], num_samples: int, positive_fraction: float
) -> list[int]:
    """Sample boxes and return their indices: the answer to 11.4."""
    most = int(num_samples * positive_fraction)
    positive, negative = [], []
    for k in order:
        if labels[k] > 0 and len(positive) < most:
            positive.append(k)
    for k in order:
        if labels[k] == 0 and len(negative) < num_samples - len(positive):
            negative.append(k)
    return sorted(positive + negative)


def _drawn(count: int) -> tuple[list[int], list[int]]:
    """Random labels from -1 to 3, and a random order of them."""
    return _random.randint(-1, 4, count).tolist(), _random.permutation(count).tolist()


def _filled_with_positives(
    labels: Sequence[int], order: Sequence[int], num_samples: int, positive_fraction: float
) -> list[int]:
    """Sample, then fill the places that are left with further positives: a known mistake."""
    drawn = sample(labels, order, num_samples, positive_fraction)
    more = [k for k in order if labels[k] > 0 and k not in drawn]
    return sorted(drawn + more[: num_samples - len(drawn)])


def _limited_after_the_draw(
    labels: Sequence[int], order: Sequence[int], num_samples: int, positive_fraction: float
) -> list[int]:
    """Draw from positives and background together, then drop positives: a known mistake."""
    drawn = [k for k in order if labels[k] >= 0][:num_samples]
    positive = [k for k in drawn if labels[k] > 0][: int(num_samples * positive_fraction)]
    return sorted(positive + [k for k in drawn if labels[k] == 0])


def _by_rank(
    labels: Sequence[int], order: Sequence[int], num_samples: int, positive_fraction: float
) -> list[int]:
    """Read ``order`` as the place of each box, not as the boxes in their order: a known mistake."""
    return sample(labels, np.argsort(order).tolist(), num_samples, positive_fraction)


SAMPLE = Exercise(
    "11.4",
    "Write sample(labels, order, num_samples, positive_fraction): the boxes on which a loss is "
    "computed. `labels` holds a whole number for each box: above 0 for a positive one (its class), "
    "0 for background, -1 for ignored. `order` is a random order of all indices, given so that the "
    "result is fixed: of the boxes that are wanted, take the first ones in that order. Take at "
    "most num_samples * positive_fraction positives, rounded down. Background fills the places "
    "that are left of `num_samples`; if there is too little of it, fewer boxes are sampled. Return "
    "the indices of the sampled boxes, ascending.",
    sample,
    (
        Mistake(
            "no limit of positives",
            Edit("len(positive) < most", "len(positive) < num_samples"),
            "You take more positives than their fraction allows.",
        ),
        Mistake(
            "a fraction of what there is",
            Edit(
                "int(num_samples * positive_fraction)",
                "int(sum(label > 0 for label in labels) * positive_fraction)",
            ),
            "You take a fraction of the positives that there are. The limit is a fraction of "
            "num_samples.",
            also=(
                Edit(
                    "int(num_samples * positive_fraction)",
                    "int(min(num_samples, len(labels)) * positive_fraction)",
                ),
            ),
        ),
        Mistake(
            "limited after the draw",
            _limited_after_the_draw,
            "You draw num_samples boxes first and then drop positives. Take the positives up to "
            "their limit, and fill the places that are left with background.",
        ),
        Mistake(
            "at least one positive",
            Edit(
                "int(num_samples * positive_fraction)",
                "max(1, int(num_samples * positive_fraction))",
            ),
            "You take one positive even where the fraction allows none.",
        ),
        Mistake(
            "order read as ranks",
            _by_rank,
            "You read `order` as the rank of each box. It lists the boxes: order[0] is the first.",
        ),
        Mistake(
            "order read backwards",
            Edit(
                "in order:\n        if labels[k] > 0",
                "in order[::-1]:\n        if labels[k] > 0",
                "in order:\n        if labels[k] == 0",
                "in order[::-1]:\n        if labels[k] == 0",
            ),
            "You take the last boxes of `order`. Take the first ones.",
        ),
        Mistake(
            "filled with positives",
            _filled_with_positives,
            "Where background is missing you fill up with positives. Then fewer boxes are sampled.",
        ),
        Mistake(
            "places of positives stay empty",
            Edit("num_samples - len(positive)", "num_samples - most"),
            "You leave places empty where positives are missing. Background fills them.",
        ),
        Mistake(
            "a fixed proportion",
            Edit(
                "num_samples - len(positive)",
                "int(len(positive) * (1 / max(positive_fraction, 1e-9) - 1) + 1e-9)",
            ),
            "You take background in proportion to the positives found. It fills all places that "
            "are left.",
        ),
        Mistake(
            "ignored as negative",
            Edit("labels[k] == 0", "labels[k] <= 0"),
            "You sample ignored boxes as background.",
        ),
        Mistake(
            "class 1 alone",
            Edit("labels[k] > 0", "labels[k] == 1"),
            "You take only class 1 for positive. Every label above 0 is a class.",
        ),
        Mistake(
            "rounded up",
            Edit(
                "int(num_samples * positive_fraction)",
                "-int(-num_samples * positive_fraction // 1)",
            ),
            "You round the number of positives up. Round it down.",
            also=(
                Edit(
                    "int(num_samples * positive_fraction)", "round(num_samples * positive_fraction)"
                ),
            ),
        ),
        Mistake(
            "in the order of the boxes",
            lambda labels, order, num_samples, positive_fraction: sample(
                labels, range(len(order)), num_samples, positive_fraction
            ),
            "You take the first boxes of the list. Take the first ones in the given order.",
        ),
        Mistake(
            "not ascending",
            Edit("sorted(positive + negative)", "positive + negative"),
            "Right boxes. Return their indices in ascending order.",
        ),
    ),
    groups={
        "enough of both": [
            ([1, 0, 1, 0, 1, 0, 0, 0], [7, 2, 4, 1, 0, 3, 6, 5], 4, 0.5),
            ([0, 0, 1, 1, 0, 0], [5, 4, 3, 2, 1, 0], 4, 0.25),
        ],
        "few positives": [([0, 0, 2, 0, 0, 0], [5, 0, 3, 2, 1, 4], 4, 0.5)],
        "few negatives": [
            ([1, 1, 0, 1, 1], [4, 3, 2, 1, 0], 4, 0.5),
            ([1, 1, 0, 1], [1, 2, 0, 3], 6, 0.5),
        ],
        "ignored boxes": [([-1, 0, -1, 1, -1, 0], [0, 2, 4, 5, 3, 1], 5, 0.5)],
        "classes": [([3, 0, 2, 0, 1, 0], [0, 1, 2, 3, 4, 5], 4, 0.5)],
        "rounded down": [([1, 1, 1, 0, 0, 0], [2, 0, 1, 4, 3, 5], 5, 0.35)],
        "nothing": [([], [], 4, 0.5), ([0, 0, 0], [2, 0, 1], 2, 0.5), ([1, 1], [1, 0], 3, 0.0)],
        "many": [(*_drawn(40), 12, 0.25), (*_drawn(30), 50, 0.5)],
    },
    praise="Right: positives up to their limit, and background for the rest.",
)


def mask_target(mask: Sequence[Sequence[int]], box: Sequence[float], size: int) -> np.ndarray:
    """Mask of an object as seen from a box, one pixel read for each cell: the answer to 11.5."""
    height, width = np.shape(mask)
    x1, y1, x2, y2 = box
    target = np.zeros((size, size))
    for row in range(size):
        for column in range(size):
            x = x1 + (column + 0.5) * (x2 - x1) / size
            y = y1 + (row + 0.5) * (y2 - y1) / size
            i, j = math.floor(y), math.floor(x)
            if 0 <= i < height and 0 <= j < width:
                target[row, column] = mask[i][j]
    return target


def _mask(height: int, width: int) -> list[list[int]]:
    return _random.randint(0, 2, (height, width)).tolist()


MASK_TARGET = Exercise(
    "11.5",
    "Write mask_target(mask, box, size): what the mask head should draw for a box, in size x size "
    "cells. `mask` is a list of rows of 0 and 1, the mask of the object in the image; `box` holds "
    "x1, y1, x2, y2 in image pixels, ends exclusive, and is not rounded. Divide the box into size "
    "x size equal cells. A cell gets the value of the pixel in which its *centre* lies; pixel "
    "(i, j) covers y from i to i + 1 and x from j to j + 1. Outside the image there is 0. Return "
    "an array (size, size). (This is simpler than RoIAlign, which averages several points.)",
    mask_target,
    (
        Mistake(
            "rounded box",
            Edit("x1, y1, x2, y2 = box", "x1, y1, x2, y2 = (round(edge) for edge in box)"),
            "You round the box, which shifts the target. Keep its fractions.",
            also=(
                Edit("x1, y1, x2, y2 = box", "x1, y1, x2, y2 = (math.floor(edge) for edge in box)"),
            ),
        ),
        Mistake(
            "corners of cells",
            Edit("(column + 0.5)", "column", "(row + 0.5)", "row"),
            "You read at the upper left corner of each cell. Read at its centre.",
        ),
        Mistake(
            "from corner to corner",
            Edit(
                "(column + 0.5) * (x2 - x1) / size",
                "column * (x2 - x1) / max(size - 1, 1)",
                "(row + 0.5) * (y2 - y1) / size",
                "row * (y2 - y1) / max(size - 1, 1)",
            ),
            "Your points go from edge to edge of the box. Put one at the centre of each cell.",
        ),
        Mistake(
            "nearest whole number",
            Edit("math.floor(y), math.floor(x)", "round(y), round(x)"),
            "You round the position. The pixel in which it lies is its whole part: pixel i covers "
            "i to i + 1.",
        ),
        Mistake(
            "towards zero",
            Edit("math.floor(y), math.floor(x)", "int(y), int(x)"),
            "Right but for positions below 0: int(-0.4) is 0, a pixel of the image. Use floor.",
        ),
        Mistake(
            "no lower bound",
            Edit("if 0 <= i < height and 0 <= j < width", "if i < height and j < width"),
            "Right but for positions below 0: mask[-1] is the last row. Outside there is 0.",
        ),
        Mistake(
            "bounds swapped",
            Edit("if 0 <= i < height and 0 <= j < width", "if 0 <= i < width and 0 <= j < height"),
            "You compare rows with the width, or columns with the height.",
            also=(Edit("height, width = np.shape(mask)", "width, height = np.shape(mask)"),),
        ),
        Mistake(
            "x and y swapped",
            Edit("mask[i][j]", "mask[min(j, len(mask) - 1)][min(i, len(mask[0]) - 1)]"),
            "You read row j and column i. Rows belong to y.",
            also=(lambda mask, box, size: mask_target(mask, box, size).T,),
        ),
        Mistake(
            "end included",
            Edit("(x2 - x1)", "(x2 - x1 + 1)", "(y2 - y1)", "(y2 - y1 + 1)"),
            "You add 1 to the sides of the box. Its ends are exclusive here.",
        ),
        Mistake(
            "the whole mask",
            lambda mask, box, size: mask_target(mask, (0, 0, len(mask[0]), len(mask)), size),  # noqa: ARG005
            "You resize the whole mask. The head sees the box: crop the mask to it.",
        ),
        Mistake(
            "border repeated",
            Edit(
                "math.floor(y), math.floor(x)",
                "min(max(math.floor(y), 0), len(mask) - 1), "
                "min(max(math.floor(x), 0), len(mask[0]) - 1)",
            ),
            "Right but for cells outside the image: you repeat the border. There is 0.",
        ),
    ),
    groups={
        "cells are pixels": [(_mask(6, 8), (2.0, 1, 6, 5), 4)],
        "larger and smaller cells": [
            (_mask(9, 12), (1.0, 2, 9, 8), 2),
            (_mask(5, 6), (1.0, 1, 5, 4), 7),
        ],
        "fractions": [
            (_mask(9, 12), (1.3, 2.6, 9.2, 7.7), 5),
            (_mask(8, 8), (0.6, 0.7, 7.4, 6.6), 6),
        ],
        "beyond the image": [
            (_mask(6, 7), (-2.5, -1.4, 5.0, 9.0), 6),
            ([[1, 1], [1, 1]], (-1, -1, 3, 3), 4),
            ([[1, 1, 0, 1, 1]] * 2, (-0.9, -0.9, 6, 3), 5),
        ],
        "one cell": [(_mask(5, 5), (1.2, 0.4, 4.6, 3.9), 1)],
        "many": [(_mask(20, 30), (3.4, 2.2, 27.9, 18.1), 14)],
    },
    praise="Right: the mask as the box sees it, with nothing rounded but the pixel that is read.",
)

EXERCISES = (LABELS, COUNTS, MATCH, SAMPLE, MASK_TARGET)
"""In the order of the page."""

OPEN_TASKS = (
    OpenTask(
        "11.6",
        "A data set shows birds far away: 1 to 200 of them in an image, 4 to 12 pixels wide. The "
        "smallest anchors have a size of 32 pixels. Somebody trains with 0.7 and 0.3 and the "
        "low-quality rule, and the scores stay low. Which counts would you print before you change "
        "anything, what do you expect to see, and which of anchors, thresholds and sample would "
        "you change?",
    ),
)
