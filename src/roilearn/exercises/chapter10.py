"""Exercises of chapter 10 (from anchors to proposals), with the mistakes they are set to catch."""

from collections.abc import Sequence

import numpy as np

from roilearn.exercises.exercise import Edit, Exercise, Mistake, OpenTask

_random = np.random.RandomState(10)

IOU = Exercise(
    "10.1",
    "What is the IoU of the boxes [2, 1, 8, 5] and [5, 3, 11, 7]? Give two decimals or more.",
    1 / 7,
    (
        Mistake(
            "union not subtracted",
            1 / 8,
            "You divided by the sum of the two areas, in which the intersection is counted twice. "
            "Subtract it once.",
        ),
        Mistake(
            "over one area",
            1 / 4,
            "You divided by the area of one box. Divide by the area that either box covers.",
        ),
        Mistake(
            "end included",
            12 / 58,
            "You added 1 to each width and height. The ends of a box are exclusive here.",
            also=(12 / 70,),
        ),
        Mistake(
            "enclosing box",
            1 / 9,
            "You divided by the box around both. It contains two corners that neither box covers.",
        ),
        Mistake("intersection", 6.0, "That is the intersection. Divide it by the union."),
        Mistake("union", 42.0, "That is the union. The IoU is the intersection over it."),
    ),
    tolerance=5e-3,
    praise="Right: 6 over 24 + 24 - 6.",
)

KEPT = Exercise(
    "10.2",
    "Four boxes of 10 x 10 pixels lie in one row. Box 0 begins at x = 7 and scores 0.7, box 1 at "
    "x = 2 with 0.9, box 2 at x = 4 with 0.8, box 3 at x = 0 with 0.6. NMS with a threshold of "
    "0.5 keeps which boxes? Give their numbers in the order in which NMS returns them.",
    np.array([1, 0]),
    (
        Mistake(
            "removed boxes still remove",
            np.array([1]),
            "You let box 2 remove box 0, with an IoU of 7/13. Box 2 has been removed before, by "
            "box 1, and removes nothing.",
        ),
        Mistake(
            "by number",
            np.array([0, 1]),
            "Right boxes. NMS returns them by descending score and not by number.",
        ),
        Mistake(
            "lowest score first",
            np.array([3, 0]),
            "You began with the lowest score. Begin with the highest.",
        ),
        Mistake(
            "in the order given",
            np.array([0, 1, 3]),
            "Box 1 removes box 3: they overlap by 8 pixels of 12, an IoU of 2/3.",
            also=(np.array([1, 0, 3]),),
        ),
        Mistake(
            "without the best box",
            np.array([0]),
            "Box 1 is missing. It has the highest score, so it is kept first.",
        ),
        Mistake(
            "removed ones",
            np.array([2, 3]),
            "Those are the boxes that are removed.",
            also=(np.array([3, 2]),),
        ),
    ),
    praise="Right: box 1 removes 2 and 3, and box 0 overlaps box 1 with an IoU of 1/3 only.",
)


def box_iou(boxes1: Sequence[Sequence[float]], boxes2: Sequence[Sequence[float]]) -> np.ndarray:
    """IoU of every pair of boxes: the answer to 10.3."""
    ious = np.zeros((len(boxes1), len(boxes2)))
    for n, (ax1, ay1, ax2, ay2) in enumerate(boxes1):
        for m, (bx1, by1, bx2, by2) in enumerate(boxes2):
            width = min(ax2, bx2) - max(ax1, bx1)
            height = min(ay2, by2) - max(ay1, by1)
            if width > 0 and height > 0:
                intersection = width * height
                areas = (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1)
                ious[n, m] = intersection / (areas - intersection)
    return ious


def _boxes(count: int, size: int = 30) -> list[list[float]]:
    corner = _random.randint(0, 60, (count, 2)) / 2
    return np.column_stack([corner, corner + _random.randint(8, 2 * size, (count, 2)) / 2]).tolist()


