"""Sampling: a few boxes of each image bear the loss, objects a fixed share of them.

Nearly every anchor, and most proposals, lie on background. A loss over all of them would be small
for a network that calls everything background.
"""

import torch
from jaxtyping import Int64, Num
from torch import Tensor

from roilearn.arguments import check_count, check_one_a_box, check_share, check_tensor


def sample(
    labels: Num[Tensor, " N"], size: int, positive_fraction: float
) -> tuple[Int64[Tensor, " P"], Int64[Tensor, " Q"]]:
    """Draw boxes of one image at random: positives up to their share, negatives for the rest.

    Parameters
    ----------
    labels : (N,) 1 or more: a box on an object, positive; 0: on background, negative; below 0:
        neither, never drawn.
    size : how many boxes are drawn at most, of both kinds together.
    positive_fraction : largest share of positives in ``size``, from 0 to 1; a part of a box is
        dropped.

    Returns
    -------
    Indices of the positives drawn and of the negatives drawn, each ascending. Negatives take the
    places of missing positives, but never the reverse: where they run out, fewer are drawn.

    Raises
    ------
    ValueError: labels not in one row; a size below 1; a share outside 0 to 1.
    TypeError: labels that are not a tensor; a size that is not a whole number.

    Source
    ------
    Girshick, Fast R-CNN (2015), section 2.3; as in torchvision 0.27, which draws the same boxes
    from the same seed, if images are sampled in the same order.

    Examples
    --------
    Of three positives any two are drawn; of three negatives, two:

    >>> positive, negative = sample(torch.tensor([0, 3, 1, -1, 0, 1, 0]), 4, 0.5)
    >>> len(positive), len(negative)
    (2, 2)

    The only positive leaves three places, and there are two negatives:

    >>> sample(torch.tensor([1, 0, -1, 0]), 4, 0.5)
    (tensor([0]), tensor([1, 3]))
    """
    check_tensor("labels", labels)
    check_one_a_box("labels", labels, labels.numel())
    size = check_count("size", size)
    most = int(size * check_share("positive_fraction", positive_fraction))
    positive = _drawn((labels >= 1).nonzero()[:, 0], most)
    return positive, _drawn((labels == 0).nonzero()[:, 0], size - len(positive))


def _drawn(indices: Int64[Tensor, " N"], most: int) -> Int64[Tensor, " drawn"]:
    """Choose ``most`` of the indices, or all. The whole row is shuffled: so many random numbers."""
    order = torch.randperm(len(indices), device=indices.device)
    return indices[order[:most]].sort().values
