"""Argument checks of the outputs of a detector's heads, and of IoU thresholds."""

from typing import Any

from roilearn.arguments.arrays import first_row
from roilearn.arguments.boxes import check_four_columns
from roilearn.arguments.lists import check_levels, counted
from roilearn.arguments.scalars import check_fraction, check_number


def check_predictions(objectness: Any, deltas: Any, anchors: Any, images: int) -> None:
    """Raise unless each level has an objectness logit and four deltas for each image and anchor."""
    check_levels(objectness=objectness, deltas=deltas, anchors=anchors)
    for level, (logits, moves, boxes) in enumerate(zip(objectness, deltas, anchors, strict=True)):
        check_four_columns(f"anchors[{level}]", boxes)
        expected = (images, boxes.shape[0])
        if tuple(logits.shape) != expected or tuple(moves.shape) != (*expected, 4):
            raise ValueError(
                f"objectness[{level}] and deltas[{level}] must have shapes {expected} and "
                f"{(*expected, 4)}, for {counted(images, 'image')} and {boxes.shape[0]} anchors; "
                f"got {tuple(logits.shape)} and {tuple(moves.shape)}."
            )


def check_scores(scores: Any) -> None:
    """Raise if the (K, C) ``scores`` contain NaN, naming the first such row."""
    bad = (scores != scores).any(1)  # noqa: PLR0124 - only NaN differs from itself
    if bool(bad.any()):
        raise ValueError(
            f"class_logits must have a score for every class; got NaN in row {first_row(bad)}. The "
            "model has diverged, or its weights are NaN: go back to earlier weights."
        )


def check_iou_threshold(iou_threshold: Any, name: str = "iou_threshold") -> float:
    """Return ``iou_threshold`` as a float; raise unless it lies from 0 to 1."""
    return check_fraction(
        name,
        iou_threshold,
        "Boxes whose intersection over union is above it suppress each other: 1 keeps all boxes, 0 "
        "only those that do not overlap.",
    )


def check_nms_threshold(iou_threshold: Any) -> float:
    """Return the threshold of NMS as a float; raise if it is NaN.

    Any number has a meaning: from 1 on all boxes are kept, and below 0 also boxes that do not
    overlap suppress each other, because their IoU of 0 is above it.
    """
    threshold = check_number("iou_threshold", iou_threshold)
    if threshold != threshold:  # noqa: PLR0124 - only NaN differs from itself
        raise ValueError("iou_threshold must be a number, usually from 0 to 1; got nan.")
    return threshold