BOX_IOU = Exercise(
    "10.3",
    "Write box_iou(boxes1, boxes2): the IoU of every pair. `boxes1` holds N boxes and `boxes2` "
    "holds M, lists of x1, y1, x2, y2, ends exclusive. Return an (N, M) array. Boxes that share no "
    "area have 0, also where a box has no area.",
    box_iou,
    (
        Mistake(
            "end included",
            Edit(
                "min(ax2, bx2) - max(ax1, bx1)",
                "min(ax2, bx2) - max(ax1, bx1) + 1",
                "min(ay2, by2) - max(ay1, by1)",
                "min(ay2, by2) - max(ay1, by1) + 1",
                "(ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1)",
                "(ax2 - ax1 + 1) * (ay2 - ay1 + 1) + (bx2 - bx1 + 1) * (by2 - by1 + 1)",
            ),
            "You add 1 to widths and heights. The ends of a box are exclusive here.",
            also=(
                Edit(
                    "min(ax2, bx2) - max(ax1, bx1)",
                    "min(ax2, bx2) - max(ax1, bx1) + 1",
                    "min(ay2, by2) - max(ay1, by1)",
                    "min(ay2, by2) - max(ay1, by1) + 1",
                ),
            ),
        ),
        Mistake(
            "union not subtracted",
            Edit("(areas - intersection)", "areas"),
            "You divide by the sum of the areas, in which the intersection is counted twice. "
            "Subtract it once.",
        ),
        Mistake(
            "two negative sides",
            Edit("if width > 0 and height > 0:", "if width * height > 0:"),
            "Boxes that are apart along both axes get an IoU: two negative sides have a positive "
            "product. Ask of each side whether it is above 0.",
        ),
        Mistake(
            "negative overlap",
            Edit("if width > 0 and height > 0:", "if areas_of(ax1, ay1, ax2, ay2) > 0:"),
            "Boxes that are apart get a negative IoU. An overlap has no negative sides.",
        ),
        Mistake(
            "over the first area",
            Edit("(areas - intersection)", "((ax2 - ax1) * (ay2 - ay1))"),
            "You divide by the area of the first box. Divide by the area that either box covers.",
        ),
        Mistake(
            "over the second area",
            Edit("(areas - intersection)", "((bx2 - bx1) * (by2 - by1))"),
            "You divide by the area of the second box. Divide by the area that either box covers.",
        ),
        Mistake(
            "over the smaller area",
            Edit(
                "(areas - intersection)",
                "min((ax2 - ax1) * (ay2 - ay1), (bx2 - bx1) * (by2 - by1))",
            ),
            "You divide by the area of the smaller box. Divide by the area that either box covers.",
        ),
        Mistake(
            "union of 1 or more",
            Edit("(areas - intersection)", "max(areas - intersection, 1)"),
            "You divide by 1 or more. Boxes may be smaller than a square pixel, and their union "
            "too; that no division by 0 occurs must be had in another way.",
        ),
        Mistake(
            "enclosing box",
            Edit(
                "(areas - intersection)",
                "((max(ax2, bx2) - min(ax1, bx1)) * (max(ay2, by2) - min(ay1, by1)))",
            ),
            "You divide by the box around both. It contains area that neither box covers.",
        ),
        Mistake(
            "transposed",
            lambda boxes1, boxes2: box_iou(boxes2, boxes1),
            "Your array is transposed: row n belongs to box n of `boxes1`.",
        ),
        Mistake(
            "only pairs of one number",
            lambda boxes1, boxes2: np.diag(box_iou(boxes1, boxes2)),
            "You compare box n with box n only. Compare every box with every other.",
        ),
    ),
    groups={
        "overlapping": [
            ([[2.0, 1, 8, 5]], [[5.0, 3, 11, 7]]),
            ([[0.0, 0, 10, 4], [3, 1, 9, 12]], [[5.0, 2, 12, 9]]),
            ([[0.0, 0, 4, 4]], [[3.5, 1, 8, 5], [1, 3.5, 5, 8]]),
        ],
        "one inside the other": [([[0.0, 0, 10, 8]], [[2.0, 3, 6, 5], [0, 0, 10, 8]])],
        "apart along one axis": [([[0.0, 0, 4, 6]], [[6.0, 1, 9, 7], [1, 9, 3, 11]])],
        "apart along both axes": [([[0.0, 0, 4, 6]], [[6.0, 8, 9, 13], [-7, -9, -5, -4]])],
        "touching": [([[0.0, 0, 4, 6]], [[4.0, 0, 8, 6], [0, 6, 4, 9]])],
        "no area": [([[1.0, 1, 1, 5], [1, 1, 5, 1]], [[1.0, 1, 1, 5], [1, 1, 5, 1], [0, 0, 9, 9]])],
        "smaller than a pixel": [
            ([[0.1, 0.1, 0.4, 0.6]], [[0.1, 0.1, 0.4, 0.5], [0.2, 0.3, 0.6, 0.9]]),
        ],
        "many": [(_boxes(5), _boxes(7))],
    },
    praise="Right: the intersection over the union, and 0 where nothing is shared.",
)


