"""What detections are worth: COCO's average precision, from a match to twelve numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import (
    check_choice,
    check_columns,
    check_finite,
    check_masks,
    check_one_a_box,
    check_same_rows,
)
from roilearn.reference.overlap import shared_and_united

REGIONS = ("boxes", "masks")
"""What can be compared."""
IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""Overlaps from which on a detection has found an object."""
RECALLS = np.linspace(0, 1, 101)
"""Shares of the objects at which precision is read."""
AREAS = {"all": (0, 1e10), "small": (0, 32**2), "medium": (32**2, 96**2), "large": (96**2, 1e10)}
"""Smallest and largest area of an object, in pixels; an area on a border belongs to both."""
LIMITS = (1, 10, 100)
"""Numbers of detections of one class in one image, the best by score, that are looked at."""


@dataclass(frozen=True)
class Judgement:
    """What became of the detections of one class in one image, for one range of areas.

    Attributes
    ----------
    scores : (D,) scores, the highest first.
    found : (T, D) whether a detection is matched with an object, at T thresholds.
    ignored : (T, D) whether it counts neither as right nor as wrong.
    objects : how many objects there are to be found.
    """

    scores: np.ndarray
    found: np.ndarray
    ignored: np.ndarray
    objects: int


def average_precision(
    detections: Sequence[Mapping[str, Any]],
    targets: Sequence[Mapping[str, Any]],
    regions: str = "boxes",
) -> dict[str, float]:
    """COCO's twelve numbers for the detections in a list of images.

    Parameters
    ----------
    detections : for each image a dict of ``labels`` (D,), ``scores`` (D,) and ``boxes`` (D, 4), as
        x1, y1, x2, y2, or ``masks`` (D, H, W), booleans.
    targets : for each image a dict of ``labels`` (G,) and ``boxes`` (G, 4) or ``masks`` (G, H, W);
        if it has ``iscrowd`` (G,), 1 marks a crowd, and ``area`` (G,) is the area by which an
        object is small, medium or large. Otherwise that is the area of its mask, or of its box.
    regions : ``"boxes"`` or ``"masks"``: what has to overlap.

    Returns
    -------
    AP, AP50, AP75, APs, APm, APl, AR1, AR10, AR100, ARs, ARm and ARl, from 0 to 1; -1 where there
    is no object to be found.

    Raises
    ------
    ValueError: numbers of images, labels, scores or regions that differ; a NaN.

    Source
    ------
    Lin et al., Microsoft COCO (2014), and the rules of pycocotools 2.0.11, ``cocoeval``.

    Differs from
    ------------
    pycocotools 2.0.11: takes an object with the id 0 for one that is not there.

    Examples
    --------
    The first detection has found its object by an IoU of 0.8, the second has found nothing:

    >>> target = {"boxes": [[0, 0, 10, 10]], "labels": [1]}
    >>> found = {"boxes": [[0, 0, 10, 8], [50, 0, 60, 8]], "labels": [1, 1], "scores": [0.9, 0.8]}
    >>> numbers = average_precision([found], [target])
    >>> [round(numbers[name], 3) for name in ("AP", "AP75", "APl")]
    [0.7, 1.0, -1.0]
    """
    if len(detections) != len(targets):
        raise ValueError(
            f"detections must have an entry for each of targets; got {len(detections)} entries "
            f"for {len(targets)}. An image without detections has empty arrays."
        )
    pairs = zip(detections, targets, strict=True)
    _, precision, recall = accumulate([judge_image(d, t, regions) for d, t in pairs])
    return summarise(precision, recall)


def judge_image(
    detections: Mapping[str, Any], targets: Mapping[str, Any], regions: str = "boxes"
) -> dict[int, list[Judgement]]:
    """Compare the detections in one image with its objects: for each class, by ``AREAS``.

    Parameters
    ----------
    detections, targets : as one entry of those of ``average_precision``.
    regions : ``"boxes"`` or ``"masks"``.
    """
    check_choice("regions", regions, REGIONS)
    detected, labels, areas = read("detections", detections, regions)
    objects, object_labels, object_areas = read("targets", targets, regions)
    scores = np.asarray(detections["scores"], float)
    check_one_a_box("scores", scores, len(labels))
    check_finite("scores", scores[:, None])
    crowd = np.asarray(targets.get("iscrowd", np.zeros(len(objects)))).astype(bool)
    check_one_a_box("iscrowd", crowd, len(objects))
    judged = {}
    for label in np.union1d(labels, object_labels):
        (of_class,) = np.nonzero(labels == label)
        best = of_class[np.argsort(-scores[of_class], kind="stable")][: max(LIMITS)]
        (there,) = np.nonzero(object_labels == label)
        overlap = overlaps(detected[best], objects[there], crowd[there], regions)
        judged[int(label)] = [
            judge(overlap, scores[best], areas[best], object_areas[there], crowd[there], *limits)
            for limits in AREAS.values()
        ]
    return judged


