"""What detections are worth: COCO's average precision, from a match to twelve numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from roilearn.reference.detection.detection_matching import (
    AREAS,
    IOU_THRESHOLDS,
    LIMITS,
    Judgement,
    judge_image,
)

RECALLS = np.linspace(0, 1, 101)
"""Shares of the objects at which precision is read."""


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
