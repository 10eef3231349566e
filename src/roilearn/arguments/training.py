"""Argument checks of training: IoU thresholds of matching, and losses that must be finite."""

import math
from typing import Any

from roilearn.arguments.arrays import (
    check_array,
    check_floating,
)
from roilearn.arguments.scalars import check_flag, check_fraction


def check_matching(
    iou: Any, high_threshold: float, low_threshold: float, allow_low_quality_matches: bool
) -> tuple[float, float]:
    """Return both thresholds; raise unless they are in order and ``iou`` is a (T, A) table."""
    check_array("iou", iou)
    check_floating("iou", iou)
    check_flag("allow_low_quality_matches", allow_low_quality_matches)
    if iou.ndim != 2:
        raise ValueError(
            "iou must have shape (T, A), a row for each true box and a column for each anchor; "
            f"got shape {tuple(iou.shape)}."
        )
    high = check_fraction("high_threshold", high_threshold)
    low = check_fraction("low_threshold", low_threshold)
    if low > high:
        raise ValueError(f"low_threshold must be at most high_threshold; got {low:g} and {high:g}.")
    return high, low


def check_losses(losses: Any) -> None:
    """Raise ``FloatingPointError`` unless every loss is finite, naming the first that is not."""
    for name, loss in losses.items():
        value = loss.item()
        if not math.isfinite(value):
            raise FloatingPointError(
                f"{name} is {value}: training has diverged. Go back to earlier weights, "
                "lower the learning rate or lengthen its warm-up, and clip gradients."
            )
