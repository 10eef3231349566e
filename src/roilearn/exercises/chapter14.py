"""Exercises of chapter 14 (average precision), with the mistakes they are set to catch."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from roilearn import reference
from roilearn.exercises.exercise import Edit, Exercise, Mistake, OpenTask

_random = np.random.RandomState(14)

ELEVEN = Exercise(
    "14.1",
    "A class has five objects. Its detections, by descending score, are right, wrong, right, "
    "right. What is its AP at the 11 recalls 0, 0.1, ..., 1, to three decimals?",
    6 / 11,
    (
        Mistake(
            "not interpolated",
            (3 + 2 * 2 / 3 + 2 * 3 / 4) / 11,
            "You read the precision where each recall is first reached. Take the highest at that "
            "recall or any higher one.",
        ),
        Mistake(
            "area",
            0.5,
            "That is the area under the interpolated precision. Read it at 11 recalls.",
        ),
        Mistake("101 recalls", 51 / 101, "That is the mean at COCO's 101 recalls."),
        Mistake(
            "mean over the detections",
            (1 + 1 / 2 + 2 / 3 + 3 / 4) / 4,
            "That is the mean of the precision over the detections. AP is a mean over recalls.",
        ),
        Mistake(
            "mean over the right detections",
            (1 + 2 / 3 + 3 / 4) / 3,
            "That is the mean of the precision over the right detections. AP is a mean over "
            "recalls, and objects that are not found count.",
            also=((1 + 3 / 4 + 3 / 4) / 3,),
        ),
        Mistake(
            "recalls that are reached",
            6 / 7,
            "You left out the recalls that are never reached. There the precision is 0.",
        ),
        Mistake(
            "found objects alone",
            (4 * 1 + 7 * 3 / 4) / 11,
            "You divided by the three objects that are found. Recall is a fraction of all five.",
        ),
    ),
    tolerance=1e-3,
    praise="Right: 1 at three recalls and 3/4 at four, divided by 11.",
)

TIE = Exercise(
    "14.2",
    "A class has one object. It has three detections, all with the score 0.9, and one of them is "
    "right. By how much does the AP of the worst order differ from that of the best one, to three "
    "decimals?",
    2 / 3,
    (
        Mistake(
            "the order does not matter",
            0.0,
            "Equal scores have an order in every program, and the precision is computed one "
            "detection after the other.",
        ),
        Mistake(
            "the second place",
            1 / 2,
            "You compared the first place with the second. The right one may come third.",
        ),
        Mistake(
            "the lowest AP",
            1 / 3,
            "That is the AP of the worst order. The difference from the best one is asked for.",
        ),
        Mistake("the highest AP", 1.0, "That is the AP of the best order."),
    ),
    tolerance=1e-3,
    praise="Right: 1 if the right one comes first, and 1/3 if it comes third.",
)


def rank_true_positives(images: Sequence[Any], threshold: float) -> list[int]:
    """Match the detections of one class over all images: the answer to 14.3."""
    order = []
    for i, (scores, _) in enumerate(images):
        for d, score in enumerate(scores):
            order.append((-score, i, d))
    taken, right = [], []
    for _, i, d in sorted(order):
        ious, best = images[i][1][d], -1
        for g, iou in enumerate(ious):
            if iou >= threshold and (i, g) not in taken and (best < 0 or iou >= ious[best]):
                best = g
        taken.append((i, best))
        right.append(int(best >= 0))
    return right


_TEST = "iou >= threshold and (i, g) not in taken and (best < 0 or iou >= ious[best])"


def _image_by_image(images: Sequence[Any], threshold: float) -> list[int]:
    """Sort within each image alone."""
    return [right for image in images for right in rank_true_positives([image], threshold)]


def _best_object_or_none(images: Sequence[Any], threshold: float, *, sign: int = 1) -> list[int]:
    """Match with the object of the highest IoU, or with none if that is taken."""
    alone = []
    for scores, ious in images:
        best = [max(range(len(row)), key=lambda g: (row[g], sign * g), default=-1) for row in ious]
        rows = [
            [iou if g == one else 0.0 for g, iou in enumerate(row)]
            for row, one in zip(ious, best, strict=True)
        ]
        alone.append((scores, rows))
    return rank_true_positives(alone, threshold)


def _first_best_object_or_none(images: Sequence[Any], threshold: float) -> list[int]:
    """Take the first of equal IoUs, as ``numpy.argmax`` does."""
    return _best_object_or_none(images, threshold, sign=-1)


def _detections(count: int, objects: int, digits: int = 2) -> tuple[list, list]:
    """Random scores, few of them equal, and IoUs with each object."""
    scores = _random.permutation(99)[:count] / 100
    return scores.tolist(), _random.uniform(0, 1, (count, objects)).round(digits).tolist()


MATCHING = Exercise(
    "14.3",
    "Write rank_true_positives(images, threshold): which detections of one class are right, by "
    "descending score over all images. `images` is a list of pairs (scores, ious): the score of "
    "each detection, in any order, and for each detection a list of its IoU with each object of "
    "the class in that image. A detection is matched with the free object of the highest IoU, if "
    "that IoU is at least `threshold`; of equal IoUs the last object. Equal scores keep the order "
    "of the list. Return a list of 1 and 0, the highest score first.",
    rank_true_positives,
    (
        Mistake(
            "no threshold",
            Edit("iou >= threshold and ", "iou > 0 and "),
            "You match whatever overlaps. The IoU has to reach the threshold.",
        ),
        Mistake(
            "above the threshold",
            Edit("iou >= threshold", "iou > threshold"),
            "Right but for an IoU of exactly the threshold, which is enough.",
        ),
        Mistake(
            "an object is found twice",
            Edit("(i, g) not in taken and ", ""),
            "An object counts for two detections. After its first match it is no longer free.",
        ),
        Mistake(
            "taken in all images",
            Edit("(i, g) not in taken", "g not in [one for _, one in taken]"),
            "An object that is taken in one image is taken in the others as well. Remember the "
            "image with it.",
        ),
        Mistake(
            "image by image",
            _image_by_image,
            "You sort the detections within each image. Sort those of all images together.",
        ),
        Mistake(
            "not sorted",
            Edit("sorted(order)", "order"),
            "You take the detections as they are listed. The highest score goes first.",
        ),
        Mistake(
            "the lowest score first",
            Edit("order.append((-score, i, d))", "order.append((score, i, d))"),
            "You begin with the lowest score.",
        ),
        Mistake(
            "the best object or none",
            _best_object_or_none,
            "A detection whose best object is taken may still be matched with another one. (PASCAL "
            "VOC has your rule, COCO this one.)",
            also=(_first_best_object_or_none,),
        ),
        Mistake(
            "any free object",
            Edit("(best < 0 or iou >= ious[best])", "best < 0"),
            "You take the first free object that reaches the threshold. Take that of the highest "
            "IoU.",
            also=(Edit(" and (best < 0 or iou >= ious[best])", ""),),
        ),
        Mistake(
            "the first of equal IoUs",
            Edit("iou >= ious[best]", "iou > ious[best]"),
            "Right but for two objects of equal IoU, of which the last one is to be taken.",
        ),
        Mistake(
            "wrong and right exchanged",
            Edit("int(best >= 0)", "int(best < 0)"),
            "You exchange right and wrong: 1 is a detection that has an object.",
        ),
    ),
    groups={
        "one image": [([([0.9, 0.8], [[0.9, 0.0], [0.0, 0.7]])], 0.5)],
        "below the threshold": [([([0.9, 0.8, 0.7], [[0.4], [0.45], [0.6]])], 0.5)],
        "exactly the threshold": [
            ([([0.9, 0.8], [[0.5, 0.0], [0.0, 0.75]])], 0.5),
            ([([0.9, 0.8], [[0.5, 0.0], [0.0, 0.75]])], 0.75),
        ],
        "one object, several detections": [
            ([([0.9, 0.8, 0.7], [[0.6, 0.0], [0.9, 0.1], [0.0, 0.8]])], 0.5)
        ],
        "the best object is taken": [([([0.9, 0.8], [[0.8, 0.0], [0.9, 0.6]])], 0.5)],
        "the best of several objects": [([([0.9, 0.8], [[0.6, 0.9], [0.7, 0.0]])], 0.5)],
        "not in the order of scores": [([([0.2, 0.9, 0.5], [[0.9], [0.1], [0.8]])], 0.5)],
        "several images": [
            ([([0.9, 0.3], [[0.9], [0.1]]), ([0.8, 0.2], [[0.2, 0.0], [0.9, 0.0]])], 0.5),
            ([_detections(3, 2), _detections(4, 3), _detections(2, 1)], 0.6),
            ([_detections(6, 3), _detections(5, 4), ([], [])], 0.3),
        ],
        "equal scores": [
            ([([0.5, 0.5], [[0.1], [0.9]]), ([0.5, 0.7], [[0.9], [0.8]])], 0.5),
            ([([0.5, 0.5], [[0.6, 0.0], [0.7, 0.9]]), ([0.5], [[0.0]])], 0.5),
        ],
        "equal IoUs": [([([0.9, 0.8], [[0.7, 0.7], [0.0, 0.6]])], 0.5)],
        "no objects": [([([0.9, 0.8], [[], []]), ([0.7], [[0.9]])], 0.5)],
        "no detections": [([([], [])], 0.5)],
    },
    praise="Right: by descending score over all images, each with a free object that reaches the "
    "threshold.",
    any_length=True,
)


def average_precision(images: Sequence[Any]) -> float:
    """Compute the area under the interpolated precision of all images: the answer to 14.4."""
    detections, objects = [], 0
    for scores, right, count in images:
        objects += count
        for score, one in zip(scores, right, strict=True):
            detections.append((score, one))
    if objects == 0:
        return -1.0
    detections.sort(key=lambda pair: -pair[0])
    found, points = 0, []
    for k, (_, one) in enumerate(detections):
        found += one
        points.append((found / objects, found / (k + 1)))
    area, reached = 0.0, 0.0
    for k, (recall, _) in enumerate(points):
        best = max(precision for _, precision in points[k:])
        area += (recall - reached) * best
        reached = recall
    return area


def _mean_over_images(images: Sequence[Any]) -> float:
    """Mean of the AP of each image that has objects."""
    known = [average_precision([image]) for image in images if image[2]]
    return float(np.mean(known)) if known else -1.0


def _without_empty_images(images: Sequence[Any]) -> float:
    """Leave out the images that have no object."""
    return average_precision([image for image in images if image[2]])


def _without_idle_images(images: Sequence[Any]) -> float:
    """Leave out the images that have no detection, with their objects."""
    return average_precision([image for image in images if image[0]])


def _by(summary: Callable[..., float]) -> Callable[..., float]:
    """Return another summary of the same curve."""

    def ap(images: Sequence[Any]) -> float:
        objects = sum(count for _, _, count in images)
        if objects == 0:
            return -1.0
        scores = np.concatenate([np.asarray(one, float) for one, _, _ in images])
        right = np.concatenate([np.asarray(one, float) for _, one, _ in images])
        order = np.argsort(-scores, kind="stable")
        return float(summary(*reference.precision_recall(right[order], objects)))

    return ap


def _mean_precision(precision: np.ndarray, _recall: np.ndarray) -> float:
    return float(precision.mean()) if len(precision) else 0.0


def _image(count: int, right: float, missed: int) -> tuple[list, list, int]:
    """Random scores and hits of an image, and the number of its objects."""
    hits = (_random.rand(count) < right).astype(int)
    scores = _random.permutation(99)[:count] / 100
    return scores.tolist(), hits.tolist(), int(hits.sum()) + missed


AVERAGE = Exercise(
    "14.4",
    "Write average_precision(images): the AP of one class, as the area under the interpolated "
    "precision over recall. `images` is a list of triples (scores, right, objects): the score of "
    "each detection, in any order, 1 or 0 for whether it is right, and the number of objects in "
    "the image. Equal scores keep the order of the list. If no image has an object, return -1.",
    average_precision,
    (
        Mistake(
            "not interpolated",
            Edit("max(precision for _, precision in points[k:])", "points[k][1]"),
            "You take the precision as it is. Take the highest at this recall or any higher one.",
        ),
        Mistake(
            "mean of the images",
            _mean_over_images,
            "You take the mean of each image's AP. There is one curve for all images together.",
        ),
        Mistake(
            "images without objects are left out",
            _without_empty_images,
            "You leave out the images without objects. Detections in them are wrong, and count.",
        ),
        Mistake(
            "images without detections are left out",
            _without_idle_images,
            "You leave out the images without detections. Their objects have not been found, and "
            "count.",
        ),
        Mistake(
            "not sorted",
            Edit("    detections.sort(key=lambda pair: -pair[0])\n", ""),
            "You take the detections as they are listed. Sort those of all images by descending "
            "score.",
        ),
        Mistake(
            "the lowest score first",
            Edit("-pair[0]", "pair[0]"),
            "You begin with the lowest score.",
        ),
        Mistake(
            "recall of the found objects",
            Edit("found / objects", "found / max(sum(one for _, one in detections), 1)"),
            "Your recall is a fraction of the objects that are found in the end. Divide by all.",
        ),
        Mistake(
            "mean of the precision",
            _by(_mean_precision),
            "That is the mean of the precision over the detections. AP is an area over recall.",
        ),
        Mistake(
            "11 recalls",
            _by(reference.ap_11_points),
            "That is the mean at 11 recalls. The area is asked for.",
        ),
        Mistake(
            "101 recalls",
            _by(reference.ap_101_points),
            "That is the mean at COCO's 101 recalls. The area is asked for.",
        ),
        Mistake(
            "no objects",
            Edit("return -1.0", "return 0.0"),
            "Right but where no image has an object: then there is nothing to measure, and -1 says "
            "so.",
        ),
    ),
    groups={
        "one image": [([([0.9, 0.8, 0.7], [1, 0, 1], 2)],)],
        "objects that are not found": [([([0.9, 0.8, 0.7], [1, 0, 1], 5)],)],
        "precision that rises": [([([0.9, 0.8, 0.7, 0.6], [0, 1, 1, 1], 4)],)],
        "not in the order of scores": [([([0.3, 0.9, 0.5], [1, 0, 1], 3)],)],
        "several images": [
            ([_image(4, 0.5, 1), _image(5, 0.7, 0), _image(3, 0.4, 2)],),
            ([_image(7, 0.6, 1), _image(6, 0.3, 1)],),
        ],
        "equal scores": [
            ([([0.5], [0], 1), ([0.5, 0.7], [1, 1], 2)],),
            ([([0.5, 0.5], [1, 0], 1), ([0.5], [1], 1)],),
        ],
        "an image without objects": [([([0.9], [1], 1), ([0.95, 0.8], [0, 0], 0)],)],
        "an image without detections": [([([0.9, 0.8], [1, 0], 1), ([], [], 2)],)],
        "no detections": [([([], [], 2)],)],
        "no objects": [([([0.9], [0], 0)],), ([([], [], 0)],)],
    },
    praise="Right: one curve for all images, every object and every detection counted.",
)

EXERCISES = (ELEVEN, TIE, MATCHING, AVERAGE)
"""In the order of the page."""

OPEN_TASKS = (
    OpenTask(
        "14.5",
        "Two programs read the same detections and the same ground truth. One prints a mAP of "
        "0.62, the other of 0.58. Name six rules in which they may differ, and for each an "
        "experiment with a file of your own that tells which of them follows it.",
    ),
)
