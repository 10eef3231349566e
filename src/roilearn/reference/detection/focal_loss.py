"""Focal loss: binary cross-entropy in which examples that are predicted well count less."""

import math

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import check_focal_loss
from roilearn.reference.detection.losses import binary_cross_entropy


def sigmoid_focal_loss(
    inputs: ArrayLike,
    targets: ArrayLike,
    alpha: float = 0.25,
    gamma: float = 2,
    reduction: str = "none",
) -> np.ndarray:
    """Focal loss of each logit: alpha_t * (1 - p_t) ** gamma * cross-entropy.

    p_t is the probability that the logit gives to the truth. The loss of an example with p_t = 0.9
    is divided by 100 when gamma is 2, and that of one with p_t = 0.5 by 4.

    Parameters
    ----------
    inputs : logits of any shape.
    targets : of the same shape: 1 for positive, 0 for negative; numbers between them are weighted
        means of both.
    alpha : weight of positive examples; negative ones have 1 - alpha. -1: no weights.
    gamma : at least 0; with 0, and alpha -1, it is the binary cross-entropy.
    reduction : ``"none"``, ``"mean"`` or ``"sum"``.

    Returns
    -------
    Losses in the shape of the logits, or one number; the mean of no logits is 0.

    Raises
    ------
    ValueError: targets of another shape, alpha outside [0, 1] and not -1, a negative gamma, another
        reduction.
    TypeError: logits that are not floating point.

    Source
    ------
    Lin et al., Focal Loss for Dense Object Detection (2017), equation 5; as in torchvision 0.29.

    Differs from
    ------------
    torchvision 0.29: the mean of no logits is NaN there.

    Examples
    --------
    Probability 3/4: the cross-entropy is ln 4/3 = 0.2877 for a positive and ln 4 for a negative
    example. The first is multiplied by 1/4 * (1/4)**2, the second by 3/4 * (3/4)**2.

    >>> sigmoid_focal_loss(np.log([3.0, 3.0]), [1, 0]).round(4)
    array([0.0045, 0.5848])
    """
    inputs, targets = np.asarray(inputs), np.asarray(targets)
    check_focal_loss(inputs, targets, alpha, gamma, reduction)
    losses = np.zeros(inputs.shape)
    for place in np.ndindex(inputs.shape):
        logit, target = float(inputs[place]), float(targets[place])
        other = target * probability(-logit) + (1 - target) * probability(logit)  # 1 - p_t
        losses[place] = other**gamma * binary_cross_entropy(logit, target)
        if alpha != -1:
            losses[place] *= alpha * target + (1 - alpha) * (1 - target)
    if reduction == "none":
        return losses
    return losses.sum() / (max(losses.size, 1) if reduction == "mean" else 1)


def probability(logit: float) -> float:
    """Sigmoid of a logit, without overflow.

    Examples
    --------
    >>> probability(0.0), probability(-1000.0)
    (0.5, 0.0)
    """
    if logit >= 0:
        return 1 / (1 + math.exp(-logit))
    return math.exp(logit) / (1 + math.exp(logit))
