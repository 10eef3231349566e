"""Losses of pairs of boxes: 1 minus the generalised, the distance or the complete IoU."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import check_finite, check_loss_boxes
from roilearn.reference.boxes.iou import intersection_and_union


def generalized_box_iou_loss(
    boxes1: ArrayLike, boxes2: ArrayLike, reduction: str = "none", eps: float = 1e-7
) -> np.ndarray:
    """Generalised IoU loss: 1 - IoU, plus the part of the enclosing box that neither box covers.

    Parameters
    ----------
    boxes1, boxes2 : (..., 4) boxes of one shape, as x1, y1, x2, y2; x2 and y2 exclusive.
    reduction : ``"none"``, ``"mean"`` or ``"sum"``.
    eps : added to the union and to the area of the enclosing box, by which is divided.

    Returns
    -------
    (...) losses from 0 to 2, or one number: 0 for the mean or the sum of no boxes.

    Raises
    ------
    ValueError: boxes of two shapes, a NaN or infinite coordinate, another reduction, a negative
        eps.

    Source
    ------
    Rezatofighi et al., Generalized Intersection over Union (2019), algorithm 1; as in torchvision
    0.29.

    Examples
    --------
    Two unit squares with a gap of one between them leave a third of their enclosing box uncovered:

    >>> generalized_box_iou_loss([[0, 0, 1, 1]], [[2, 0, 3, 1]]).round(4)
    array([1.3333])
    """
    losses = []
    for a, b in box_pairs(boxes1, boxes2, reduction, eps):
        _, union = intersection_and_union(a, b)
        enclosing = float(np.prod(enclosing_sides(a, b)))
        losses.append(1 - iou(a, b, eps) + divided(enclosing - union, enclosing + eps))
    return reduce_loss(losses, boxes1, reduction)


def distance_box_iou_loss(
    boxes1: ArrayLike, boxes2: ArrayLike, reduction: str = "none", eps: float = 1e-7
) -> np.ndarray:
    """Distance IoU loss: 1 - IoU, plus the squared distance of the centres.

    The distance is measured in diagonals of the smallest box around both.

    Parameters
    ----------
    boxes1, boxes2, reduction : as in ``generalized_box_iou_loss``.
    eps : added to the union and to the squared diagonal, by which is divided.

    Returns
    -------
    (...) losses from 0 to 2, or one number, as ``generalized_box_iou_loss``.

    Raises
    ------
    ValueError: as ``generalized_box_iou_loss``.

    Source
    ------
    Zheng et al., Distance-IoU Loss (2020), equation 7; as in torchvision 0.29.

    Examples
    --------
    The centres are 2 apart, and the enclosing box of 3 x 1 has a squared diagonal of 10:

    >>> distance_box_iou_loss([[0, 0, 1, 1]], [[2, 0, 3, 1]]).round(4)
    array([1.4])
    """
    pairs = box_pairs(boxes1, boxes2, reduction, eps)
    losses = [1 - iou(a, b, eps) + centre_distance(a, b, eps) for a, b in pairs]
    return reduce_loss(losses, boxes1, reduction)


def complete_box_iou_loss(
    boxes1: ArrayLike, boxes2: ArrayLike, reduction: str = "none", eps: float = 1e-7
) -> np.ndarray:
    """Complete IoU loss: the distance IoU loss, plus a term of the aspect ratios.

    The term is alpha * v, where v is the squared difference of the angles of the two diagonals, in
    units of the right angle, and alpha = v / (1 - IoU + v + eps).

    Parameters
    ----------
    boxes1, boxes2, reduction : as in ``generalized_box_iou_loss``.
    eps : added to the denominator of alpha alone. As in torchvision 0.29, the distance IoU loss in
        it keeps its own, 1e-7.

    Returns
    -------
    (...) losses, or one number, as ``generalized_box_iou_loss``.

    Raises
    ------
    ValueError: as ``generalized_box_iou_loss``.

    Source
    ------
    Zheng et al., Distance-IoU Loss (2020), equations 8 to 11; as in torchvision 0.29.

    Differs from
    ------------
    torchvision 0.29: a box without width and height gives NaN there. Here its diagonal has the
    angle 0.

    Examples
    --------
    Equal centres; a square, and a box of four times its width:

    >>> complete_box_iou_loss([[1.5, 0, 2.5, 1]], [[0, 0, 4, 1]]).round(4)
    array([0.7661])
    """
    losses = []
    for a, b in box_pairs(boxes1, boxes2, reduction, eps):
        v = ((diagonal_angle(b) - diagonal_angle(a)) / (math.pi / 2)) ** 2
        alpha = divided(v, 1 - iou(a, b, 1e-7) + v + eps)
        losses.append(1 - iou(a, b, 1e-7) + centre_distance(a, b, 1e-7) + alpha * v)
    return reduce_loss(losses, boxes1, reduction)


def box_pairs(
    boxes1: ArrayLike, boxes2: ArrayLike, reduction: str, eps: float
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Check the arguments; return each box of the first set with its partner of the second."""
    first, second = np.asarray(boxes1), np.asarray(boxes2)
    check_loss_boxes(first, second, reduction, eps)
    rows = [boxes.reshape(-1, 4).astype(float) for boxes in (first, second)]
    for name, each in zip(("boxes1", "boxes2"), rows, strict=True):
        check_finite(name, each)
    return zip(*rows, strict=True)


def iou(a: np.ndarray, b: np.ndarray, eps: float) -> float:
    """Intersection over union of two boxes, eps added to the union."""
    intersection, union = intersection_and_union(a, b)
    return divided(intersection, union + eps)


def enclosing_sides(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Width and height of the smallest box around two boxes."""
    return np.maximum(a[2:], b[2:]) - np.minimum(a[:2], b[:2])


def centre_distance(a: np.ndarray, b: np.ndarray, eps: float) -> float:
    """Squared distance of the centres, in units of the squared diagonal of the enclosing box."""
    across, down = (a[:2] + a[2:] - b[:2] - b[2:]) / 2
    width, height = enclosing_sides(a, b)
    return divided(across**2 + down**2, width**2 + height**2 + eps)


def diagonal_angle(box: np.ndarray) -> float:
    """Angle between the vertical and the diagonal, arctan(width / height), 0 for a point."""
    width, height = box[2:] - box[:2]
    if height < 0:  # arctan does not tell a box from one that is inverted along both axes
        width, height = -width, -height
    return math.atan2(width, height)


def divided(part: float, whole: float) -> float:
    """Divide; 0 / 0, which eps does not prevent where it is 0, is 0."""
    return 0.0 if part == 0 else float(part / whole)


def reduce_loss(losses: list[float], boxes: ArrayLike, reduction: str) -> np.ndarray:
    """Return the losses in the shape of the boxes, their sum, or their mean; of none it is 0."""
    if reduction == "none":
        return np.array(losses).reshape(np.shape(boxes)[:-1])
    return np.array(sum(losses) / (max(len(losses), 1) if reduction == "mean" else 1))
