"""Argument checks of the boxes of a batch: (K, 5) with the batch index, or a list of (K, 4)."""

from collections.abc import Sequence
from typing import Any

from roilearn.arguments.arrays import check_array, first_row
from roilearn.arguments.boxes import check_columns, check_finite, row_text
from roilearn.arguments.lists import is_list

BOX_COLUMNS = "batch index, x1, y1, x2, y2"
ROTATED_BOX_COLUMNS = "batch index, centre x, centre y, width, height, angle"


def check_boxes(boxes: Any, batch_size: int, columns: str = BOX_COLUMNS) -> None:
    """Raise unless ``boxes`` is (K, 5), or a list with one (Ki, 4) array for each image.

    Parameters
    ----------
    columns : names of the columns, separated by commas; the first is the batch index.
    """
    if is_list(boxes):
        check_box_list(boxes, batch_size, columns)
        return
    check_array("boxes", boxes)
    sides = columns.count(",")
    if boxes.ndim == 2 and boxes.shape[1] == sides + 1:
        return
    advice = "For a single image pass [boxes]." if tuple(boxes.shape[1:]) == (sides,) else ""
    raise ValueError(
        f"boxes must have {sides + 1} columns ({columns}) or be a list of (K, {sides}) arrays; "
        f"got shape {tuple(boxes.shape)}. {advice}".rstrip()
    )


def check_box_list(boxes: Sequence[Any], batch_size: int, columns: str = BOX_COLUMNS) -> None:
    """Raise unless there is one (Ki, 4) array for each of the ``batch_size`` images."""
    _, _, sides = columns.partition(", ")
    for position, image_boxes in enumerate(boxes):
        check_columns(f"boxes[{position}]", image_boxes, sides)
    if len(boxes) != batch_size:
        raise ValueError(
            f"boxes must be a list with one (K, {columns.count(',')}) array for each image of "
            f"input; got a list of {len(boxes)} for a batch of {batch_size}."
        )


def check_box_values(rois: Any, batch_size: int, columns: str = BOX_COLUMNS) -> None:
    """Raise unless every row of the (K, 5) ``rois`` is finite with a batch index in range."""
    check_finite("boxes", rois)
    index = rois[:, 0]
    nearest = index.clip(0, batch_size - 1).round()
    known = nearest == index if batch_size else index != index  # noqa: PLR0124 - without images
    if not bool(known.all()):
        row = first_row(~known)
        raise ValueError(
            "boxes must have a batch index in column 0, a whole number from 0 to "
            f"{batch_size - 1}; got batch index {float(index[row]):g} in row {row}. The columns "
            f"are {columns}."
        )


def check_no_negative_size(rois: Any) -> None:
    """Raise unless width and height, columns 3 and 4 of the (K, 6) ``rois``, are at least 0."""
    negative = (rois[:, 3:5] < 0).any(1)
    if bool(negative.any()):
        row = first_row(negative)
        raise ValueError(
            f"boxes must have a width and a height of at least 0; got {row_text(rois, row)} in row "
            f"{row}. The columns are {ROTATED_BOX_COLUMNS}."
        )
