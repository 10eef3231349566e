"""Detection targets: which proposals the heads learn from, and what each should have answered.

Padding is dropped, the ground truth joins the proposals, each is matched with the object that it
overlaps most, and a few are drawn, one object to three of background. An object's targets are its
class, the deltas to its box and what its mask shows inside the proposal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import (
    check_count,
    check_finite,
    check_flag,
    check_four_columns,
    check_masks,
    check_share,
    check_target,
)
from roilearn.reference.boxes.box_coding import encode_boxes
from roilearn.reference.boxes.iou import box_iou
from roilearn.reference.detection.matching import match
from roilearn.reference.pooling.roi_align import roi_align

DELTA_WEIGHTS = (10.0, 10.0, 5.0, 5.0)
"""Deltas of good proposals are small; so weighted, their standard deviation is about 1."""
CROWD_SHARE = 0.5
"""Share of a proposal's area inside a crowd box from which it is no longer taken for background."""
BACKGROUND = 0
NEITHER = -1


class Shuffler(Protocol):
    """What puts n numbers in random order: ``np.random.RandomState`` or ``default_rng``."""

    def permutation(self, x: int, /) -> np.ndarray:
        """Return the numbers from 0 to x - 1 in random order."""
        ...


@dataclass(frozen=True)
class DetectionTargets:
    """Proposals of one image that were drawn, and what the heads should say of each.

    ``boxes`` (K, 4): the proposals, in image pixels. ``labels`` (K,): their classes, 0 for
    background. ``index`` (K,): the row of the ground truth that each stands for, -1 for background.
    ``deltas`` (K, 4): the way to its box; zeros for background.
    """

    boxes: np.ndarray
    labels: np.ndarray
    index: np.ndarray
    deltas: np.ndarray


def detection_targets(
    proposals: ArrayLike,
    target: Mapping[str, np.ndarray],
    positive_iou: float = 0.5,
    size: int = 512,
    positive_fraction: float = 0.25,
    weights: Sequence[float] = DELTA_WEIGHTS,
    random: Shuffler | None = None,
) -> DetectionTargets:
    """Choose proposals of one image to learn from, and say what each should have answered.

    Parameters
    ----------
    proposals : (N, 4) boxes x1, y1, x2, y2 in image pixels. Rows without area are padding.
    target : ``boxes`` (n, 4) and ``labels`` (n,), 1 and above; ``iscrowd`` (n,), if any, is 1 for a
        box around many objects that nobody has told apart. Rows without area are padding.
    positive_iou : IoU with an object from which a proposal stands for it; below, for background.
    size, positive_fraction : how many are drawn, and the largest share of objects among them.
    weights : of the deltas.
    random : what shuffles; None: as NumPy does, anew at every call.

    Returns
    -------
    ``DetectionTargets``, in the order of the proposals, ground truth last.

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments.check_target``; a NaN or infinite coordinate.

    Source
    ------
    Girshick, Fast R-CNN (2015), section 2.3; order as in torchvision 0.27. Crowds: as in
    matterport's Mask_RCNN they are no object, and what lies in them is no background; how much has
    to lie in them is measured as in COCO's evaluation.

    Examples
    --------
    Of three proposals one overlaps the object by half or more; its box counts as another:

    >>> proposals = np.array([[0.0, 0, 9, 9], [0, 0, 10, 8], [20, 20, 30, 30]])
    >>> target = {"boxes": np.array([[0.0, 0, 10, 10]]), "labels": np.array([3])}
    >>> detection_targets(proposals[1:], target).labels
    array([3, 0, 3])
    """
    check_target(target)
    for name, rows in (("proposals", np.asarray(proposals)), ("boxes", target["boxes"])):
        check_four_columns(name, rows)
        check_finite(name, rows)  # NaN has no area: it would pass for padding
    check_count("size", size)
    check_share("positive_fraction", positive_fraction)
    rows = objects(target)
    boxes = [box for box in np.asarray(proposals) if has_area(box)]  # the rest is padding
    boxes = np.array([*boxes, *target["boxes"][rows]]).reshape(-1, 4)
    iou = box_iou(target["boxes"][rows], boxes)
    index, labels = np.full(len(boxes), -1), np.zeros(len(boxes), np.int64)
    for k, best in enumerate(match(iou, positive_iou, positive_iou, allow_low_quality=False)):
        index[k] = rows[best] if best >= 0 else -1
        labels[k] = label_of(boxes[k], index[k], target)
    drawn = draw(labels, size, positive_fraction, random or np.random.RandomState())
    deltas = np.zeros((len(drawn), 4))
    for n, k in enumerate(drawn):
        if labels[k] > BACKGROUND:
            deltas[n] = encode_boxes(target["boxes"][index[k], None], boxes[k, None], weights)
    return DetectionTargets(boxes[drawn], labels[drawn], index[drawn], deltas)


