"""Ground truth of one image, as a detector learns from it or is measured by it."""

from collections.abc import Mapping
from typing import Any

from roilearn.arguments.arrays import check_tensor, first_row
from roilearn.arguments.boxes import check_finite, check_positive_sides, row_text
from roilearn.arguments.masks import check_masks
from roilearn.arguments.training import check_labels, check_target


def check_ground_truth(name: str, target: Any, size: tuple[int, int], *needed: str) -> None:
    """Raise unless ``target`` has tensors of boxes, labels and all that is ``needed``.

    Parameters
    ----------
    name : of the target, as an error shows it.
    size : height and width of its image, which are those of its masks.
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
            f"shape {tuple(masks.shape)}. Whatever resizes or crops the image has to do so to its "
            "masks; from (n, 1, H, W) pass masks[:, 0]."
        )
    check_masks(masks, name)


def check_ground_truth_values(
    name: str, target: Mapping[str, Any], size: tuple[int, int], classes: int | None
) -> None:
    """Raise unless what ``check_ground_truth`` let pass can be true of an image of this ``size``.

    Boxes may reach over its edge. The labels of crowds are not looked at.
    """
    boxes, labels = target["boxes"], target["labels"]
    check_finite(f"{name}['boxes']", boxes)
    check_positive_sides(f"{name}['boxes']", boxes)
    check_inside(f"{name}['boxes']", boxes, size)
    if "iscrowd" in target:
        crowd = target["iscrowd"] != 0
        labels = labels * ~crowd + crowd  # whatever a crowd is called
    check_labels(labels, 1, classes, f"{name}['labels']")
    if "masks" in target:
        check_zeros_and_ones(f"{name}['masks']", target["masks"])


def check_inside(name: str, boxes: Any, size: tuple[int, int]) -> None:
    """Raise unless every box meets the image of this height and width."""
    x1, y1, x2, y2 = boxes.T
    height, width = size
    outside = (x1 >= width) | (y1 >= height) | (x2 <= 0) | (y2 <= 0)
    if bool(outside.any()):
        row = first_row(outside)
        raise ValueError(
            f"{name} must lie in the image, {width} pixels wide and {height} high, at least in "
            f"part; got {row_text(boxes, row)} in row {row}. Columns are x1, y1, x2, y2 in pixels "
            "of the image as it is passed: whatever resizes or crops it has to move its boxes."
        )


def check_zeros_and_ones(name: str, masks: Any) -> None:
    """Raise unless every pixel of the (n, H, W) ``masks`` is 0 or 1, whatever their type."""
    if not len(masks):
        return
    whole = "float" not in str(masks.dtype)
    if whole and bool(masks.min() >= 0) and bool(masks.max() <= 1):
        return  # the usual case, and several times as fast as what follows
    other = masks != (masks != 0)  # true of NaN too
    if bool(other.any()):
        row = first_row(other)
        value = float(masks[row][other[row]][0])
        raise ValueError(
            f"{name} must hold 0 and 1 alone; got {value:g} in mask {row}. From 0 and 255 pass "
            "masks > 0, from chances masks > 0.5."
        )
