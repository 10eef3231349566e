"""Ground truth, its matching with boxes, and the losses that come of it."""

import math
from typing import Any

from roilearn.arguments.arrays import (
    check_array,
    check_floating,
    check_one_per_box,
    check_same_rows,
    check_whole_numbers,
    first_row,
)
from roilearn.arguments.boxes import check_four_columns
from roilearn.arguments.scalars import check_flag, check_fraction

ENTRIES = ("boxes", "labels", "iscrowd")
"""Entries of a target that are always looked at."""


def check_target(target: Any, *others: str, name: str = "") -> None:
    """Raise unless ``target``, the ground truth of one image, has rows of all that is needed.

    Errors name an entry as it is reached from ``name``, or alone.
    """
    called = {entry: f"{name}[{entry!r}]" if name else entry for entry in (*ENTRIES, *others)}
    for entry in ("boxes", "labels", *others):
        if entry not in target:
            raise ValueError(
                f"{name or 'target'} must have {', '.join(('boxes', 'labels', *others))}; {entry} "
                f"is missing among {', '.join(map(repr, target)) or 'nothing'}. An image without "
                "objects has no rows of each: boxes (0, 4), labels (0,), masks (0, H, W)."
            )
    boxes = target["boxes"]
    check_four_columns(called["boxes"], boxes)
    check_floating(called["boxes"], boxes)
    for entry in ("labels", "iscrowd"):
        if entry in target:
            check_one_per_box(called[entry], target[entry], len(boxes))
    check_whole_numbers(called["labels"], target["labels"])
    for entry in others:
        check_array(called[entry], target[entry])
        check_same_rows(called[entry], target[entry], called["boxes"], len(boxes))


def check_labels(labels: Any, least: int, classes: int | None = None, name: str = "labels") -> None:
    """Raise unless all ``labels`` are at least ``least`` and name one of the ``classes``."""
    known = labels >= least if classes is None else (labels >= least) & (labels < classes)
    if not bool(known.all()):
        row = first_row(~known)
        heads = "" if classes is None else f", for heads of {classes} classes with background"
        last = "" if classes is None else f" to {classes - 1}"
        raise ValueError(
            f"{name} must be {least}{last or ' or more'}{heads}; got {int(labels[row])} in row "
            f"{row}. Class 0 is background: objects count from 1."
        )


def check_matching(
    iou: Any, high: float, low: float, allow_low_quality_matches: bool
) -> tuple[float, float]:
    """Return both thresholds; raise unless ``iou`` is a table and they are in order."""
    check_array("iou", iou)
    check_floating("iou", iou)
    check_flag("allow_low_quality_matches", allow_low_quality_matches)
    if iou.ndim != 2:
        raise ValueError(
            "iou must have shape (T, A), a row for each true box and a column for each anchor; "
            f"got shape {tuple(iou.shape)}."
        )
    high, low = check_fraction("high", high), check_fraction("low", low)
    if low > high:
        raise ValueError(f"low must be at most high; got {low:g} and {high:g}.")
    return high, low


def check_losses(losses: Any) -> None:
    """Raise ``FloatingPointError`` unless every loss is finite, naming the first that is not."""
    for name, loss in losses.items():
        value = loss.item()
        if not math.isfinite(value):
            raise FloatingPointError(
                f"{name} is {value}: training has diverged. Go back to weights from before, "
                "lower the learning rate or lengthen its warm-up, and clip gradients."
            )