def has_area(box: np.ndarray) -> bool:
    """Whether a box is wider and higher than 0."""
    x1, y1, x2, y2 = box
    return x2 > x1 and y2 > y1


def objects(target: Mapping[str, np.ndarray]) -> list[int]:
    """Rows of the ground truth that are an object: neither padding nor a crowd."""
    crowd = target.get("iscrowd", np.zeros_like(target["labels"]))
    return [n for n, box in enumerate(target["boxes"]) if has_area(box) and not crowd[n]]


def label_of(box: np.ndarray, index: int, target: Mapping[str, np.ndarray]) -> int:
    """Label one box: its object's class, ``BACKGROUND``, or ``NEITHER`` in a crowd."""
    if index >= 0:
        return int(target["labels"][index])
    crowd = target.get("iscrowd", np.zeros_like(target["labels"]))
    for n, region in enumerate(target["boxes"]):
        if crowd[n] and share_inside(box, region) >= CROWD_SHARE:
            return NEITHER
    return BACKGROUND


def share_inside(box: np.ndarray, region: np.ndarray) -> float:
    """Share of the box's area that a region covers."""
    x1, y1 = np.maximum(box[:2], region[:2])
    x2, y2 = np.minimum(box[2:], region[2:])
    area = (box[2] - box[0]) * (box[3] - box[1])
    return max(x2 - x1, 0) * max(y2 - y1, 0) / area


def draw(labels: np.ndarray, size: int, positive_fraction: float, random: Shuffler) -> np.ndarray:
    """Draw boxes of one image: positives up to their share, negatives for the rest."""
    positive = np.flatnonzero(labels > BACKGROUND)
    negative = np.flatnonzero(labels == BACKGROUND)
    positive = positive[random.permutation(len(positive))[: int(size * positive_fraction)]]
    negative = negative[random.permutation(len(negative))[: size - len(positive)]]
    return np.sort(np.concatenate([positive, negative]))


def mask_targets(
    masks: ArrayLike, boxes: ArrayLike, index: ArrayLike, size: int, half_cell: bool = False
) -> np.ndarray:
    """Show what each box sees of its object's mask, in ``size`` x ``size`` cells.

    Parameters
    ----------
    masks : (n, H, W) masks of the ground truth, 1 in the object and 0 elsewhere.
    boxes : (K, 4) boxes x1, y1, x2, y2 in image pixels.
    index : (K,) row of ``masks`` that each box stands for; below 0: none.
    size : cells along a side.
    half_cell : subtract half a pixel, so that a pixel's value lies at its centre. False is
        torchvision's rule: its targets lie half a pixel off, and none is of less than a pixel.

    Returns
    -------
    (K, size, size) values from 0 to 1, the share of a cell that the mask covers; zeros for a box
    that stands for nothing.

    Raises
    ------
    ValueError: masks that are not (n, H, W); see ``roi_align``.

    Source
    ------
    RoIAlign with one sample a pixel, as in torchvision 0.27; ``half_cell=True`` as in Detectron2.

    Examples
    --------
    A square of 2 x 2 pixels, seen from a box that covers it and two columns more:

    >>> mask = np.zeros((1, 6, 6))
    >>> mask[0, 2:4, 2:4] = 1
    >>> mask_targets(mask, [[2, 2, 6, 4]], [0], 2, half_cell=True)
    array([[[1., 0.],
            [1., 0.]]])
    >>> mask_targets(mask, [[2, 2, 6, 4]], [0], 2, half_cell=False)
    array([[[0.75 , 0.   ],
            [0.375, 0.   ]]])
    """
    check_flag("half_cell", half_cell)
    cells = check_count("size", size)
    masks, rows = np.asarray(masks), np.asarray(boxes, float).reshape(-1, 4)
    check_masks(masks)
    shown = np.zeros((len(rows), cells, cells))
    for k, n in enumerate(np.asarray(index)):
        if n >= 0:
            its_mask = masks[None, n, None].astype(float)  # [1, 1, H, W]
            shown[k] = roi_align(its_mask, [rows[k, None]], cells, aligned=half_cell)[0, 0]
    return shown
