"""Focal loss: binary cross-entropy in which examples that are predicted well count less.

A one-stage detector has a logit for every anchor, and nearly all anchors are easy background. Their
small losses would add up to more than those of the few objects.
"""

import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from roilearn.arguments import check_focal_loss, check_one_device, check_tensor
from roilearn.ops.clamping import clamp
from roilearn.ops.losses.iou_losses import reduce_loss


def sigmoid_focal_loss(
    inputs: Float[Tensor, "*K"],
    targets: Shaped[Tensor, "*K"],
    alpha: float = 0.25,
    gamma: float = 2,
    reduction: str = "none",
) -> Float[Tensor, "..."]:
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
    reduction : ``"none"``, ``"mean"`` or ``"sum"``. The paper divides the sum by the number of
        anchors that are matched with an object.

    Returns
    -------
    Losses in the shape and dtype of the logits, or one number. Halves are computed in float32.

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
    torchvision 0.29: the mean of no logits is NaN there and 0 here. 1 - p_t is rounded there for
    confident logits, and with gamma below 1 their gradient is NaN. Targets are floating point
    there.

    Examples
    --------
    Probability 3/4: the cross-entropy is ln 4/3 = 0.2877 for a positive and ln 4 for a negative
    example. The first is multiplied by 1/4 * (1/4)**2, the second by 3/4 * (3/4)**2.

    >>> logits = torch.full((2,), 3.0).log()
    >>> sigmoid_focal_loss(logits, torch.tensor([1.0, 0.0]))
    tensor([0.0045, 0.5848])
    """
    check_tensor("inputs", inputs)
    check_tensor("targets", targets)
    check_focal_loss(inputs, targets, alpha, gamma, reduction)
    check_one_device(inputs=inputs, targets=targets)
    logits = inputs.to(torch.promote_types(inputs.dtype, torch.float32))
    targets = targets.to(logits.dtype)
    cross_entropy = binary_cross_entropy_with_logits(logits, targets, reduction="none")
    # 1 - p_t: the probability of the other class, which is not rounded to 0 near p_t = 1.
    other = torch.sigmoid(-logits) * targets + torch.sigmoid(logits) * (1 - targets)
    other = clamp(other, low=torch.finfo(logits.dtype).tiny)  # the slope of 0 ** 0.5 is infinite
    loss = cross_entropy * other**gamma
    if alpha != -1:
        loss = loss * (alpha * targets + (1 - alpha) * (1 - targets))
    return reduce_loss(loss, reduction).to(inputs.dtype)