def areas_of(x1: float, y1: float, x2: float, y2: float) -> float:
    """Area of a box: what a known mistake asks for."""
    return (x2 - x1) * (y2 - y1)


def nms(
    boxes: Sequence[Sequence[float]], scores: Sequence[float], iou_threshold: float
) -> list[int]:
    """Numbers of the boxes that are kept: the answer to 10.4."""
    ious = box_iou(boxes, boxes)
    order = sorted(range(len(boxes)), key=lambda i: -scores[i])
    kept = []
    for i in order:
        if all(ious[i, j] <= iou_threshold for j in kept):
            kept.append(i)
    return kept


def _row_of_boxes(*starts: float, side: float = 12) -> list[list[float]]:
    return [[start, 4, start + side, 14] for start in starts]


_CHAIN = _row_of_boxes(0, 3, 6, 10)

NMS = Exercise(
    "10.4",
    "Write nms(boxes, scores, iou_threshold): the boxes that greedy NMS keeps. `boxes` is a list "
    "of N boxes x1, y1, x2, y2 and `scores` a list of N numbers. Go through the boxes by "
    "descending score, of equal scores the smaller number first. Keep a box unless its IoU with a "
    "kept box is above the threshold. Return the numbers of the kept boxes, in the order in which "
    "they were kept. You may call box_iou of 10.3 or reference.box_iou.",
    nms,
    (
        Mistake(
            "an IoU of exactly the threshold removes",
            Edit("<= iou_threshold", "< iou_threshold"),
            "Right but for an IoU of exactly the threshold. Such a box stays: only an IoU above "
            "the threshold removes.",
        ),
        Mistake(
            "removed boxes still remove",
            Edit("for j in kept", "for j in order[: order.index(i)]"),
            "A box that was removed removes others in your function. Compare with the kept boxes "
            "only.",
        ),
        Mistake(
            "lowest score first",
            Edit("-scores[i]", "scores[i]"),
            "You begin with the lowest score. Sort by descending score.",
        ),
        Mistake(
            "of equal scores the last first",
            Edit("-scores[i]", "(-scores[i], -i)"),
            "Right but for equal scores. Of these the box with the smaller number comes first.",
        ),
        Mistake(
            "scores ignored",
            Edit("sorted(range(len(boxes)), key=lambda i: -scores[i])", "range(len(boxes))"),
            "You go through the boxes in the order in which they are given. Sort by descending "
            "score.",
        ),
        Mistake(
            "by number",
            Edit("return kept", "return sorted(kept)"),
            "Right boxes in the order of their numbers. Return them by descending score.",
        ),
        Mistake(
            "places in the order",
            Edit("return kept", "return [order.index(i) for i in kept]"),
            "You return places in the sorted list. Return the numbers that the boxes had before.",
        ),
        Mistake(
            "only the last kept box",
            Edit("for j in kept", "for j in kept[-1:]"),
            "You compare with the box that was kept last. Compare with every kept box.",
        ),
        Mistake(
            "only the best box",
            Edit("for j in kept", "for j in kept[:1]"),
            "You compare with the best box only. Every kept box removes others.",
        ),
        Mistake(
            "removed ones",
            Edit("return kept", "return [i for i in order if i not in kept]"),
            "You return the boxes that are removed.",
        ),
        Mistake(
            "end included",
            Edit("box_iou(boxes, boxes)", "one_longer(boxes)"),
            "Your IoU adds 1 to widths and heights. The ends of a box are exclusive here.",
        ),
        Mistake(
            "union not subtracted",
            Edit("box_iou(boxes, boxes)", "over_both_areas(boxes)"),
            "Your IoU divides by the sum of the two areas. Subtract the intersection once.",
        ),
    ),
    groups={
        "no or one box": [([], [], 0.5), (_row_of_boxes(3), [0.4], 0.5)],
        "two boxes": [
            (_row_of_boxes(0, 2), [0.6, 0.9], 0.5),
            (_row_of_boxes(0, 11), [0.6, 0.9], 0.5),
        ],
        "a chain": [
            (_CHAIN, [0.9, 0.8, 0.7, 0.6], 0.55),
            (_CHAIN, [0.9, 0.8, 0.7, 0.6], 0.3),
            ([_CHAIN[n] for n in (2, 0, 3, 1)], [0.7, 0.9, 0.6, 0.8], 0.4),
        ],
        "two clusters": [
            (_row_of_boxes(0, 40, 1, 41, 42), [0.9, 0.8, 0.7, 0.6, 0.5], 0.5),
        ],
        "equal scores": [
            (_row_of_boxes(0, 2, 4), [0.5, 0.5, 0.5], 0.5),
            (_row_of_boxes(9, 1, 2, 40), [0.3, 0.7, 0.7, 0.7], 0.5),
        ],
        "an IoU of exactly the threshold": [
            (_row_of_boxes(0, 4), [0.9, 0.8], 0.5),
            ([[0.0, 0, 8, 8], [4, 4, 8, 8]], [0.8, 0.9], 0.25),
        ],
        "near the threshold": [
            (_row_of_boxes(0, 3, side=9), [0.9, 0.8], 0.52),
            (_row_of_boxes(0, 3, side=9), [0.9, 0.8], 0.4),
        ],
        "no area": [([[5.0, 1, 5, 9], [5, 1, 5, 9], [0, 0, 9, 9]], [0.4, 0.6, 0.5], 0.0)],
        "many": [
            (_boxes(20), _random.permutation(20).tolist(), 0.3),
            (_boxes(20), _random.permutation(20).tolist(), 0.1),
        ],
    },
    praise="Right: by descending score, against the kept boxes alone.",
    any_length=True,
)


