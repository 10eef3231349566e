"""The losses of a detector: of class logits, of deltas, and of the cells of a mask."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import check_labels, check_same_rows

SMOOTH_L1_BETA = 1 / 9
"""Smooth L1 is a parabola up to this error of a delta, and a straight line above it."""


def cross_entropy(logits: ArrayLike, label: int) -> float:
    """Compute the cross-entropy of one box: minus the logarithm of the true class's probability.

    Parameters
    ----------
    logits : (C,) a logit for each class.
    label : the true class, from 0 to C - 1.

    Examples
    --------
    >>> round(cross_entropy([0.0, math.log(3), 0.0], 1), 4)  # probability 3 / 5
    0.5108
    """
    logits = np.asarray(logits, dtype=float)
    highest = logits.max()  # subtracted first: exp of a large number overflows
    total = sum(math.exp(logit - highest) for logit in logits)
    return float(math.log(total) + highest - logits[label])


def binary_cross_entropy(logit: float, target: float) -> float:
    """Compute the binary cross-entropy of one cell, or of one anchor.

    Parameters
    ----------
    logit : a number; its sigmoid is the predicted probability.
    target : from 0 to 1.

    Examples
    --------
    >>> round(binary_cross_entropy(math.log(3), 1), 4)  # probability 3 / 4
    0.2877
    >>> round(binary_cross_entropy(math.log(3), 0), 4)
    1.3863
    """
    softplus = math.log1p(math.exp(-abs(logit)))  # no overflow, whatever the logit
    return float(max(logit, 0.0) - logit * target + softplus)


def smooth_l1(predicted: float, true: float, beta: float = SMOOTH_L1_BETA) -> float:
    """Compute smooth L1 of one delta: a parabola for errors below ``beta``, a line from there on.

    Parameters
    ----------
    predicted, true : the two deltas.
    beta : above 0; the error at which the line begins.

    Examples
    --------
    >>> round(smooth_l1(0.30, 0.25), 5), round(smooth_l1(0.75, 0.25), 4)
    (0.01125, 0.4444)
    """
    error = abs(predicted - true)
    if error < beta:
        return float(error**2 / (2 * beta))
    return float(error - beta / 2)


def box_losses(
    class_logits: ArrayLike, deltas: ArrayLike, labels: Sequence[int], target_deltas: ArrayLike
) -> dict[str, float]:
    """Compute the losses of the classes and of the deltas of sampled proposals.

    Parameters
    ----------
    class_logits : (K, C) logits, background as class 0.
    deltas : (K, C, 4) a row for each class.
    labels : (K,) true class of each, 0 for background.
    target_deltas : (K, 4) true deltas; those of background are not used.

    Returns
    -------
    ``loss_classifier`` and ``loss_box_reg``, both divided by the number of all sampled proposals;
    0 where nothing was sampled.

    Raises
    ------
    ValueError: another number of rows than ``labels``; a label that is not one of the classes.

    Source
    ------
    Girshick, Fast R-CNN (2015), section 2.3; as in torchvision 0.29.

    Examples
    --------
    >>> losses = box_losses(np.zeros((2, 4)), np.ones((2, 4, 4)), [3, 0], [[0, 1, 1, 1], [0] * 4])
    >>> {name: round(loss, 4) for name, loss in losses.items()}
    {'loss_classifier': 1.3863, 'loss_box_reg': 0.4722}
    """
    class_logits, deltas, target_deltas = map(np.asarray, (class_logits, deltas, target_deltas))
    rows = {"class_logits": class_logits, "deltas": deltas, "target_deltas": target_deltas}
    for name, values in rows.items():
        check_same_rows(name, values, "labels", len(labels))
    check_labels(np.asarray(labels), 0, class_logits.shape[1])
    classifier = regression = 0.0
    for k, label in enumerate(labels):
        classifier += cross_entropy(class_logits[k], label)
        if label > 0:  # background has no box
            for predicted, true in zip(deltas[k, label], target_deltas[k], strict=True):
                regression += smooth_l1(predicted, true)
    sampled = max(len(labels), 1)
    return {"loss_classifier": classifier / sampled, "loss_box_reg": regression / sampled}


def mask_loss(mask_logits: ArrayLike, targets: ArrayLike) -> float:
    """Compute the mask loss: the mean binary cross-entropy of all cells of all boxes.

    Parameters
    ----------
    mask_logits : (K, 1, M, M) logits of the true class of each positive box.
    targets : (K, M, M) from 0 to 1.

    Returns
    -------
    The mean; 0 where there are no boxes.

    Raises
    ------
    ValueError: another number of logits than of targets.

    Source
    ------
    He et al., Mask R-CNN (2017), section 3; as in torchvision 0.29.

    Examples
    --------
    >>> round(mask_loss([[[[0.0, math.log(3)]]]], [[[1, 1]]]), 4)  # the mean of ln 2 and ln 4/3
    0.4904
    """
    mask_logits, targets = np.asarray(mask_logits), np.asarray(targets)
    check_same_rows("mask_logits", mask_logits, "targets", len(targets))
    total = 0.0
    for k, row, column in np.ndindex(targets.shape):
        logit, target = mask_logits[k, 0, row, column], targets[k, row, column]
        total += binary_cross_entropy(float(logit), float(target))
    return total / max(targets.size, 1)
