"""Boxes: their two forms, their area and how much two of them overlap."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import check_box_values, check_boxes, check_finite, check_four_columns


def as_rois(
    boxes: ArrayLike | Sequence[ArrayLike], batch_size: int, dtype: np.dtype | None = None
) -> np.ndarray:
    """Boxes in either form as one (K, 5) array of batch index, x1, y1, x2, y2.

    Parameters
    ----------
    boxes : (K, 5) array, or a list with one (Ki, 4) array for each image of the batch.
    batch_size : number of images.
    dtype : floating dtype of the result.

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
    check_boxes(boxes, batch_size)
    if isinstance(boxes, Sequence):
        images = [np.full((len(np.asarray(image)), 1), n) for n, image in enumerate(boxes)]
        rows = [np.hstack(pair) for pair in zip(images, boxes, strict=True)]
        boxes = np.concatenate(rows) if rows else np.zeros((0, 5))
    rois = np.asarray(boxes).astype(dtype or np.result_type(boxes, np.float32))
    check_box_values(rois, batch_size)
    return rois


def box_area(boxes: ArrayLike) -> np.ndarray:
    """Area of each box: (x2 - x1) * (y2 - y1), nothing added.

    Parameters
    ----------
    boxes : (K, 4) boxes as x1, y1, x2, y2; x2 and y2 exclusive.

    Returns
    -------
    (K,) areas; negative for a box inverted along one axis.

    Raises
    ------
    ValueError: not four columns; a NaN or infinite coordinate.

    Examples
    --------
    >>> box_area([[0, 0, 665, 665]])
    array([442225])
    """
    x1, y1, x2, y2 = _sides("boxes", boxes)
    return (x2 - x1) * (y2 - y1)


def box_iou(boxes1: ArrayLike, boxes2: ArrayLike) -> np.ndarray:
    """Intersection over union of every pair of boxes.

    Parameters
    ----------
    boxes1 : (N, 4) boxes as x1, y1, x2, y2; x2 and y2 exclusive.
    boxes2 : (M, 4)

    Returns
    -------
    (N, M) array in [0, 1]. A box of no area has IoU 0 with everything, itself included.

    Raises
    ------
    ValueError: a last dimension other than 4; a NaN or infinite coordinate.

    Differs from
    ------------
    torchvision 0.27: 0/0 gives NaN there.

    Examples
    --------
    >>> box_iou([[0, 0, 2, 2]], [[1, 0, 3, 2]]).round(3)
    array([[0.333]])
    """
    first = np.stack(_sides("boxes1", boxes1), axis=1).astype(float)
    second = np.stack(_sides("boxes2", boxes2), axis=1).astype(float)
    iou = np.zeros((len(first), len(second)))
    for n, (ax1, ay1, ax2, ay2) in enumerate(first):
        for m, (bx1, by1, bx2, by2) in enumerate(second):
            width = max(min(ax2, bx2) - max(ax1, bx1), 0)
            height = max(min(ay2, by2) - max(ay1, by1), 0)
            shared = width * height
            union = (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - shared
            iou[n, m] = shared / union if shared > 0 else 0.0
    return iou


def _sides(name: str, boxes: ArrayLike) -> list[np.ndarray]:
    rows = np.asarray(boxes)
    check_four_columns(name, rows)
    wide = np.int64 if rows.dtype.kind in "iu" else np.float32  # a product of bytes would wrap
    rows = rows.astype(np.result_type(rows.dtype, wide))
    check_finite(name, rows)
    return list(rows.T)
