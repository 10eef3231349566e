"""How much two regions of one kind have in common: boxes, masks, and crowds among them."""

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import (
    check_masks,
)
from roilearn.reference.boxes.iou import shared_and_united

REGIONS = ("boxes", "masks")
"""What can be compared."""


def overlaps(
    detected: np.ndarray, objects: np.ndarray, crowd: np.ndarray, regions: str
) -> np.ndarray:
    """IoU of every detection with every object; with a crowd, the share of the detection in it."""
    measure = shared_and_united if regions == "boxes" else shared_and_united_pixels
    table = np.zeros((len(detected), len(objects)))
    for d, region in enumerate(detected):
        for g, target in enumerate(objects):
            shared, union = measure(region, target)
            if crowd[g]:
                _, union = measure(region, region)  # the area of the detection
            table[d, g] = shared / union if shared > 0 else 0
    return table


def mask_iou(masks1: ArrayLike, masks2: ArrayLike) -> np.ndarray:
    """Intersection over union of every pair of masks.

    Parameters
    ----------
    masks1 : (N, H, W); a pixel belongs to the mask where its value is not 0.
    masks2 : (M, H, W)

    Returns
    -------
    (N, M) array in [0, 1]. An empty mask has IoU 0 with everything, itself included.

    Examples
    --------
    >>> left, top = np.zeros((2, 1, 4, 4), bool)
    >>> left[:, :, :2], top[:, :2] = True, True
    >>> mask_iou(left, top).round(3)
    array([[0.333]])
    """
    first, second = np.asarray(masks1), np.asarray(masks2)
    check_masks(first)
    check_masks(second)
    crowd = np.zeros(len(second), bool)
    return overlaps(first.astype(bool), second.astype(bool), crowd, "masks")


def shared_and_united_pixels(a: np.ndarray, b: np.ndarray) -> tuple[int, int]:
    """Numbers of pixels in the intersection and in the union of two masks."""
    return int(np.count_nonzero(a & b)), int(np.count_nonzero(a | b))
