"""Masks: the boxes around them, and small masks pasted into an image."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import (
    check_choice,
    check_flag,
    check_masks,
    check_output_size,
    check_padding,
    check_same_rows,
    check_square_masks,
    check_threshold,
)
from roilearn.reference.boxes.boxes import box_corners
from roilearn.reference.interpolation import bilinear

PASTE_RULES = ("torchvision", "aligned")


def masks_to_boxes(masks: ArrayLike, exclusive: bool = False) -> np.ndarray:
    """Find the box around the pixels of each mask.

    Parameters
    ----------
    masks : (N, H, W); a pixel belongs to the mask where its value is not 0.
    exclusive : False: x2 and y2 are the last column and row of the mask, as in torchvision, so that
        x2 - x1 is one pixel less than the width. True: one more, [x1, x2), so that it is the width.

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


def paste_masks_in_image(
    masks: ArrayLike,
    boxes: ArrayLike,
    img_shape: Sequence[int],
    padding: int = 1,
    threshold: float | None = None,
    coordinates: str = "torchvision",
) -> np.ndarray:
    """Paste each mask into its box, in an image of zeros.

    Parameters
    ----------
    masks : (N, 1, M, M) values; the M x M cells divide the box into equal parts.
    boxes : (N, 4) boxes as x1, y1, x2, y2 in image pixels.
    img_shape : (height, width) of the image.
    padding : cells of zeros added on each side of a mask; its box grows by as many mask cells. With
        1 the values fall to 0 over one cell; with 0 they end at the edge of the box.
    threshold : if given, return booleans: whether a value is above it.
    coordinates : ``"aligned"``: the mask is sampled at the pixel's centre. ``"torchvision"``: the
        same, but every box is first truncated to whole numbers, and a pixel is added to its width
        and height.

    Returns
    -------
    (N, 1, height, width) values, or booleans. With ``"aligned"`` a box of no area, or inverted,
    pastes nothing; with ``"torchvision"`` it becomes one pixel long unless it is inverted by more.

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments``.

    Source
    ------
    ``"torchvision"``: torchvision 0.29, ``models.detection.roi_heads``; ``"aligned"``: the rule of
    Detectron2's ``paste_masks_in_image``.

    Differs from
    ------------
    torchvision 0.29: a box wholly outside the image can raise an error; here it pastes nothing.

    Examples
    --------
    A box of two by two pixels and a mask of ones:

    >>> mask, box = np.ones((1, 1, 4, 4)), [[1, 1, 3, 3]]
    >>> paste_masks_in_image(mask, box, (4, 5), 0, 0.5, "aligned")[0, 0].astype(int)
    array([[0, 0, 0, 0, 0],
           [0, 1, 1, 0, 0],
           [0, 1, 1, 0, 0],
           [0, 0, 0, 0, 0]])
    >>> paste_masks_in_image(mask, box, (4, 5), 0, 0.5)[0, 0].astype(int)
    array([[0, 0, 0, 0, 0],
           [0, 1, 1, 1, 0],
           [0, 1, 1, 1, 0],
           [0, 1, 1, 1, 0]])
    """
    check_choice("coordinates", coordinates, PASTE_RULES)
    height, width = check_output_size(img_shape, name="img_shape")
    padding, limit = check_padding(padding), check_threshold(threshold)
    masks, boxes = np.asarray(masks), box_corners("boxes", boxes)
    check_square_masks(masks)
    check_same_rows("boxes", boxes, "masks", len(masks))
    pasted = np.zeros((len(masks), 1, height, width), masks.dtype)
    for n, (mask, box) in enumerate(zip(masks[:, 0], boxes, strict=True)):
        region = pasted_region(box, len(mask), padding, coordinates)
        pasted[n, 0] = paste_cells(np.pad(mask, padding), region, height, width)
    return pasted if limit is None else pasted > limit


def paste_cells(
    cells: np.ndarray, region: tuple[float, float, float, float], height: int, width: int
) -> np.ndarray:
    """Paste one mask, whose cells divide ``region`` evenly, into an image of zeros."""
    x1, y1, x2, y2 = region
    pasted = np.zeros((height, width), cells.dtype)
    for row in range(height):
        for column in range(width):
            x, y = column + 0.5, row + 0.5  # the centre of the pixel
            if x1 <= x < x2 and y1 <= y < y2:
                i = (y - y1) * len(cells) / (y2 - y1) - 0.5
                j = (x - x1) * len(cells) / (x2 - x1) - 0.5
                pasted[row, column] = bilinear(cells, i, j)
    return pasted


def pasted_region(
    box: np.ndarray, side: int, padding: int, coordinates: str
) -> tuple[float, float, float, float]:
    """Box of the padded mask: ``box``, grown by ``padding`` of its ``side`` mask cells per side."""
    x1, y1, x2, y2 = box
    grow_x, grow_y = (x2 - x1) * padding / side, (y2 - y1) * padding / side
    region = x1 - grow_x, y1 - grow_y, x2 + grow_x, y2 + grow_y
    if coordinates == "aligned":
        return region
    x1, y1, x2, y2 = (int(edge) for edge in region)
    return x1, y1, x2 + 1, y2 + 1
