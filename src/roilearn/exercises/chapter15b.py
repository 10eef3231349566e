"""Exercises of the page on ideas that plug in, with the mistakes they are set to catch."""

import math
from collections.abc import Sequence

import numpy as np

from roilearn import reference
from roilearn.exercises.exercise import Edit, Exercise, Mistake, OpenTask

Detection = Sequence[float]
"""label, score, x1, y1, x2, y2."""


def _divergence(wanted: Sequence[float], found: Sequence[float]) -> float:
    return sum(p * math.log(p / q) for p, q in zip(wanted, found, strict=True))


_HALVES = (0.5, 0.5)

DISTILLATION = Exercise(
    "15b.1",
    "Of two classes, the teacher's logits are ln 9 = 2.1972 and 0, and the student's are 0 and 0. "
    "What is the distillation loss with a temperature of 2: the divergence of the softened "
    "probabilities, times the temperature squared? Give three decimals.",
    4 * _divergence((0.75, 0.25), _HALVES),
    (
        Mistake(
            "not squared",
            _divergence((0.75, 0.25), _HALVES),
            "You forgot the factor: the divergence is multiplied by the temperature squared.",
        ),
        Mistake(
            "the temperature, not squared",
            2 * _divergence((0.75, 0.25), _HALVES),
            "You multiplied by the temperature. Multiply by its square.",
        ),
        Mistake(
            "no temperature",
            _divergence((0.9, 0.1), _HALVES),
            "You took the probabilities of the logits as they are. Divide the logits by the "
            "temperature first.",
            also=(4 * _divergence((0.9, 0.1), _HALVES),),
        ),
        Mistake(
            "the other direction",
            4 * _divergence(_HALVES, (0.75, 0.25)),
            "You exchanged teacher and student. The teacher's probabilities are the weights of the "
            "logarithms.",
            also=(_divergence(_HALVES, (0.75, 0.25)),),
        ),
        Mistake(
            "cross-entropy",
            4 * math.log(2),
            "That is the cross-entropy. The divergence is less: the entropy of the teacher's own "
            "probabilities is taken off.",
            also=(math.log(2),),
        ),
        Mistake(
            "times the temperature",
            4 * _divergence((81 / 82, 1 / 82), _HALVES),
            "You multiplied the logits by the temperature. Divide by it: the probabilities become "
            "more alike.",
            also=(_divergence((81 / 82, 1 / 82), _HALVES),),
        ),
        Mistake(
            "probabilities divided",
            4 * _divergence((0.45, 0.05), (0.25, 0.25)),
            "Either you divided probabilities by the temperature, or you left the logits as they "
            "are and multiplied by the temperature. Divide the logits, before the softmax, and "
            "multiply by the temperature squared.",
        ),
        Mistake(
            "another base",
            4 * _divergence((0.75, 0.25), _HALVES) / math.log(2),
            "Your logarithm has base 2. Take the natural one.",
        ),
    ),
    tolerance=1e-3,
    praise="Right: 3/4 and 1/4 against two halves, 0.1308, times 4.",
)

BACK = Exercise(
    "15b.2",
    "An image of 160 x 128 pixels (width x height) is mirrored from left to right and then "
    "enlarged 1.5 times. A detector finds the box [30, 45, 90, 120] in the picture that results. "
    "Which box is it in the image? Answer with x1, y1, x2, y2.",
    np.array([100.0, 30, 140, 80]),
    (
        Mistake(
            "not mirrored",
            np.array([20.0, 30, 60, 80]),
            "Right size. The box lies in the mirrored image; mirror it back.",
        ),
        Mistake(
            "edges not exchanged",
            np.array([140.0, 30, 100, 80]),
            "Your x1 is larger than x2. The left edge becomes the right one.",
        ),
        Mistake(
            "mirrored at the wrong width",
            np.array([(160 - 90) / 1.5, 30, (160 - 30) / 1.5, 80]),
            "You subtracted enlarged pixels from 160. Subtract in one unit: 240 there, or 160 "
            "after dividing.",
            also=(np.array([70.0, 30, 130, 80]), np.array([180.0, 30, 220, 80])),
        ),
        Mistake(
            "not made smaller",
            np.array([150.0, 45, 210, 120]),
            "Those are pixels of the enlarged image. Divide by 1.5.",
        ),
        Mistake(
            "the wrong direction",
            np.array([25.0, 67.5, 115, 180]),
            "You multiplied by 1.5. The image is smaller than the picture in which the box was "
            "found: divide.",
            also=(np.array([225.0, 67.5, 315, 180]),),
        ),
        Mistake(
            "pixels counted",
            np.array([99.0, 30, 139, 80]),
            "You mirrored at 159. Edges are continuous coordinates: the image ends at 160.",
        ),
        Mistake(
            "upside down",
            np.array([20.0, 48, 60, 98]),
            "You mirrored y. From left to right, x is mirrored.",
        ),
    ),
    praise="Right: divide by 1.5, then subtract both x from 160 and exchange them.",
)


