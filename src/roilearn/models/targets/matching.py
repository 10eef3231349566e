"""Matching: which object an anchor, or a proposal, is to learn, if any."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from roilearn.arguments import check_matching, check_tensor

BELOW = -1
"""In place of an object's index: background, every overlap lies below the low threshold."""
BETWEEN = -2
"""In place of an object's index: neither background nor an object, of no use for learning."""


def match(
    iou: Float[Tensor, "T A"], high: float, low: float, allow_low_quality: bool = True
) -> Int64[Tensor, " A"]:
    """Give each anchor the object that it overlaps most, if it overlaps it enough.

    The low-quality rule lets no object go without: the anchors that overlap it most, all of them
    if several do so equally, count as matched however little that is. Such an anchor still learns
    the object that *it* overlaps most, which may be another one.

    Parameters
    ----------
    iou : (T, A) intersection over union of T true boxes with A anchors.
    high : from this overlap on, an anchor is matched.
    low : under this overlap, an anchor is background.
    allow_low_quality : apply the rule, as a region proposal network does; the heads do not.

    Returns
    -------
    (A,) index of the true box of each anchor; of equal overlaps the first box counts. ``BELOW``
    (-1) for background and ``BETWEEN`` (-2) for what lies between the thresholds.

    Raises
    ------
    ValueError: not two dimensions; thresholds outside 0 to 1, or ``low`` above ``high``.

    Source
    ------
    Ren et al., Faster R-CNN (2015), section 3.1.2; ties as in torchvision 0.27.

    Differs from
    ------------
    torchvision 0.27: raises without true boxes, where all anchors are background here; and gives a
    true box that meets no anchor all the anchors that do not meet it, where it gets none here.

    Examples
    --------
    Two objects, four anchors. The last anchor has the second object's best overlap, a poor one:

    >>> iou = torch.tensor([[0.8, 0.5, 0.1, 0.0], [0.0, 0.1, 0.1, 0.2]])
    >>> match(iou, 0.7, 0.3)
    tensor([ 0, -2, -1,  1])
    >>> match(iou, 0.7, 0.3, allow_low_quality=False)
    tensor([ 0, -2, -1, -1])
    """
    check_tensor("iou", iou)
    high, low = check_matching(iou, high, low, allow_low_quality)
    if iou.numel() == 0:
        return torch.full((iou.shape[1],), BELOW, device=iou.device)
    overlap, fullest = iou.max(0)  # [A] each
    matches = fullest.where(overlap >= high, BETWEEN).where(overlap >= low, BELOW)
    if allow_low_quality:
        best = iou.max(1, keepdim=True).values  # [T, 1]
        needed = ((iou == best) & (best > 0)).any(0)  # [A]
        matches = fullest.where(needed, matches)
    return matches
