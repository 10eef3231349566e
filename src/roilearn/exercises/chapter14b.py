"""Exercises of chapter 14 on RoIAlign and errors, with the mistakes they are set to catch."""

import math
from collections.abc import Callable, Sequence

from roilearn.exercises.exercise import Edit, Exercise, Mistake, OpenTask

COUNTS = Exercise(
    "14b.1",
    "An image has a disc and a square. Five detections, by falling score, have these IoUs with "
    "the disc and with the square: A, a disc, 0.45 and 0; B, a disc, 0.80 and 0; C, a disc, 0.70 "
    "and 0; D, a square, 0.60 and 0.20; E, a square, 0.05 and 0.15. The threshold is 0.5. How many "
    "are right, misplaced, of the wrong class, both, duplicates, and background? Give six numbers.",
    [1, 2, 1, 0, 1, 0],
    (
        Mistake(
            "own class first",
            [1, 3, 0, 0, 1, 0],
            "You compared D with the square, because it says square. The object that a detection "
            "overlaps most decides.",
        ),
        Mistake(
            "background below the threshold",
            [1, 0, 1, 0, 1, 2],
            "Background begins below an IoU of 0.1. Look at A and E again.",
            also=([1, 1, 1, 0, 1, 1],),
        ),
        Mistake(
            "found twice",
            [2, 2, 1, 0, 0, 0],
            "An object is found once. Look at C, which comes after B.",
        ),
        Mistake(
            "A took the disc",
            [0, 2, 1, 0, 2, 0],
            "A does not reach the threshold, so it does not find the disc. Who does?",
            also=([1, 1, 1, 0, 2, 0],),
        ),
        Mistake(
            "D is both",
            [1, 2, 0, 1, 1, 0],
            "D overlaps the disc by 0.60. Its place is good enough; what else is wrong with it?",
        ),
    ),
    praise="Right: B finds the disc, A and E are misplaced, C is a duplicate, D has another class.",
)

PAIRED = Exercise(
    "14b.2",
    "Two variants were trained from three seeds. The first has an AP of 30, 33 and 36 hundredths, "
    "the second 33, 35 and 40, in the order of the seeds. What are the mean of the paired "
    "differences, second less first, and their sample standard deviation? Give two numbers.",
    [3, 1],
    (
        Mistake(
            "divided by the seeds",
            [3, math.sqrt(2 / 3)],
            "The sum of squares was divided by 3. A sample standard deviation divides by the "
            "number of seeds less 1.",
        ),
        Mistake(
            "not paired",
            [3, math.sqrt(9 + 13)],
            "That is the spread of a difference between two seeds drawn apart: you added the two "
            "variances. Take the difference in each seed first.",
        ),
        Mistake(
            "of one variant",
            [3, 3],
            "That is the spread of one variant. Asked is that of the differences.",
            also=([3, math.sqrt(13)],),
        ),
        Mistake(
            "of the mean",
            [3, 1 / math.sqrt(3)],
            "That is the standard error of the mean. Asked is the standard deviation.",
        ),
        Mistake(
            "variance of a sum", [3, 2], "That is the sum of squares. Divide it, take the root."
        ),
        Mistake("sign", [-3, 1], "You took the first less the second."),
    ),
    tolerance=0.02,
    praise="Right: the differences are 3, 2 and 4, closer to each other than the AP of the seeds.",
)


def kinds_of(
    ious: Sequence[Sequence[float]],
    labels: Sequence[int],
    object_labels: Sequence[int],
    threshold: float,
) -> list[int]:
    """Kind of each detection, from 0 (right) to 5 (background): the answer to 14b.3."""
    kinds, found = [], set()
    for row, label in zip(ious, labels, strict=True):
        free = [g for g, other in enumerate(object_labels) if other == label and g not in found]
        able = [g for g in free if row[g] >= threshold]
        iou = max(row, default=0)
        if able:
            found.add(max(able, key=lambda g: row[g]))
            kinds.append(0)
        elif iou < 0.1:
            kinds.append(5)
        elif object_labels[row.index(iou)] == label:
            kinds.append(4 if iou >= threshold else 1)
        else:
            kinds.append(2 if iou >= threshold else 3)
    return kinds


