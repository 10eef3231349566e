"""Argument checks of an evaluation: regions of one image, matches, ranked detections, curves."""

import math
from collections.abc import Mapping
from typing import Any

from roilearn.arguments.arrays import check_real, first_row
from roilearn.arguments.scalars import check_count


def check_entries(name: str, image: Mapping[str, Any], *entries: str) -> None:
    """Raise unless the detections or targets of an image have all ``entries``."""
    for entry in entries:
        if entry not in image:
            raise ValueError(
                f"{name} must have {', '.join(entries)}; {entry} is missing among "
                f"{', '.join(map(repr, image)) or 'nothing'}. An image without any has empty "
                "arrays."
            )


def check_class_labels(name: str, labels: Any) -> None:
    """Raise unless every label is a finite whole number, of any dtype."""
    check_real(name, labels)
    broken = ~((abs(labels) < math.inf) & (labels == labels.round()))
    if bool(broken.any()):
        row = first_row(broken)
        raise ValueError(
            f"{name} must hold whole numbers, one for each class; got {labels[row]:g} in row {row}."
        )


def check_area_values(name: str, areas: Any) -> None:
    """Raise unless every area is finite and not negative."""
    broken = ~((areas >= 0) & (areas < math.inf))
    if bool(broken.any()):
        row = first_row(broken)
        raise ValueError(
            f"{name} must be finite and not negative, in square pixels; got {areas[row]:g} in row "
            f"{row}."
        )


def check_crowd_marks(crowd: Any) -> None:
    """Raise unless every object is marked by 0 or 1."""
    broken = (crowd != 0) & (crowd != 1)
    if bool(broken.any()):
        row = first_row(broken)
        raise ValueError(f"iscrowd must be 0 or 1; got {crowd[row]:g} in row {row}.")


def check_mask_sizes(detected: Any, objects: Any) -> None:
    """Raise if the (D, H, W) and (G, H, W) masks of an image differ in height or width."""
    first, second = tuple(detected.shape[1:]), tuple(objects.shape[1:])
    if len(detected) and len(objects) and first != second:
        raise ValueError(
            "detections' masks must have the height and width of targets' masks; got "
            f"{first} and {second}. Both are masks of the whole image."
        )


def check_ious(ious: Any, crowd: Any, optional: Any) -> None:
    """Raise unless ``ious`` is (D, G), and ``crowd`` and ``optional`` are (G,)."""
    shapes = [tuple(each.shape) for each in (ious, crowd, optional)]
    if len(shapes[0]) != 2 or not shapes[1] == shapes[2] == shapes[0][1:]:
        raise ValueError(
            "ious must have shape (D, G), a row for each detection and a column for each object, "
            "crowd and optional shape (G,); got shapes " + ", ".join(map(str, shapes)) + "."
        )


def check_true_positives(true_positives: Any, objects: Any) -> None:
    """Raise unless all are true or false, and no more of them true than there are ``objects``."""
    number = check_count("objects", objects)
    if true_positives.ndim != 1:
        raise ValueError(
            "true_positives must have shape (D,), one for each detection; got shape "
            f"{tuple(true_positives.shape)}."
        )
    broken = (true_positives != 0) & (true_positives != 1)
    if bool(broken.any()):
        row = first_row(broken)
        raise ValueError(
            f"true_positives must be True or False, or 1 or 0; got {true_positives[row]} for "
            f"detection {row}."
        )
    found = int(true_positives.sum())
    if found > number:
        raise ValueError(
            f"objects must be at least the number of true positives, {found}; got {number}. Count "
            "the objects of all images, also of those without detections."
        )


def check_curve(precision: Any, recall: Any) -> None:
    """Raise unless ``precision`` and ``recall`` have a number for each detection."""
    if len(precision) != len(recall):
        raise ValueError(
            "precision and recall must have a number for each detection; got "
            f"{len(precision)} and {len(recall)} of them."
        )
