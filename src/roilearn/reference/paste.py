"""Small masks of boxes, pasted into an image."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import (
    check_choice,
    check_output_size,
    check_padding,
    check_same_rows,
    check_square_masks,
    check_threshold,
)
from roilearn.reference.boxes.boxes import box_sides
from roilearn.reference.interpolation import bilinear

PASTE_RULES = ("torchvision", "aligned")


def paste_masks_in_image(
    masks: ArrayLike,
    boxes: ArrayLike,
    img_shape: Sequence[int],
    padding: int = 1,
    threshold: float | None = None,
    coordinates: str = "torchvision",
) -> np.ndarray:
    """Stretch each mask over its box, in an image of zeros.

    Parameters
    ----------
    masks : (N, 1, M, M) values, M to a side, that cover the boxes evenly.
    boxes : (N, 4) boxes as x1, y1, x2, y2 in image pixels.
    img_shape : (height, width) of the image.
    padding : rings of zeros put around each mask; its box grows by as many mask cells. With one
        the values fall off to 0 over a cell. Without, they stop at the box's edge.
    threshold : give True where a value is above it, instead of values.
    coordinates : ``"aligned"``: a pixel reads the mask at its centre. ``"torchvision"``: the same,
        but every box is first cut to whole numbers and a pixel is added to its width and height.

    Returns
    -------
    (N, 1, height, width) values, or booleans. A box of no area, or inverted, pastes nothing when
    aligned; torchvision's rule makes it one pixel long unless it is inverted by more.

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments``.

    Source
    ------
    ``"torchvision"``: torchvision 0.27, ``models.detection.roi_heads``; ``"aligned"``: the rule of
    Detectron2's ``paste_masks_in_image``.

    Differs from
    ------------
    torchvision 0.27: a box wholly outside the image may be an error there; here it pastes nothing.

    Examples
    --------
    A box of two by two pixels, all of it mask:

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
    rings, limit = check_padding(padding), check_threshold(threshold)
    masks, boxes = np.asarray(masks), box_sides("boxes", boxes)
    check_square_masks(masks)
    check_same_rows("boxes", boxes, "masks", len(masks))
    pasted = np.zeros((len(masks), 1, height, width), masks.dtype)
    for n, (mask, box) in enumerate(zip(masks[:, 0], boxes, strict=True)):
        x1, y1, x2, y2 = pasted_region(box, len(mask), rings, coordinates)
        cells = np.pad(mask, rings)
        for row in range(height):
            for column in range(width):
                x, y = column + 0.5, row + 0.5
                if x1 <= x < x2 and y1 <= y < y2:
                    i = (y - y1) * len(cells) / (y2 - y1) - 0.5
                    j = (x - x1) * len(cells) / (x2 - x1) - 0.5
                    pasted[n, 0, row, column] = bilinear(cells, i, j)
    return pasted if limit is None else pasted > limit


def pasted_region(
    box: np.ndarray, side: int, padding: int, coordinates: str
) -> tuple[float, float, float, float]:
    """Where the padded mask lies: the box, grown by ``padding`` of its ``side`` mask cells."""
    x1, y1, x2, y2 = box
    grow_x, grow_y = (x2 - x1) * padding / side, (y2 - y1) * padding / side
    region = x1 - grow_x, y1 - grow_y, x2 + grow_x, y2 + grow_y
    if coordinates == "aligned":
        return region
    x1, y1, x2, y2 = (int(edge) for edge in region)
    return x1, y1, x2 + 1, y2 + 1
