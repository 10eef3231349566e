"""Detections without one kind of error, and the average precision that they would have."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from roilearn.arguments import check_choice
from roilearn.reference.boxes.iou import IOU_TYPES
from roilearn.reference.detection.average_precision import average_precision
from roilearn.reference.detection.detection_errors import (
    ERROR_KINDS,
    DetectionErrors,
    detection_errors,
)

METRICS = {"AP50": 0.5, "AP75": 0.75}
"""The average precision at one IoU threshold, by its name."""
ROWS = ("boxes", "masks", "labels", "scores", "area", "iscrowd")
"""What an image has one of for each of its detections or objects."""


def mend(
    kind: str,
    detections: Mapping[str, Any],
    targets: Mapping[str, Any],
    errors: DetectionErrors,
    iou_type: str = "boxes",
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the detections and targets of an image as they would be without one kind of error.

    A misplaced detection gets its object's region, a wrongly classified one its object's class; if
    the object is found already, the detection is removed, as other errors are. A missed object is
    removed from the targets.

    Parameters
    ----------
    kind : one of ``ERROR_KINDS``.
    detections, targets, iou_type : as they were given to ``detection_errors``.
    errors : its result.

    Source
    ------
    Bolya et al., TIDE (2020), section 2.3.

    Examples
    --------
    >>> disc = {"boxes": [[0, 0, 10, 10]], "labels": [1]}
    >>> found = {"boxes": [[0, 0, 10, 3]], "labels": [1], "scores": [0.6]}
    >>> errors = detection_errors(found, disc)
    >>> mend("misplaced", found, disc, errors)[0]["boxes"].tolist()
    [[0.0, 0.0, 10.0, 10.0]]
    >>> mend("duplicate", found, disc, errors)[0]["boxes"].tolist()
    [[0.0, 0.0, 10.0, 3.0]]
    """
    check_choice("kind", kind, ERROR_KINDS)
    check_choice("iou_type", iou_type, IOU_TYPES)
    if kind == "missed":
        return dict(detections), rows_of(targets, ~errors.missed)
    mended = {name: np.array(values) for name, values in detections.items()}
    mended |= {"boxes": mended["boxes"].astype(float)} if "boxes" in mended else {}
    found, keep = errors.found.copy(), np.ones(len(errors.kinds), bool)
    changed = {"misplaced": iou_type, "wrong class": "labels"}.get(kind)
    for d in np.argsort(-mended["scores"], kind="stable"):
        if errors.kinds[d] != kind:
            continue
        g = errors.nearest[d]
        keep[d] = changed is not None and not found[g]
        if changed and not found[g]:
            mended[changed][d] = np.asarray(targets[changed])[g]
            found[g] = True
    return rows_of(mended, keep), dict(targets)


def rows_of(image: Mapping[str, Any], keep: np.ndarray) -> dict[str, Any]:
    """Select rows of an image's detections or targets; what is said of the image stays."""
    return {
        name: np.asarray(values)[keep] if name in ROWS else values for name, values in image.items()
    }


def mended_average_precision(
    detections: Sequence[Mapping[str, Any]],
    targets: Sequence[Mapping[str, Any]],
    iou_type: str = "boxes",
    metric: str = "AP50",
) -> dict[str, float]:
    """Average precision of the detections as they are, and without each kind of error.

    Parameters
    ----------
    detections, targets, iou_type : as those of ``average_precision``; no crowds.
    metric : ``"AP50"`` or ``"AP75"``; its IoU threshold also says which detections are right.

    Returns
    -------
    By ``"as it is"`` and each of ``ERROR_KINDS``, the average precision, from 0 to 1; -1 where no
    object is left.
    """
    check_choice("metric", metric, tuple(METRICS))
    images = [
        (found, target, detection_errors(found, target, iou_type, METRICS[metric]))
        for found, target in zip(detections, targets, strict=True)
    ]
    numbers = {"as it is": average_precision(detections, targets, iou_type)[metric]}
    for kind in ERROR_KINDS:
        mended = [mend(kind, *image, iou_type) for image in images]
        found, wanted = zip(*mended, strict=True)
        numbers[kind] = average_precision(found, wanted, iou_type)[metric]
    return numbers
