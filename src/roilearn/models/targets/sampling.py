"""Sampling: the losses are computed on a few boxes of each image, a fraction of them positive.

Nearly every anchor, and most proposals, lie on background. A loss over all of them would be small
for a network that predicts background everywhere.
"""

import torch
from jaxtyping import Int64, Num
from torch import Tensor

from roilearn.arguments import check_count, check_fraction, check_one_per_box, check_tensor


def sample(
    labels: Num[Tensor, " N"], num_samples: int, positive_fraction: float
) -> tuple[Int64[Tensor, " P"], Int64[Tensor, " Q"]]:
    """Sample boxes of one image at random: positives up to a fraction, negatives for the rest.

    Parameters
    ----------
    labels : (N,) 1 or more: positive, a box on an object; 0: negative, on background; below 0:
        ignored, never sampled.
    num_samples : maximum number of boxes sampled, positive and negative together.
    positive_fraction : maximum fraction of positives in ``num_samples``, from 0 to 1; their number
        is rounded down.

    Returns
    -------
    Indices of the sampled positives and of the sampled negatives, each ascending. Negatives fill
    the places of missing positives, but never the reverse: if there are too few, fewer are sampled.

    Raises
    ------
    ValueError: labels of more than one dimension; a number below 1; a fraction outside 0 to 1.
    TypeError: labels that are not a tensor; a number that is not an integer.

    Source
    ------
    Girshick, Fast R-CNN (2015), section 2.3; as in torchvision 0.29, which samples the same
    boxes from the same seed if images are sampled in the same order.

    Examples
    --------
    Any two of three positives are sampled, and two of three negatives:

    >>> positive, negative = sample(torch.tensor([0, 3, 1, -1, 0, 1, 0]), 4, 0.5)
    >>> len(positive), len(negative)
    (2, 2)

    One positive leaves three places, but there are only two negatives:

    >>> sample(torch.tensor([1, 0, -1, 0]), 4, 0.5)
    (tensor([0]), tensor([1, 3]))
    """
    check_tensor("labels", labels)
    check_one_per_box("labels", labels, labels.numel())
    num_samples = check_count("num_samples", num_samples)
    most = int(num_samples * check_fraction("positive_fraction", positive_fraction))
    positive = random_subset((labels >= 1).nonzero()[:, 0], most)
    negative = random_subset((labels == 0).nonzero()[:, 0], num_samples - len(positive))
    return positive, negative


def random_subset(indices: Int64[Tensor, " N"], most: int) -> Int64[Tensor, " drawn"]:
    """Choose ``most`` of the indices at random, or all. All are shuffled, as in torchvision."""
    order = torch.randperm(len(indices), device=indices.device)
    return indices[order[:most]].sort().values
