"""Argument checks of targets: the ground truth of one image, for training and evaluation."""

from collections.abc import Mapping
from typing import Any

from roilearn.arguments.arrays import (
    check_array,
    check_floating,
    check_one_per_box,
    check_same_rows,
    check_tensor,
    check_whole_numbers,
    first_row,
)
from roilearn.arguments.boxes import (
    check_finite,
    check_four_columns,
    check_positive_sides,
    row_text,
)
from roilearn.arguments.masks import check_masks

ENTRIES = ("boxes", "labels", "iscrowd")
"""Entries of a target that are always checked."""


def check_target(target: Any, *others: str, name: str = "") -> None:
    """Raise unless ``target``, the ground truth of one image, has all entries that are needed.

    Parameters
    ----------
    others : entries that are needed beside boxes and labels.
    name : of the target in error messages; without it they name the entry alone.
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
    """Raise unless all ``labels`` are at least ``least`` and below the number of ``classes``."""
    known = labels >= least if classes is None else (labels >= least) & (labels < classes)
    if not bool(known.all()):
        row = first_row(~known)
        heads = "" if classes is None else f", for heads of {classes} classes with background"
        last = "" if classes is None else f" to {classes - 1}"
        raise ValueError(
            f"{name} must be {least}{last or ' or more'}{heads}; got {int(labels[row])} in row "
            f"{row}. Class 0 is background: objects count from 1."
        )


def check_target_shapes(name: str, target: Any, size: tuple[int, int], *needed: str) -> None:
    """Raise unless ``target`` has tensors of boxes, labels and the entries that are ``needed``.

    Parameters
    ----------
    name : of the target in error messages.
    size : height and width of its image, and so of its masks.
    """
    if not isinstance(target, Mapping):
        raise TypeError(
            f"{name} must be a dictionary of {', '.join(('boxes', 'labels', *needed))}; got "
            f"{type(target).__name__}."
        )
    check_target(target, *needed, name=name)
    for entry in ("boxes", "labels", "iscrowd", "masks", *needed):
        if entry in target:
            check_tensor(f"{name}[{entry!r}]", target[entry])
    if str(target["labels"].dtype) != "torch.int64":
        raise TypeError(
            f"{name}['labels'] must be int64; got {target['labels'].dtype}. Pass labels.long()."
        )
    if "masks" in target:
        check_mask_size(f"{name}['masks']", target["masks"], len(target["boxes"]), size)


def check_mask_size(name: str, masks: Any, boxes: int, size: tuple[int, int]) -> None:
    """Raise unless there is a mask as large as the image for each of the ``boxes``."""
    shape = (boxes, *size)
    if tuple(masks.shape) != shape and (boxes or masks.ndim != 3 or len(masks)):
        raise ValueError(
            f"{name} must have shape {shape}, a mask as large as the image for each box; got "
            f"shape {tuple(masks.shape)}. Code that resizes or crops an image has to do the same "
            "to its masks; from (n, 1, H, W) pass masks[:, 0]."
        )
    check_masks(masks, name)


def check_target_values(
    name: str, target: Mapping[str, Any], size: tuple[int, int], classes: int | None
) -> None:
    """Raise unless the values of a checked target are possible for an image of this ``size``.

    ``check_target_shapes`` has checked its shapes. Boxes may reach over the edge of the image. The
    labels of crowds are not checked.
    """
    boxes, labels = target["boxes"], target["labels"]
    check_finite(f"{name}['boxes']", boxes)
    check_positive_sides(f"{name}['boxes']", boxes)
    check_inside(f"{name}['boxes']", boxes, size)
    if "iscrowd" in target:
        crowd = target["iscrowd"] != 0
        labels = labels * ~crowd + crowd  # any label of a crowd passes
    check_labels(labels, 1, classes, f"{name}['labels']")
    if "masks" in target:
        check_zeros_and_ones(f"{name}['masks']", target["masks"])


def check_inside(name: str, boxes: Any, size: tuple[int, int]) -> None:
    """Raise unless every box overlaps the image of this height and width."""
    x1, y1, x2, y2 = boxes.T
    height, width = size
    outside = (x1 >= width) | (y1 >= height) | (x2 <= 0) | (y2 <= 0)
    if bool(outside.any()):
        row = first_row(outside)
        raise ValueError(
            f"{name} must lie in the image, {width} pixels wide and {height} high, at least in "
            f"part; got {row_text(boxes, row)} in row {row}. Columns are x1, y1, x2, y2 in pixels "
            "of the image as it is passed: code that resizes or crops it has to transform its "
            "boxes too."
        )


def check_zeros_and_ones(name: str, masks: Any) -> None:
    """Raise unless every pixel of the (n, H, W) ``masks`` is 0 or 1, in any dtype."""
    if not len(masks):
        return
    whole = "float" not in str(masks.dtype)
    if whole and bool(masks.min() >= 0) and bool(masks.max() <= 1):
        return  # the usual case, several times as fast as the check below
    other = masks != (masks != 0)  # also true for NaN
    if bool(other.any()):
        row = first_row(other)
        value = float(masks[row][other[row]][0])
        raise ValueError(
            f"{name} must contain only 0 and 1; got {value:g} in mask {row}. From 0 and 255 pass "
            "masks > 0, from probabilities masks > 0.5."
        )
