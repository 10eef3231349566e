"""The boxes around masks."""

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import check_flag, check_masks


def masks_to_boxes(masks: ArrayLike, exclusive: bool = False) -> np.ndarray:
    """Find the box around the pixels of each mask.

    Parameters
    ----------
    masks : (N, H, W); a pixel belongs to the mask where its value is not 0.
    exclusive : False: x2 and y2 are the last column and row, as in torchvision, and a box is one
        pixel short. True: one more, [x1, x2), so that the width is x2 - x1.

    Returns
    -------
    (N, 4) float32 boxes x1, y1, x2, y2; 0, 0, 0, 0 for an empty mask.

    Raises
    ------
    ValueError: not three dimensions; no rows or no columns.

    Examples
    --------
    >>> mask = np.zeros((1, 4, 6))
    >>> mask[0, 1:3, 2:5] = 1
    >>> masks_to_boxes(mask), masks_to_boxes(mask, exclusive=True)
    (array([[2., 1., 4., 2.]], dtype=float32), array([[2., 1., 5., 3.]], dtype=float32))
    """
    check_flag("exclusive", exclusive)
    masks = np.asarray(masks)
    check_masks(masks)
    boxes = np.zeros((len(masks), 4), np.float32)
    for n, mask in enumerate(masks):
        rows, columns = np.nonzero(mask)
        if len(rows):
            end = 1 if exclusive else 0
            boxes[n] = columns.min(), rows.min(), columns.max() + end, rows.max() + end
    return boxes
