"""Bounding boxes of masks."""

import torch
from jaxtyping import Bool, Float, Num
from torch import Tensor

from roilearn.arguments import check_flag, check_masks, check_tensor


def masks_to_boxes(
    masks: Num[Tensor, "N H W"] | Bool[Tensor, "N H W"], exclusive: bool = False
) -> Float[Tensor, "N 4"]:
    """Find the bounding box of the pixels of each mask.

    Parameters
    ----------
    masks : (N, H, W); a pixel belongs to the mask where its value is not 0.
    exclusive : False: x2 and y2 are the last column and row, as in torchvision, so that x2 - x1 is
        the width minus one pixel. True: x2 and y2 are exclusive and x2 - x1 is the width.

    Returns
    -------
    (N, 4) float32 boxes x1, y1, x2, y2; 0, 0, 0, 0 for an empty mask.

    Raises
    ------
    ValueError: not three dimensions; no rows or no columns.

    Examples
    --------
    >>> mask = torch.zeros(1, 4, 6)
    >>> mask[0, 1:3, 2:5] = 1
    >>> masks_to_boxes(mask), masks_to_boxes(mask, exclusive=True)
    (tensor([[2., 1., 4., 2.]]), tensor([[2., 1., 5., 3.]]))
    """
    check_flag("exclusive", exclusive)
    check_tensor("masks", masks)
    check_masks(masks)
    filled = masks.bool()
    x1, x2 = _first_and_last(filled.any(1), exclusive)  # [N] each
    y1, y2 = _first_and_last(filled.any(2), exclusive)
    return torch.stack([x1, y1, x2, y2], 1).float()


def _first_and_last(filled: Bool[Tensor, "N L"], exclusive: bool) -> tuple[Tensor, Tensor]:
    """First and last filled position of each row, the last one exclusive or not; 0, 0 for none."""
    found = filled.any(1)
    first = filled.byte().argmax(1)
    last = filled.shape[1] - filled.flip(1).byte().argmax(1) - (0 if exclusive else 1)
    return first, last * found