def merge(
    found: Sequence[Sequence[Detection]], scales: Sequence[float], iou_threshold: float
) -> list[list[float]]:
    """Merge the detections of several sizes of an image: the answer to 15b.3."""
    rows = []
    for detections, scale in zip(found, scales, strict=True):
        for label, score, *box in detections:
            rows.append([label, score, *[edge / scale for edge in box]])
    rows.sort(key=lambda row: -row[1])
    kept = []
    for row in rows:
        rivals = [other for other in kept if other[0] == row[0]]
        overlaps = [reference.box_iou([row[2:]], [rival[2:]]) for rival in rivals]
        if all(overlap <= iou_threshold for overlap in overlaps):
            kept.append(row)
    return kept


def _each_size_alone(
    found: Sequence[Sequence[Detection]], scales: Sequence[float], iou_threshold: float
) -> np.ndarray:
    """NMS within each size, and none between the sizes."""
    pairs = zip(found, scales, strict=True)
    parts = [merge([one], [scale], iou_threshold) for one, scale in pairs]
    rows = np.concatenate(parts)
    return rows[np.argsort(-rows[:, 1], kind="stable")]


def _mapped_too_late(
    found: Sequence[Sequence[Detection]], scales: Sequence[float], iou_threshold: float
) -> np.ndarray:
    """NMS of the boxes as they come, which are brought back afterwards."""
    marked = [[[label, score, *box] for label, score, *box in one] for one in found]
    kept = np.array(merge(marked, [1.0] * len(scales), iou_threshold))
    scale_of = {
        (row[0], row[1], *row[2:]): scale
        for one, scale in zip(reversed(marked), reversed(scales), strict=True)
        for row in one
    }
    by = np.array([scale_of[tuple(row)] for row in kept.tolist()]).reshape(-1, 1)
    return np.concatenate([kept[:, :2], kept[:, 2:] / by], axis=1)


_DISC, _SQUARE = 1, 2
_AT_1 = [[_DISC, 0.9, 40, 0, 118, 78], [_SQUARE, 0.8, 18, 54, 50, 86]]
_AT_1_5 = [[_SQUARE, 0.95, 26, 80, 76, 130], [_DISC, 0.6, 63, 3, 174, 114]]

