"""Kinds of detection errors: why each wrong detection is wrong, and which objects are missed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from roilearn.arguments import check_choice, check_finite, check_one_per_box
from roilearn.reference.boxes.iou import IOU_TYPES, region_ious
from roilearn.reference.detection.detection_matching import match_detections, read_regions

ERROR_KINDS = ("misplaced", "wrong class", "both", "duplicate", "background", "missed")
"""The kinds of errors; ``"missed"`` is said of objects, the others of detections."""
BACKGROUND_IOU = 0.1
"""The IoU below which a detection lies on background."""


@dataclass(frozen=True)
class DetectionErrors:
    """What is wrong in one image.

    Attributes
    ----------
    kinds : of each detection ``"right"`` or one of ``ERROR_KINDS``.
    nearest : (D,) the object with which a detection is matched, else the one that it overlaps
        most; -1 where the image has no objects.
    found : (G,) whether a detection is matched with the object.
    missed : (G,) whether it is not found, and no misplaced or wrongly classified detection would
        find it if it were mended.
    """

    kinds: list[str]
    nearest: np.ndarray
    found: np.ndarray
    missed: np.ndarray


def detection_errors(
    detections: Mapping[str, Any],
    targets: Mapping[str, Any],
    iou_type: str = "boxes",
    threshold: float = 0.5,
) -> DetectionErrors:
    """Say of each detection in an image whether it is right, or which kind of error it is.

    Parameters
    ----------
    detections, targets : as one entry of those of ``average_precision``.
    iou_type : ``"boxes"`` or ``"masks"``: the IoU of which is compared.
    threshold : the IoU from which on a detection of an object's class finds it.

    Raises
    ------
    ValueError: an unknown iou_type; a threshold that does not lie above 0.1 and up to 1; a crowd
        among the targets, which has no single outline; scores that are not finite, or not one for
        each detection; masks of two sizes.

    Source
    ------
    Bolya et al., TIDE (2020), section 2.2; Hoiem et al., Diagnosing error (2012).

    Differs from
    ------------
    TIDE asks in an order whether a wrong detection is misplaced on an object of its class, of the
    wrong class, a duplicate or background. Here the object that it overlaps most decides.

    Examples
    --------
    The second detection finds the disc (class 1) once more, the third takes it for a square:

    >>> disc = {"boxes": [[0, 0, 10, 10]], "labels": [1]}
    >>> boxes = [[0, 0, 10, 9], [0, 0, 10, 8], [0, 0, 10, 8], [0, 0, 10, 3]]
    >>> found = {"boxes": boxes, "labels": [1, 1, 2, 1], "scores": [0.9, 0.8, 0.7, 0.6]}
    >>> detection_errors(found, disc).kinds
    ['right', 'duplicate', 'wrong class', 'misplaced']
    """
    check_choice("iou_type", iou_type, IOU_TYPES)
    check_image(detections, targets, iou_type, threshold)
    regions, labels, _ = read_regions("detections", detections, iou_type)
    objects, object_labels, _ = read_regions("targets", targets, iou_type)
    ious = region_ious(regions, objects, np.zeros(len(objects), bool), iou_type)
    same = labels[:, None] == object_labels  # [D, G]
    matches = match_by_score(np.where(same, ious, 0), np.asarray(detections["scores"]), threshold)
    nearest = ious.argmax(1) if len(objects) else matches
    kinds = ["right"] * len(labels)
    for d in np.flatnonzero(matches < 0):
        iou = ious[d].max(initial=0)
        kinds[d] = error_kind(iou, iou > 0 and bool(same[d, nearest[d]]), threshold)
    found = np.isin(np.arange(len(objects)), matches)
    mendable = nearest[[kind in {"misplaced", "wrong class"} for kind in kinds]]
    missed = ~found & ~np.isin(np.arange(len(objects)), mendable)
    return DetectionErrors(kinds, np.where(matches < 0, nearest, matches), found, missed)


def check_image(
    detections: Mapping[str, Any], targets: Mapping[str, Any], iou_type: str, threshold: float
) -> None:
    """Raise unless the threshold, the scores and the masks can be compared, and without crowds."""
    if not BACKGROUND_IOU < threshold <= 1:
        raise ValueError(f"threshold must be above {BACKGROUND_IOU} and up to 1; got {threshold}.")
    if np.any(targets.get("iscrowd", False)):
        raise ValueError("targets must have no crowds (iscrowd); leave them out. Got one or more.")
    scores = np.asarray(detections["scores"], float)
    check_one_per_box("scores", scores, len(detections["labels"]))
    check_finite("scores", scores[:, None])
    sizes = {np.shape(image[iou_type])[1:] for image in (detections, targets)}
    if iou_type == "masks" and len(sizes) > 1:
        raise ValueError(f"masks of detections and targets must have one size; got {sizes}.")


def match_by_score(ious: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
    """Match detections, the highest score first, with the object of the highest IoU that is free.

    Parameters
    ----------
    ious : (D, G), 0 where the classes differ.

    Returns
    -------
    (D,) indices of objects, -1 for none.
    """
    order = np.argsort(-np.asarray(scores, float), kind="stable")
    none = np.zeros(ious.shape[1], bool)
    matches = np.full(len(ious), -1)
    matches[order] = match_detections(ious[order], none, none, threshold)
    return matches


def error_kind(iou: float, same_class: bool, threshold: float = 0.5) -> str:
    """Kind of error of a detection that finds no object.

    Parameters
    ----------
    iou : with the object that the detection overlaps most.
    same_class : whether the detection has that object's class.
    threshold : the IoU from which on it would find the object.
    """
    if iou < BACKGROUND_IOU:
        return "background"
    if iou < threshold:
        return "misplaced" if same_class else "both"
    return "duplicate" if same_class else "wrong class"