def read(
    name: str, image: Mapping[str, Any], regions: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Regions, labels and areas of the detections or targets of one image, checked."""
    found = np.asarray(image[regions])
    if regions == "boxes":
        found = found.astype(float).reshape(-1, 4) if found.size == 0 else found.astype(float)
        check_columns(f"{name}' boxes", found, "x1, y1, x2, y2")
        check_finite(f"{name}' boxes", found)
    else:
        check_masks(found)
        found = found.astype(bool)
    labels = np.asarray(image["labels"])
    check_same_rows(f"{name}' labels", labels, regions, len(found))
    if name == "targets" and "area" in image:
        areas = np.asarray(image["area"], float)
    elif name == "targets" and "masks" in image:
        areas = np.asarray(image["masks"]).astype(bool).sum((1, 2))
    elif regions == "masks":
        areas = found.sum((1, 2))
    else:
        areas = (found[:, 2] - found[:, 0]) * (found[:, 3] - found[:, 1])
    check_one_a_box(f"{name}' areas", areas, len(found))
    return found, labels, areas


def overlaps(
    detected: np.ndarray, objects: np.ndarray, crowd: np.ndarray, regions: str
) -> np.ndarray:
    """IoU of every detection with every object; with a crowd, the share of the detection in it."""
    measure = shared_and_united if regions == "boxes" else shared_and_united_pixels
    table = np.zeros((len(detected), len(objects)))
    for d, region in enumerate(detected):
        for g, target in enumerate(objects):
            shared, union = measure(region, target)
            if crowd[g]:
                _, union = measure(region, region)  # the area of the detection
            table[d, g] = shared / union if shared > 0 else 0
    return table


def mask_iou(masks1: ArrayLike, masks2: ArrayLike) -> np.ndarray:
    """Intersection over union of every pair of masks.

    Parameters
    ----------
    masks1 : (N, H, W); a pixel belongs to the mask where its value is not 0.
    masks2 : (M, H, W)

    Returns
    -------
    (N, M) array in [0, 1]. An empty mask has IoU 0 with everything, itself included.

    Examples
    --------
    >>> left, top = np.zeros((2, 1, 4, 4), bool)
    >>> left[:, :, :2], top[:, :2] = True, True
    >>> mask_iou(left, top).round(3)
    array([[0.333]])
    """
    first, second = np.asarray(masks1), np.asarray(masks2)
    check_masks(first)
    check_masks(second)
    crowd = np.zeros(len(second), bool)
    return overlaps(first.astype(bool), second.astype(bool), crowd, "masks")


def shared_and_united_pixels(a: np.ndarray, b: np.ndarray) -> tuple[int, int]:
    """Numbers of pixels in the intersection and in the union of two masks."""
    return int(np.count_nonzero(a & b)), int(np.count_nonzero(a | b))


def judge(
    overlap: np.ndarray,
    scores: np.ndarray,
    areas: np.ndarray,
    object_areas: np.ndarray,
    crowd: np.ndarray,
    smallest: float,
    largest: float,
) -> Judgement:
    """Match at all thresholds, and say which detections do not count in this range of areas.

    Crowds and objects of another size need not be found: a detection matched with one is ignored.
    So is one that is matched with nothing and is of another size itself.
    """
    optional = crowd | (object_areas < smallest) | (object_areas > largest)
    matches = np.array([match_detections(overlap, crowd, optional, t) for t in IOU_THRESHOLDS])
    found = matches >= 0  # [T, D]
    other_size = (areas < smallest) | (areas > largest)
    ignored = np.where(found, np.append(optional, False)[matches], other_size)
    return Judgement(scores, found, ignored, int((~optional).sum()))


def match_detections(
    overlap: np.ndarray, crowd: np.ndarray, optional: np.ndarray, threshold: float
) -> np.ndarray:
    """Give each detection, the best first, the free object that it overlaps most.

    Parameters
    ----------
    overlap : (D, G) table of ``overlaps``, the detection with the highest score first.
    crowd : (G,) whether an object is a crowd, which any number of detections may be matched with.
    optional : (G,) whether it need not be found; such are taken only if no other will do.
    threshold : the least overlap of a match.

    Returns
    -------
    (D,) indices of objects, -1 for none. Of equal overlaps the last object is taken.

    Examples
    --------
    Both detections overlap the first object most. The better one has it:

    >>> overlap, none = np.array([[0.9, 0.0], [0.8, 0.6]]), np.array([False, False])
    >>> match_detections(overlap, none, none, 0.5)
    array([0, 1])
    """
    order = np.argsort(optional, kind="stable")
    matches, taken = np.full(len(overlap), -1), set()
    for d, row in enumerate(overlap):
        most = min(threshold, 1 - 1e-10)
        for g in order:
            if g in taken and not crowd[g]:
                continue
            if matches[d] >= 0 and optional[g] and not optional[matches[d]]:
                break
            if row[g] >= most:
                most, matches[d] = row[g], g
        taken.add(matches[d])
    return matches


def accumulate(
    judged: Sequence[Mapping[int, Sequence[Judgement]]],
) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Put the judgements of all images together.

    Parameters
    ----------
    judged : a result of ``judge_image`` for each image; equal scores count in this order.

    Returns
    -------
    labels : the K classes that there are.
    precision : (T, R, K, A, M) at T ``IOU_THRESHOLDS``, R ``RECALLS``, A ``AREAS``, M ``LIMITS``.
    recall : (T, K, A, M). Both are -1 where a class has no object to be found.
    """
    labels = sorted({label for image in judged for label in image})
    shape = (len(labels), len(AREAS), len(LIMITS))
    precision = np.full((len(IOU_THRESHOLDS), len(RECALLS), *shape), -1.0)
    recall = np.full((len(IOU_THRESHOLDS), *shape), -1.0)
    for k, a, m in np.ndindex(shape):
        images = [image[labels[k]][a] for image in judged if labels[k] in image]
        if sum(image.objects for image in images) > 0:
            precision[:, :, k, a, m], recall[:, k, a, m] = curve(images, LIMITS[m])
    return labels, precision, recall


def curve(images: Sequence[Judgement], limit: int) -> tuple[np.ndarray, np.ndarray]:
    """Precision at the (T, R) thresholds and recalls, and the (T,) recalls reached.

    Down the list of all detections, the best first: how many objects have been found so far, and
    how many of the detections were right. The precision at a recall is the best that there is at
    this or any higher one; 0 beyond the last.
    """
    order = np.argsort(-np.concatenate([image.scores[:limit] for image in images]), kind="stable")
    found = np.concatenate([image.found[:, :limit] for image in images], 1)[:, order]
    ignored = np.concatenate([image.ignored[:, :limit] for image in images], 1)[:, order]
    right = np.cumsum(found & ~ignored, 1)  # [T, D]
    wrong = np.cumsum(~found & ~ignored, 1)
    recall = right / sum(image.objects for image in images)
    precision = right / np.maximum(right + wrong, 1)
    best = np.maximum.accumulate(precision[:, ::-1], 1)[:, ::-1]
    places = [np.searchsorted(row, RECALLS) for row in recall]
    curves = [np.append(row, 0)[place] for row, place in zip(best, places, strict=True)]
    return np.array(curves), np.append(np.zeros((len(recall), 1)), recall, 1)[:, -1]


def summarise(precision: np.ndarray, recall: np.ndarray) -> dict[str, float]:
    """Twelve numbers: means over thresholds, recalls and those classes that have objects."""
    numbers = {
        "AP": precision[..., 0, -1],
        "AP50": precision[0, ..., 0, -1],
        "AP75": precision[5, ..., 0, -1],
    }
    sizes = list(enumerate("sml", start=1))
    numbers |= {f"AP{size}": precision[..., a, -1] for a, size in sizes}
    numbers |= {f"AR{limit}": recall[..., 0, m] for m, limit in enumerate(LIMITS)}
    numbers |= {f"AR{size}": recall[..., a, -1] for a, size in sizes}
    known = {name: values[values > -1] for name, values in numbers.items()}
    return {name: float(values.mean()) if values.size else -1.0 for name, values in known.items()}
