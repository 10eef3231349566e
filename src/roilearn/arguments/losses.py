"""Argument checks of losses: pairs of boxes, logits with targets, and how a loss is reduced."""

from typing import Any

from roilearn.arguments.arrays import check_array, check_floating
from roilearn.arguments.boxes import check_last_axis
from roilearn.arguments.scalars import (
    check_at_least,
    check_choice,
    check_number,
)

REDUCTIONS = ("none", "mean", "sum")
"""What becomes of the losses of all boxes or logits: all of them, their mean, their sum."""


def check_loss_boxes(boxes1: Any, boxes2: Any, reduction: Any, eps: Any) -> None:
    """Raise unless the boxes have one shape and four columns, and the options can be used."""
    check_choice("reduction", reduction, REDUCTIONS)
    check_at_least("eps", eps, 0)
    check_last_axis("boxes1", boxes1)
    check_last_axis("boxes2", boxes2)
    if tuple(boxes1.shape) != tuple(boxes2.shape):
        raise ValueError(
            "boxes2 must have the shape of boxes1, a box for each; got "
            f"{tuple(boxes2.shape)} and {tuple(boxes1.shape)}. For every pair of two sets of boxes "
            "use box_iou and its relatives."
        )


def check_focal_loss(inputs: Any, targets: Any, alpha: Any, gamma: Any, reduction: Any) -> None:
    """Raise unless there is a target for each logit, and the options can be used."""
    check_choice("reduction", reduction, REDUCTIONS)
    factor = check_number("alpha", alpha)
    if not (0 <= factor <= 1 or factor == -1):
        raise ValueError(f"alpha must lie from 0 to 1, or be -1 for no weights; got {factor:g}.")
    check_at_least("gamma", gamma, 0)
    check_array("inputs", inputs)
    check_floating("inputs", inputs)
    check_array("targets", targets)
    if tuple(inputs.shape) != tuple(targets.shape):
        raise ValueError(
            "targets must have the shape of inputs, a 0 or 1 for each logit; got "
            f"{tuple(targets.shape)} and {tuple(inputs.shape)}."
        )