def _own_class_first(
    ious: Sequence[Sequence[float]],
    labels: Sequence[int],
    object_labels: Sequence[int],
    threshold: float,
) -> list[int]:
    """Compare a wrong detection with objects of its class before others."""
    kinds = kinds_of(ious, labels, object_labels, threshold)
    for d, (row, label) in enumerate(zip(ious, labels, strict=True)):
        own = [iou for iou, other in zip(row, object_labels, strict=True) if other == label]
        if kinds[d] and 0.1 <= max(own, default=0) < threshold:
            kinds[d] = 1
    return kinds


def _unfound_first(
    ious: Sequence[Sequence[float]],
    labels: Sequence[int],
    object_labels: Sequence[int],
    threshold: float,
) -> list[int]:
    """Compare a wrong detection with objects that nothing has found yet."""
    kinds = kinds_of(ious, labels, object_labels, threshold)
    found: set[int] = set()
    for d, (row, label) in enumerate(zip(ious, labels, strict=True)):
        own = {g for g, other in enumerate(object_labels) if other == label}
        if kinds[d] == 0:
            found.add(max(own - found, key=lambda g: row[g]))
        elif 0.1 <= max((row[g] for g in own - found), default=0) < threshold:
            kinds[d] = 1
    return kinds


def _other_class_first(
    ious: Sequence[Sequence[float]],
    labels: Sequence[int],
    object_labels: Sequence[int],
    threshold: float,
) -> list[int]:
    """Call a detection one of the wrong class if it reaches any object of another class."""
    kinds = kinds_of(ious, labels, object_labels, threshold)
    for d, (row, label) in enumerate(zip(ious, labels, strict=True)):
        others = [iou for iou, other in zip(row, object_labels, strict=True) if other != label]
        if kinds[d] and max(others, default=0) >= threshold:
            kinds[d] = 2
    return kinds


def _swapped(first: int, second: int) -> Callable[..., list[int]]:
    """Exchange two of the numbers."""

    def wrong(*arguments: Sequence) -> list[int]:
        exchange = {first: second, second: first}
        return [exchange.get(kind, kind) for kind in kinds_of(*arguments)]  # type: ignore[arg-type]

    return wrong