def one_longer(boxes: Sequence[Sequence[float]]) -> np.ndarray:
    """IoU of boxes whose ends count as included: what a known mistake compares."""
    longer = [[x1, y1, x2 + 1, y2 + 1] for x1, y1, x2, y2 in boxes]
    return box_iou(longer, longer)


def over_both_areas(boxes: Sequence[Sequence[float]]) -> np.ndarray:
    """Intersection over the sum of both areas: what a known mistake compares."""
    ious = box_iou(boxes, boxes)
    return ious / (1 + ious)


def propose(
    boxes: Sequence[Sequence[float]],
    scores: Sequence[float],
    levels: Sequence[int],
    n_per_level: int,
    iou_threshold: float,
    n_of_all: int,
) -> list[int]:
    """Numbers of the proposals: the answer to 10.5."""
    kept = []
    for level in set(levels):
        own = [i for i in range(len(levels)) if levels[i] == level]
        top = sorted(own, key=lambda i: -scores[i])[:n_per_level]
        rows = nms([boxes[i] for i in top], [scores[i] for i in top], iou_threshold)
        kept += [top[row] for row in rows]
    return sorted(kept, key=lambda i: -scores[i])[:n_of_all]


def all_on_one_level(
    boxes: Sequence[Sequence[float]],
    scores: Sequence[float],
    levels: Sequence[int],
    n_per_level: int,
    iou_threshold: float,
    n_of_all: int,
) -> list[int]:
    """Propose with NMS over all levels: what a known mistake returns."""
    top = propose(boxes, scores, levels, n_per_level, 1.0, len(boxes))
    rows = nms([boxes[i] for i in top], [scores[i] for i in top], iou_threshold)
    return [top[row] for row in rows][:n_of_all]


def one_limit(
    boxes: Sequence[Sequence[float]],
    scores: Sequence[float],
    levels: Sequence[int],
    n_per_level: int,
    iou_threshold: float,
    n_of_all: int,
) -> list[int]:
    """Propose with one limit for all levels together: what a known mistake returns."""
    top = sorted(range(len(boxes)), key=lambda i: -scores[i])[:n_per_level]
    rows = propose(
        [boxes[i] for i in top],
        [scores[i] for i in top],
        [levels[i] for i in top],
        len(boxes),
        iou_threshold,
        n_of_all,
    )
    return [top[row] for row in rows]


_SAME = _row_of_boxes(0, 1, 30, 31, 60)
_SCORES = [0.9, 0.8, 0.3, 0.7, 0.2]

