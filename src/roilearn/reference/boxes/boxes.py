"""Boxes: formats, area, clipping to an image, and the (K, 5) form with batch indices (RoIs)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import (
    BOX_COLUMNS,
    check_box_formats,
    check_box_values,
    check_boxes,
    check_choice,
    check_finite,
    check_finite_number,
    check_four_columns,
    check_last_axis,
    check_no_nan,
    check_output_size,
)
from roilearn.reference.boxes.rotated_formats import (
    FROM_ROTATED,
    NUMBERS,
    ROTATED_BOX_FORMATS,
    TO_ROTATED,
)

TO_CORNERS = {
    "xyxy": lambda x1, y1, x2, y2: (x1, y1, x2, y2),
    "xywh": lambda x1, y1, w, h: (x1, y1, x1 + w, y1 + h),
    "cxcywh": lambda cx, cy, w, h: (cx - 0.5 * w, cy - 0.5 * h, cx + 0.5 * w, cy + 0.5 * h),
}
"""For each format, the conversion of its four numbers to x1, y1, x2, y2."""
FROM_CORNERS = {
    "xyxy": lambda x1, y1, x2, y2: (x1, y1, x2, y2),
    "xywh": lambda x1, y1, x2, y2: (x1, y1, x2 - x1, y2 - y1),
    "cxcywh": lambda x1, y1, x2, y2: ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1),
}
"""For each format, the conversion of x1, y1, x2, y2 to its four numbers."""
BOX_FORMATS = tuple(TO_CORNERS)
"""Formats of a box: two corners; first corner and size; centre and size."""


def as_rois(
    boxes: ArrayLike | Sequence[ArrayLike],
    batch_size: int,
    dtype: np.dtype | None = None,
    columns: str = BOX_COLUMNS,
) -> np.ndarray:
    """Convert boxes in either form to one (K, 5) array of batch index, x1, y1, x2, y2.

    Parameters
    ----------
    boxes : (K, 5) array, or a list with one (Ki, 4) array for each image of the batch.
    batch_size : number of images.
    dtype : floating dtype of the result.
    columns : names of the columns, for boxes with other columns (rotated boxes).

    Raises
    ------
    ValueError: another shape; a list of another length; a NaN or infinite coordinate; a batch
        index that is not a whole number from 0 to batch_size - 1.

    Examples
    --------
    >>> as_rois([np.array([[0, 0, 4, 4]]), np.array([[1, 2, 3, 5]])], batch_size=2)
    array([[0., 0., 0., 4., 4.],
           [1., 1., 2., 3., 5.]])
    """
    check_boxes(boxes, batch_size, columns)
    if isinstance(boxes, Sequence):
        images = [np.full((len(np.asarray(image)), 1), n) for n, image in enumerate(boxes)]
        rows = [np.hstack(pair) for pair in zip(images, boxes, strict=True)]
        boxes = np.concatenate(rows) if rows else np.zeros((0, columns.count(",") + 1))
    rows = np.asarray(boxes)
    rois = rows.astype(dtype or np.result_type(rows, np.float32))
    check_box_values(rois, batch_size, columns)
    return rois


def box_convert(boxes: ArrayLike, in_fmt: str, out_fmt: str) -> np.ndarray:
    """Convert boxes from one format to another.

    Parameters
    ----------
    boxes : (..., 4) boxes in the format ``in_fmt``; (..., 5) or (..., 8) rotated ones.
    in_fmt, out_fmt : both of ``BOX_FORMATS``, ``"xyxy"``, ``"xywh"`` or ``"cxcywh"``; or both of
        ``ROTATED_BOX_FORMATS``, ``"xywhr"``, ``"cxcywhr"`` or ``"xyxyxyxy"``. The angle r is in
        degrees, counter-clockwise as the image is displayed. x, y is the corner that is top left
        at angle 0, and the four corners follow clockwise from it.

    Returns
    -------
    (..., 4), (..., 5) or (..., 8) new array of the same floating dtype. Whole numbers become int64,
    in which the sum of two numbers below 2**62 does not overflow; centres of whole numbers and
    rotated boxes become floating point. Where the first two corners coincide,
    the angle is 0.

    Raises
    ------
    ValueError: an unknown format, or one upright and one rotated; another number of columns; a NaN
        or infinite number.

    Examples
    --------
    >>> box_convert([[2, 3, 6, 5]], "xyxy", "xywh")
    array([[2, 3, 4, 2]])
    >>> box_convert([[2, 3, 6, 5]], "xyxy", "cxcywh")
    array([[4., 4., 4., 2.]])

    A box of 4 x 2 pixels, a quarter turn about its first corner: its width points upwards.

    >>> box_convert([[2, 6, 4, 2, 90]], "xywhr", "xyxyxyxy").round(3)
    array([[2., 6., 2., 2., 4., 2., 4., 6.]])
    """
    check_box_formats(in_fmt, out_fmt, BOX_FORMATS, ROTATED_BOX_FORMATS)
    rotated = in_fmt in ROTATED_BOX_FORMATS
    rows = _finite("boxes", boxes, numbers=NUMBERS.get(in_fmt, 4))
    if rows.dtype.kind in "iu":
        rows = rows.astype(float if rotated else np.int64)
    if in_fmt == out_fmt:
        return rows.copy()
    # In float16 a corner may overflow where the centre does not: 60,000 + 8,000 is infinite.
    halves = rows.dtype == np.float16
    numbers = np.moveaxis(rows.astype(np.float32) if halves else rows, -1, 0)
    first = (TO_ROTATED if rotated else TO_CORNERS)[in_fmt]
    then = (FROM_ROTATED if rotated else FROM_CORNERS)[out_fmt]
    converted = np.stack(then(*first(*numbers)), axis=-1)
    return converted.astype(np.float16) if halves else converted


def box_area(boxes: ArrayLike, fmt: str = "xyxy") -> np.ndarray:
    """Area of each box: (x2 - x1) * (y2 - y1), without + 1.

    Parameters
    ----------
    boxes : (K, 4) boxes as x1, y1, x2, y2; x2 and y2 exclusive.
    fmt : format of the boxes, one of ``BOX_FORMATS``.

    Returns
    -------
    (K,) areas; negative for a box inverted along one axis. Areas of whole-number boxes are int64
    and exact for sides below 2**31; longer sides overflow, so pass such boxes as float64.

    Raises
    ------
    ValueError: not four columns; a NaN or infinite coordinate; an unknown format.

    Examples
    --------
    >>> box_area([[0, 0, 665, 665]])
    array([442225])
    """
    x1, y1, x2, y2 = box_corners("boxes", boxes, fmt).T
    return (x2 - x1) * (y2 - y1)


def clip_boxes_to_image(boxes: ArrayLike, size: Sequence[int]) -> np.ndarray:
    """Clip boxes to the image: coordinates outside it move to the nearest edge.

    Parameters
    ----------
    boxes : (..., 4) boxes as x1, y1, x2, y2.
    size : (height, width) of the image.

    Returns
    -------
    (..., 4) array. A box wholly outside the image becomes a box of no area on the nearest edge.

    Raises
    ------
    ValueError: a last axis other than 4; a NaN or infinite coordinate; a size below 1.

    Examples
    --------
    >>> clip_boxes_to_image([[-2, 1, 30, 7]], (10, 20))
    array([[ 0,  1, 20,  7]])
    """
    height, width = check_output_size(size, name="size")
    return np.clip(_finite("boxes", boxes), 0, [width, height, width, height])


def remove_small_boxes(boxes: ArrayLike, min_size: float) -> np.ndarray:
    """Find the boxes whose width and height are both at least ``min_size``.

    Parameters
    ----------
    boxes : (K, 4) boxes as x1, y1, x2, y2.
    min_size : minimum side of a box that is kept, in the unit of the boxes.

    Returns
    -------
    Indices of the boxes to keep, in order. A box with a side of exactly ``min_size`` is kept.

    Raises
    ------
    ValueError: not four columns; a NaN or infinite coordinate.

    Examples
    --------
    >>> remove_small_boxes([[0, 0, 9, 2], [0, 0, 3, 3], [5, 5, 4, 4]], 3)
    array([1])
    """
    check_finite_number("min_size", min_size)
    kept = []
    for k, (x1, y1, x2, y2) in enumerate(box_corners("boxes", boxes)):
        if x2 - x1 >= min_size and y2 - y1 >= min_size:
            kept.append(k)
    return np.array(kept, np.int64)


def box_corners(
    name: str, boxes: ArrayLike, fmt: str = "xyxy", *, infinite: bool = False
) -> np.ndarray:
    """Convert boxes to (K, 4) corners in a dtype wide enough for areas: bytes would overflow."""
    check_choice("fmt", fmt, BOX_FORMATS)
    check_four_columns(name, np.asarray(boxes))
    rows = _finite(name, boxes, infinite)
    wide = np.int64 if rows.dtype.kind in "iu" else np.float32
    rows = rows.astype(np.result_type(rows.dtype, wide))
    return rows if fmt == "xyxy" else box_convert(rows, fmt, "xyxy")


def _finite(name: str, boxes: ArrayLike, infinite: bool = False, numbers: int = 4) -> np.ndarray:
    rows = np.asarray(boxes)
    check_last_axis(name, rows, numbers)
    (check_no_nan if infinite else check_finite)(name, rows.reshape(-1, numbers))
    return rows