KINDS = Exercise(
    "14b.3",
    "Write kinds_of(ious, labels, object_labels, threshold): a number for each of D detections, "
    "which come by falling score. ious are D lists of the IoUs with G objects, labels the classes "
    "of the detections, object_labels those of the objects. A detection is right (0) if an object "
    "of its class that no earlier detection has found has an IoU of threshold or more; it finds "
    "the one of the highest IoU. Otherwise the object of the highest IoU decides. Below 0.1, or "
    "without objects: background (5). From threshold on: duplicate (4) if the classes are the "
    "same, else wrong class (2). Between the two: misplaced (1) if the classes are the same, else "
    "both (3). No two IoUs of a detection are equal unless they are 0. Return a list of D numbers.",
    kinds_of,
    (
        Mistake(
            "own class first",
            _own_class_first,
            "You compare a wrong detection with the objects of its own class first. The object of "
            "the highest IoU decides, whatever its class.",
        ),
        Mistake(
            "unfound objects first",
            _unfound_first,
            "You compare a wrong detection with the objects of its class that nothing has found "
            "yet. The object of the highest IoU decides, found or not.",
        ),
        Mistake(
            "other class first",
            _other_class_first,
            "You ask whether a wrong detection reaches an object of another class before you look "
            "for its nearest object. The object of the highest IoU decides.",
        ),
        Mistake(
            "found more than once",
            Edit(" and g not in found", ""),
            "You let an object be found twice. Keep the objects that are found.",
        ),
        Mistake(
            "above the threshold",
            Edit("row[g] >= threshold", "row[g] > threshold"),
            "An IoU of exactly the threshold is enough.",
        ),
        Mistake(
            "the first free object",
            Edit("found.add(max(able, key=lambda g: row[g]))", "found.add(able[0])"),
            "Of several free objects of the class a detection finds the one of the highest IoU.",
        ),
        Mistake(
            "any class finds",
            Edit("other == label and g not in found", "g not in found"),
            "A detection finds objects of its own class alone.",
        ),
        Mistake(
            "background up to the threshold",
            Edit("iou < 0.1", "iou < threshold"),
            "You call everything below the threshold background. Background ends at 0.1.",
        ),
        Mistake("exchanged", _swapped(2, 4), "You exchanged wrong class (2) and duplicate (4)."),
        Mistake("exchanged too", _swapped(1, 3), "You exchanged misplaced (1) and both (3)."),
    ),
    groups={
        "one detection": [
            ([[0.8, 0.0]], [1], [1, 2], 0.5),
            ([[0.4, 0.0]], [1], [1, 2], 0.5),
            ([[0.8, 0.0]], [2], [1, 2], 0.5),
            ([[0.4, 0.0]], [2], [1, 2], 0.5),
            ([[0.0, 0.05]], [2], [1, 2], 0.5),
        ],
        "duplicates": [([[0.7], [0.9], [0.6], [0.3]], [1, 1, 1, 1], [1], 0.5)],
        "exactly at a limit": [
            ([[0.5], [0.5], [0.1], [0.1]], [1, 2, 1, 2], [1], 0.5),
            ([[0.75], [0.75], [0.74]], [1, 1, 1], [1], 0.75),
        ],
        "two objects of a class": [
            ([[0.6, 0.8], [0.7, 0.2]], [1, 1], [1, 1], 0.5),
            ([[0.8, 0.6], [0.2, 0.7]], [1, 1], [1, 1], 0.5),
            ([[0.6, 0.8], [0.55, 0.9], [0.7, 0.2]], [1, 1, 1], [1, 1], 0.5),
            ([[0.8, 0.0], [0.6, 0.3]], [1, 1], [1, 1], 0.5),
        ],
        "an object of another class nearer": [
            ([[0.3, 0.8], [0.2, 0.4], [0.6, 0.7]], [1, 1, 1], [1, 2], 0.5),
            ([[0.8, 0.3], [0.4, 0.2]], [1, 1], [2, 1], 0.5),
            ([[0.8, 0.0], [0.7, 0.6]], [1, 1], [1, 2], 0.5),
        ],
        "no objects": [([[], []], [1, 2], [], 0.5)],
        "no detections": [([], [], [1], 0.5)],
    },
    praise="Right: one number and one comparison decide, once the matches are made.",
    any_length=False,
)

SENTENCE = Exercise(
    "14b.4",
    "Three seeds give these differences, RoIAlign (aligned=True) less RoIPool, in hundredths, at "
    "stride 4: AP50 -2.7, +1.1, -2.1; AP75 +5.0, +8.7, +8.8. Which sentence do the numbers "
    "support? (a) RoIAlign finds more objects. (b) In these three seeds AP75 rises each time, and "
    "AP50 has no common direction. (c) In another data set AP75 would rise by about 7.5. (d) The "
    "mean of AP50 is below 0, so RoIAlign lowers AP50. Answer with a letter.",
    "b",
    (
        Mistake(
            "more objects",
            "a",
            "How many objects are found, whatever the exactness of their outlines, shows in AP50. "
            "Look at its signs.",
        ),
        Mistake(
            "another data set",
            "c",
            "The numbers come from one data set, one model and one length of training.",
        ),
        Mistake(
            "a mean without its spread",
            "d",
            "The mean is below 0, but one of three seeds is above: the spread is larger than the "
            "mean.",
        ),
    ),
    praise="Right: it says what the table shows and no more.",
)

EXERCISES = (COUNTS, PAIRED, KINDS, SENTENCE)
"""In the order of the page."""

OPEN_TASKS = (
    OpenTask(
        "14b.5",
        "A detector of cells in microscope images was exported. On the same images its AP50 has "
        "fallen by 0.02, its AP75 by 0.4, and both fell most for the smallest cells. Which kind of "
        "error do you expect to have grown, which two settings would you compare first, and which "
        "single picture would convince a colleague?",
    ),
)