MERGE = Exercise(
    "15b.3",
    "Write merge(found, scales, iou_threshold): the detections of several sizes of one image, "
    "merged. `found` has a list for each size, and each detection in it is [label, score, x1, y1, "
    "x2, y2] in pixels of that size. scales[k] is how many times as large as the image size k "
    "was: 1.5 for an enlarged one. Bring all boxes back to pixels of the image. Then go through "
    "the detections by descending score, of equal scores in the order in which they come. Keep "
    "one unless its IoU with a kept one of the same label is above the threshold. Return the kept "
    "detections in that order, with their boxes in pixels of the image. You may call "
    "reference.box_iou.",
    merge,
    (
        Mistake(
            "not mapped back",
            Edit("edge / scale", "edge"),
            "You merge boxes that are in pixels of different sizes. Divide each box by the scale "
            "of its size first.",
        ),
        Mistake(
            "wrong direction",
            Edit("edge / scale", "edge * scale"),
            "You multiply by the scale. A box in an enlarged image has larger coordinates than in "
            "the image: divide.",
        ),
        Mistake(
            "mapped too late",
            _mapped_too_late,
            "You bring the boxes back after NMS. While they are compared they must be in pixels of "
            "one image.",
        ),
        Mistake(
            "all classes together",
            Edit(" if other[0] == row[0]", ""),
            "A detection removes others of another label in your function. NMS runs within each "
            "label.",
        ),
        Mistake(
            "each size alone",
            _each_size_alone,
            "You run NMS within each size. An object found at two sizes is then kept twice.",
        ),
        Mistake(
            "nothing removed",
            Edit("overlap <= iou_threshold", "True"),
            "You put the detections together and remove none. Run NMS over them.",
        ),
        Mistake(
            "a fixed threshold",
            Edit("overlap <= iou_threshold", "overlap <= 0.5"),
            "You compare with 0.5. Compare with iou_threshold, which the caller chooses.",
        ),
        Mistake(
            "removed ones remove",
            Edit("for other in kept if", "for other in rows[: rows.index(row)] if"),
            "A detection that was removed removes others. Compare with the kept ones only.",
        ),
        Mistake(
            "not by score",
            Edit("rows.sort(key=lambda row: -row[1])", "pass"),
            "You go through the detections size by size. Sort all of them by score first.",
        ),
        Mistake(
            "lowest first",
            Edit("-row[1]", "row[1]"),
            "You begin with the lowest score. Begin with the highest.",
        ),
        Mistake(
            "an IoU of exactly the threshold removes",
            Edit("overlap <= iou_threshold", "overlap < iou_threshold"),
            "Right but for an IoU of exactly the threshold: such a detection stays.",
        ),
    ),
    groups={
        "one size, as large as the image": [([_AT_1], [1.0], 0.5)],
        "one enlarged size": [([_AT_1_5], [1.5], 0.5)],
        "overlapping at one size": [
            ([[[1, 0.6, 0, 0, 9, 8], [1, 0.7, 0, 0, 8, 8], [1, 0.5, 30, 2, 40, 9]]], [0.5], 0.5),
        ],
        "an object at two sizes": [
            ([_AT_1, _AT_1_5], [1.0, 1.5], 0.5),
            ([[[1, 0.7, 10, 10, 30, 40]], [[1, 0.8, 5, 5, 15, 20]]], [1.0, 0.5], 0.5),
        ],
        "boxes alike in different pixels": [
            ([[[1, 0.9, 10, 10, 30, 40]], [[1, 0.8, 10, 10, 30, 40]]], [1.0, 2.0], 0.4),
        ],
        "two labels in one place": [
            ([[[1, 0.9, 4, 4, 20, 20]], [[2, 0.8, 8, 8, 40, 40]]], [1.0, 2.0], 0.5),
        ],
        "a chain of boxes": [
            (
                [
                    [[3, 0.9, 0, 0, 10, 10], [3, 0.7, 6, 0, 16, 10]],
                    [[3, 0.8, 6, 0, 26, 20]],
                ],
                [1.0, 2.0],
                0.4,
            ),
        ],
        "exactly the threshold": [
            ([[[1, 0.9, 0, 0, 8, 8]], [[1, 0.8, 0, 0, 16, 8]]], [1.0, 2.0], 0.5),
        ],
        "other thresholds": [
            ([[[1, 0.9, 0, 0, 10, 10]], [[1, 0.8, 0, 0, 20, 12]]], [1.0, 2.0], 0.7),
            ([[[1, 0.9, 0, 0, 10, 10]], [[1, 0.8, 0, 0, 20, 6]]], [1.0, 2.0], 0.2),
        ],
        "equal scores": [
            ([[[1, 0.5, 0, 0, 8, 9]], [[1, 0.5, 0, 0, 16, 16]]], [1.0, 2.0], 0.5),
            ([[[2, 0.5, 3, 1, 8, 9], [1, 0.5, 0, 0, 8, 9]]], [2.0], 0.5),
        ],
    },
    praise="Right: boxes in pixels of one image, then NMS within each label over all sizes.",
)  # fmt: skip

EXERCISES = (DISTILLATION, BACK, MERGE)
"""In the order of the page."""

OPEN_TASKS = (
    OpenTask(
        "15b.4",
        "You have 200 labelled photographs of screws in boxes, 20,000 without labels, and a "
        "detector that finds most screws but places their boxes too loosely for a gripper. Which "
        "of the ideas of this page would you try first, which number would tell you whether it "
        "helped, and how would you find out that the difference is no accident of the seed?",
    ),
)
