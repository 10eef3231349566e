"""Matching of detections and ground truth in one image: true positives, false positives, ignored.

The first half of COCO's evaluation; ``average_precision`` is the second.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from roilearn.arguments import (
    check_area_values,
    check_choice,
    check_class_labels,
    check_columns,
    check_crowd_marks,
    check_entries,
    check_finite,
    check_ious,
    check_mask_sizes,
    check_masks,
    check_one_per_box,
    check_same_rows,
    check_zeros_and_ones,
)
from roilearn.reference.boxes.iou import IOU_TYPES, region_ious

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""The IoU from which on a detection counts as a true positive."""
AREA_RANGES = {
    "all": (0, 1e10),
    "small": (0, 32**2),
    "medium": (32**2, 96**2),
    "large": (96**2, 1e10),
}
"""Smallest and largest area of an object, in square pixels; a limit belongs to both ranges."""
MAX_DETECTIONS = (1, 10, 100)
"""Maximum numbers of detections of one class in one image; those of the highest scores count."""


@dataclass(frozen=True)
class ImageEvaluation:
    """Matches of the detections of one class in one image, for one range of areas.

    Attributes
    ----------
    scores : (D,) scores, the highest first.
    matched : (T, D) whether a detection is matched with an object, at T IoU thresholds.
    ignored : (T, D) whether it counts neither as a true nor as a false positive.
    objects : number of objects to be found.
    """

    scores: np.ndarray
    matched: np.ndarray
    ignored: np.ndarray
    objects: int


def evaluate_image(
    detections: Mapping[str, Any], targets: Mapping[str, Any], iou_type: str = "boxes"
) -> dict[int, list[ImageEvaluation]]:
    """Match the detections in one image with its ground truth, for each class and area range.

    Parameters
    ----------
    detections, targets : as one entry of those of ``average_precision``.
    iou_type : ``"boxes"`` or ``"masks"``.

    Returns
    -------
    For each class an ``ImageEvaluation`` for each of ``AREA_RANGES``.
    """
    check_choice("iou_type", iou_type, IOU_TYPES)
    check_entries("detections", detections, iou_type, "labels", "scores")
    detected, labels, areas = read_regions("detections", detections, iou_type)
    objects, object_labels, object_areas = read_regions("targets", targets, iou_type)
    scores = np.asarray(detections["scores"], float)
    check_one_per_box("scores", scores, len(labels))
    check_finite("scores", scores[:, None])
    crowd = np.asarray(targets.get("iscrowd", np.zeros(len(objects))))
    check_one_per_box("iscrowd", crowd, len(objects))
    check_crowd_marks(crowd)
    if iou_type == "masks":
        check_mask_sizes(detected, objects)
    crowd = crowd.astype(bool)
    evaluations = {}
    for label in np.union1d(labels, object_labels):
        (of_class,) = np.nonzero(labels == label)
        best = of_class[np.argsort(-scores[of_class], kind="stable")][: max(MAX_DETECTIONS)]
        (there,) = np.nonzero(object_labels == label)
        ious = region_ious(detected[best], objects[there], crowd[there], iou_type)
        evaluations[int(label)] = [
            evaluate_class(
                ious, scores[best], areas[best], object_areas[there], crowd[there], *limits
            )
            for limits in AREA_RANGES.values()
        ]
    return evaluations


def read_regions(
    name: str, image: Mapping[str, Any], iou_type: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Check the detections or targets of one image; give their regions, labels and areas."""
    check_entries(name, image, iou_type, "labels")
    regions = np.asarray(image[iou_type])
    if iou_type == "boxes":
        regions = (
            regions.astype(float).reshape(-1, 4) if regions.size == 0 else regions.astype(float)
        )
        check_columns(f"{name}' boxes", regions, "x1, y1, x2, y2")
        check_finite(f"{name}' boxes", regions)
    else:
        check_masks(regions, f"{name}' masks")
        check_zeros_and_ones(f"{name}' masks", regions)
        regions = regions.astype(bool)
    labels = np.asarray(image["labels"])
    check_same_rows(f"{name}' labels", labels, iou_type, len(regions))
    check_class_labels(f"{name}' labels", labels)
    if name == "targets" and "area" in image:
        areas = np.asarray(image["area"], float)
    elif name == "targets" and "masks" in image:
        areas = np.asarray(image["masks"]).astype(bool).sum((1, 2))
    elif iou_type == "masks":
        areas = regions.sum((1, 2))
    else:
        areas = (regions[:, 2] - regions[:, 0]) * (regions[:, 3] - regions[:, 1])
    check_one_per_box(f"{name}' areas", areas, len(regions))
    if name == "targets" and "area" in image:
        check_area_values("targets' areas", areas)
    return regions, labels, areas


def evaluate_class(
    ious: np.ndarray,
    scores: np.ndarray,
    areas: np.ndarray,
    object_areas: np.ndarray,
    crowd: np.ndarray,
    smallest: float,
    largest: float,
) -> ImageEvaluation:
    """Match at all IoU thresholds, and mark the detections that are ignored in this area range.

    Crowds and objects outside the range need not be found: a detection matched with one is ignored.
    So is a detection that is matched with nothing and lies outside the range itself.
    """
    optional = crowd | (object_areas < smallest) | (object_areas > largest)
    matches = np.array([match_detections(ious, crowd, optional, t) for t in IOU_THRESHOLDS])
    matched = matches >= 0  # [T, D]
    other_size = (areas < smallest) | (areas > largest)
    ignored = np.where(matched, np.append(optional, False)[matches], other_size)
    return ImageEvaluation(scores, matched, ignored, int((~optional).sum()))


def match_detections(
    ious: np.ndarray, crowd: np.ndarray, optional: np.ndarray, threshold: float
) -> np.ndarray:
    """Match each detection, by descending score, with the free object of the highest IoU.

    Parameters
    ----------
    ious : (D, G) IoU of each detection with each object, by descending score.
    crowd : (G,) whether an object is a crowd, which any number of detections may be matched with.
    optional : (G,) whether an object need not be found; it is matched only if no other object can
        be.
    threshold : minimum IoU of a match.

    Returns
    -------
    (D,) indices of objects, -1 for none. Of equal IoUs the last object is taken.

    Examples
    --------
    Both detections overlap the first object most. The one with the higher score is matched with it:

    >>> ious, none = np.array([[0.9, 0.0], [0.8, 0.6]]), np.array([False, False])
    >>> match_detections(ious, none, none, 0.5)
    array([0, 1])
    """
    check_ious(ious, crowd, optional)
    matches, free = np.full(len(ious), -1), np.ones(len(crowd), dtype=bool)
    near = ious >= min(threshold, 1 - 1e-10)  # an IoU of 1 may be rounded
    for d, row in enumerate(ious):
        reached = np.flatnonzero(near[d] & (free | crowd))
        if len(reached):
            g = max(reached, key=lambda g: (not optional[g], row[g], g))
            matches[d], free[g] = g, False
    return matches
