"""COCO's average precision (AP) and average recall (AR): twelve numbers for all detections."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from roilearn.reference.detection.detection_matching import (
    AREA_RANGES,
    IOU_THRESHOLDS,
    MAX_DETECTIONS,
    ImageEvaluation,
    evaluate_image,
)
from roilearn.reference.detection.precision_recall import (
    RECALLS_101,
    precision_at,
    precision_recall,
    rank_detections,
)


def average_precision(
    detections: Sequence[Mapping[str, Any]],
    targets: Sequence[Mapping[str, Any]],
    iou_type: str = "boxes",
) -> dict[str, float]:
    """COCO's twelve numbers of average precision and recall for the detections in a list of images.

    Parameters
    ----------
    detections : for each image a dict of ``labels`` (D,), ``scores`` (D,) and ``boxes`` (D, 4), as
        x1, y1, x2, y2, or ``masks`` (D, H, W), booleans.
    targets : for each image a dict of ``labels`` (G,) and ``boxes`` (G, 4) or ``masks`` (G, H, W);
        if it has ``iscrowd`` (G,), 1 marks a crowd, and ``area`` (G,) is the area by which an
        object is small, medium or large. Otherwise that is the area of its mask, or of its box.
    iou_type : ``"boxes"`` or ``"masks"``: the IoU of which is compared.

    Returns
    -------
    AP, AP50, AP75, APs, APm, APl, AR1, AR10, AR100, ARs, ARm and ARl, from 0 to 1; -1 where there
    is no object to be found.

    Raises
    ------
    ValueError: numbers of images, labels or scores that differ; a NaN or infinite box, score or
    area; a label that is no whole number; masks of other values than 0 and 1, or of two sizes; a
    crowd mark other than 0 and 1; an entry that is missing.

    Source
    ------
    Lin et al., Microsoft COCO (2014), and the rules of pycocotools 2.0.11, ``cocoeval``.

    Differs from
    ------------
    pycocotools 2.0.11: there an annotation with the id 0 counts as unmatched even when it is
    matched.

    Examples
    --------
    The first detection overlaps its object by an IoU of 0.8, the second overlaps nothing:

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
    _, precision, recall = accumulate([evaluate_image(d, t, iou_type) for d, t in pairs])
    return summarise(precision, recall)


def accumulate(
    evaluations: Sequence[Mapping[int, Sequence[ImageEvaluation]]],
) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Gather the matches of all images into precision and recall.

    Parameters
    ----------
    evaluations : a result of ``evaluate_image`` for each image; equal scores count in this order.

    Returns
    -------
    labels : the K classes that occur.
    precision : (T, R, K, A, M) at T ``IOU_THRESHOLDS``, R ``RECALLS_101``, A ``AREA_RANGES``,
        M ``MAX_DETECTIONS``.
    recall : (T, K, A, M). Both are -1 where a class has no object to be found.
    """
    labels = sorted({label for image in evaluations for label in image})
    shape = (len(labels), len(AREA_RANGES), len(MAX_DETECTIONS))
    precision = np.full((len(IOU_THRESHOLDS), len(RECALLS_101), *shape), -1.0)
    recall = np.full((len(IOU_THRESHOLDS), *shape), -1.0)
    for k, a, m in np.ndindex(shape):
        images = [image[labels[k]][a] for image in evaluations if labels[k] in image]
        if sum(image.objects for image in images) > 0:
            precision[:, :, k, a, m], recall[:, k, a, m] = precision_recall_curve(
                images, MAX_DETECTIONS[m]
            )
    return labels, precision, recall


def precision_recall_curve(
    images: Sequence[ImageEvaluation], limit: int
) -> tuple[np.ndarray, np.ndarray]:
    """Interpolated precision at the (T, R) thresholds and recalls, and the (T,) highest recalls."""
    objects = sum(image.objects for image in images)
    curves, highest = [], []
    for threshold in range(len(IOU_THRESHOLDS)):
        ranked = rank_detections(images, threshold, limit)
        precision, recall = precision_recall(ranked, objects)
        curves.append(precision_at(RECALLS_101, precision, recall))
        highest.append(recall.max(initial=0))
    return np.array(curves), np.array(highest)


def summarise(precision: np.ndarray, recall: np.ndarray) -> dict[str, float]:
    """Average precision and recall over thresholds, recalls and the classes that have objects."""
    numbers = {
        "AP": precision[..., 0, -1],
        "AP50": precision[0, ..., 0, -1],
        "AP75": precision[5, ..., 0, -1],
    }
    sizes = list(enumerate("sml", start=1))
    numbers |= {f"AP{size}": precision[..., a, -1] for a, size in sizes}
    numbers |= {f"AR{limit}": recall[..., 0, m] for m, limit in enumerate(MAX_DETECTIONS)}
    numbers |= {f"AR{size}": recall[..., a, -1] for a, size in sizes}
    known = {name: values[values > -1] for name, values in numbers.items()}
    return {name: float(values.mean()) if values.size else -1.0 for name, values in known.items()}
