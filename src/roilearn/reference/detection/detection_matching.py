"""What became of the detections in one image: matched with an object, wrong, or not counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from roilearn.arguments import (
    check_choice,
    check_columns,
    check_finite,
    check_masks,
    check_one_a_box,
    check_same_rows,
)
from roilearn.reference.region_overlap import REGIONS, overlaps

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""Overlaps from which on a detection has found an object."""
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