PROPOSE = Exercise(
    "10.5",
    "Write propose(boxes, scores, levels, n_per_level, iou_threshold, n_of_all): the numbers of "
    "the proposals. `boxes`, `scores` and `levels` are lists of equal length; the boxes are "
    "decoded and clipped already, and `levels` holds a whole number for each. Keep the "
    "`n_per_level` boxes of highest score on each level, then NMS within each level, then the "
    "`n_of_all` boxes of highest score of all. Return their numbers by descending score; no two "
    "scores are equal. You may call nms of 10.4 or reference.nms, which takes arrays.",
    propose,
    (
        Mistake(
            "one limit for all levels",
            one_limit,
            "Your first limit holds for all levels together. It holds for each level.",
        ),
        Mistake(
            "NMS over all levels",
            all_on_one_level,
            "Boxes of different levels remove each other in your function. NMS runs within each "
            "level.",
        ),
        Mistake(
            "NMS before the first limit",
            Edit(
                "[:n_per_level]\n",
                "\n",
                "for row in rows]",
                "for row in rows[:n_per_level]]",
            ),
            "You run NMS first and limit its result. The first limit comes before NMS.",
        ),
        Mistake(
            "the second limit before NMS",
            lambda boxes, scores, levels, n_per_level, iou_threshold, n_of_all: [
                i
                for i in propose(boxes, scores, levels, n_per_level, 1.0, n_of_all)
                if i in propose(boxes, scores, levels, n_per_level, iou_threshold, len(boxes))
            ],
            "You take the best boxes of all levels before NMS. What NMS removes then leaves its "
            "places empty.",
        ),
        Mistake(
            "level by level",
            Edit("sorted(kept, key=lambda i: -scores[i])[:n_of_all]", "kept[:n_of_all]"),
            "Your result is in the order of the levels. Sort by descending score before the second "
            "limit.",
        ),
        Mistake(
            "by number",
            Edit("sorted(kept, key=lambda i: -scores[i])", "sorted(kept)"),
            "Your result is in the order of the boxes' numbers. Sort by descending score before "
            "the second limit.",
        ),
        Mistake(
            "an IoU of exactly the threshold removes",
            Edit(", iou_threshold)", ", iou_threshold - 1e-9)"),
            "Right but for an IoU of exactly the threshold. Such a box stays.",
        ),
        Mistake(
            "rows of the level",
            Edit("[top[row] for row in rows]", "rows"),
            "You return rows among the boxes of a level. Return the numbers in the lists given.",
        ),
        Mistake(
            "no first limit",
            Edit("[:n_per_level]\n", "\n"),
            "The first limit is missing: keep `n_per_level` boxes of each level before NMS.",
        ),
        Mistake(
            "no second limit",
            Edit("[:n_of_all]", ""),
            "The second limit is missing: keep `n_of_all` boxes of all levels after NMS.",
        ),
        Mistake(
            "the second limit on each level",
            Edit("[:n_of_all]", "", "for row in rows]", "for row in rows[:n_of_all]]"),
            "Your second limit holds for each level. It holds for all levels together.",
        ),
    ),
    groups={
        "one level": [
            (_SAME, _SCORES, [0] * 5, 5, 0.5, 5),
            (_SAME, _SCORES, [3] * 5, 3, 0.5, 5),
            (_SAME, _SCORES, [3] * 5, 2, 0.5, 5),
        ],
        "two levels": [
            (_SAME, _SCORES, [0, 1, 0, 0, 1], 5, 0.5, 5),
            (_SAME, _SCORES, [1, 0, 0, 1, 1], 1, 0.5, 5),
            (_SAME, [0.2, 0.3, 0.4, 0.5, 0.6], [0, 0, 0, 1, 1], 2, 0.5, 5),
        ],
        "few in the end": [
            (_SAME, _SCORES, [0, 0, 1, 1, 1], 5, 0.5, 2),
            (_SAME, _SCORES, [0, 1, 0, 0, 1], 5, 0.5, 3),
            (_SAME, _SCORES, [1, 0, 0, 0, 1], 3, 0.5, 1),
        ],
        "an IoU of exactly the threshold": [
            (_row_of_boxes(0, 4, 30), [0.9, 0.8, 0.7], [1, 1, 0], 3, 0.5, 3),
        ],
        "many": [
            (
                _boxes(24),
                (_random.permutation(24) / 24).tolist(),
                _random.randint(2, 6, 24).tolist(),
                5,
                threshold,
                9,
            )
            for threshold in (0.1, 0.3)
        ],
    },
    praise="Right: n of each level, NMS within each level, n of all.",
    any_length=True,
)

EXERCISES = (IOU, KEPT, BOX_IOU, NMS, PROPOSE)
"""In the order of the page."""

OPEN_TASKS = (
    OpenTask(
        "10.6",
        "In pictures of a crowd, two people often overlap with an IoU of 0.75, and each is found "
        "by many boxes. What does NMS with a threshold of 0.7 do to the two? What happens to them "
        "and to the other proposals if you raise the threshold to 0.8? What could you change "
        "instead?",
    ),
)
