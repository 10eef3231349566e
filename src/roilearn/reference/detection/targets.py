"""Detection targets: the sampled proposals of an image, and the targets of the RoI heads for them.

Padding is dropped, the ground-truth boxes are added to the proposals, each proposal is matched with
the object of the highest IoU, and a batch is sampled, with one object to three of background. The
targets of a positive proposal are its class, the deltas to its object's box, and the part of its
object's mask inside the proposal.
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
    check_fraction,
    check_masks,
    check_target,
)
from roilearn.reference.boxes.box_coding import encode_boxes
from roilearn.reference.boxes.iou import box_iou
from roilearn.reference.detection.matching import BETWEEN_THRESHOLDS, match
from roilearn.reference.pooling.roi_align import roi_align

DELTA_WEIGHTS = (10.0, 10.0, 5.0, 5.0)
"""Weights of the deltas: those of good proposals, so weighted, have a standard deviation near 1."""
CROWD_IOA = 0.5
"""Intersection over proposal area with a crowd box from which a proposal is no background."""
BACKGROUND = 0
IGNORED = -1


class RandomGenerator(Protocol):
    """A random generator of NumPy: ``np.random.RandomState`` or ``np.random.default_rng``."""

    def permutation(self, x: int, /) -> np.ndarray:
        """Return the numbers from 0 to x - 1 in random order."""
        ...


@dataclass(frozen=True)
class DetectionTargets:
    """Sampled proposals of one image, and the targets of the RoI heads for them.

    ``boxes`` (K, 4): the proposals, in image pixels. ``labels`` (K,): their classes, 0 for
    background. ``matched_idxs`` (K,): the row of the ground truth that each is matched with, -1 for
    background. ``deltas`` (K, 4): the encoded box of that row; zeros for background.
    """

    boxes: np.ndarray
    labels: np.ndarray
    matched_idxs: np.ndarray
    deltas: np.ndarray


def detection_targets(
    proposals: ArrayLike,
    target: Mapping[str, np.ndarray],
    positive_iou: float = 0.5,
    batch_size_per_image: int = 512,
    positive_fraction: float = 0.25,
    weights: Sequence[float] = DELTA_WEIGHTS,
    random: RandomGenerator | None = None,
    negative_iou: float | None = None,
) -> DetectionTargets:
    """Sample proposals of one image for the losses of the RoI heads, with their targets.

    Parameters
    ----------
    proposals : (N, 4) boxes x1, y1, x2, y2 in image pixels. Rows without area are padding.
    target : ``boxes`` (n, 4) and ``labels`` (n,), 1 and above; ``iscrowd`` (n,), if any, is 1 for a
        box around many objects that were not annotated one by one. Rows without area are padding.
    positive_iou : minimum IoU with an object for a proposal to be positive.
    batch_size_per_image : maximum number of proposals sampled.
    positive_fraction : maximum fraction of positives among ``batch_size_per_image``.
    weights : weights of the deltas.
    random : random generator; None: a new one, seeded by the system, at every call.
    negative_iou : a proposal whose highest IoU is below this one is background; one between the two
        is not sampled. None: ``positive_iou``, so that every proposal is either.

    Returns
    -------
    ``DetectionTargets``, in the order of the proposals, ground-truth boxes last.

    Raises
    ------
    ValueError, TypeError: see ``roilearn.arguments.check_target``; a NaN or infinite coordinate.

    Source
    ------
    Girshick, Fast R-CNN (2015), section 2.3; order as in torchvision 0.29. Crowds: as in
    matterport's Mask_RCNN, a crowd is no object, and proposals inside it are not used as
    background. Whether a proposal is inside is measured by intersection over its area, as in COCO's
    evaluation.

    Examples
    --------
    Of two proposals, the first has an IoU of 0.8 with the object. The object's box is added:

    >>> proposals = np.array([[0.0, 0, 9, 9], [0, 0, 10, 8], [20, 20, 30, 30]])
    >>> target = {"boxes": np.array([[0.0, 0, 10, 10]]), "labels": np.array([3])}
    >>> detection_targets(proposals[1:], target).labels
    array([3, 0, 3])
    """
    check_target(target)
    for name, rows in (("proposals", np.asarray(proposals)), ("boxes", target["boxes"])):
        check_four_columns(name, rows)
        check_finite(name, rows)  # NaN has no area: it would pass for padding
    check_count("batch_size_per_image", batch_size_per_image)
    check_fraction("positive_fraction", positive_fraction)
    low = positive_iou if negative_iou is None else negative_iou
    random = random or np.random.RandomState()
    boxes = add_ground_truth(np.asarray(proposals), target)
    labels, matched_idxs = assign_targets(boxes, target, positive_iou, low)
    sampled = sample_proposals(labels, batch_size_per_image, positive_fraction, random)
    boxes, labels, matched_idxs = boxes[sampled], labels[sampled], matched_idxs[sampled]
    deltas = np.zeros((len(boxes), 4))
    for k in np.flatnonzero(labels > BACKGROUND):
        deltas[k] = encode_boxes(target["boxes"][matched_idxs[k], None], boxes[k, None], weights)
    return DetectionTargets(boxes, labels, matched_idxs, deltas)


def add_ground_truth(proposals: np.ndarray, target: Mapping[str, np.ndarray]) -> np.ndarray:
    """Drop padding from the proposals, and add the boxes of all objects after them."""
    boxes = [box for box in proposals if has_area(box)]  # the rest is padding
    return np.array([*boxes, *target["boxes"][object_rows(target)]]).reshape(-1, 4)


def assign_targets(
    boxes: np.ndarray, target: Mapping[str, np.ndarray], high: float, low: float
) -> tuple[np.ndarray, np.ndarray]:
    """Label each box, and give the row of the ground truth that it is matched with, or -1."""
    rows = object_rows(target)
    iou = box_iou(target["boxes"][rows], boxes)
    labels, matched_idxs = np.zeros(len(boxes), np.int64), np.full(len(boxes), -1)
    for k, best in enumerate(match(iou, high, low, allow_low_quality_matches=False)):
        matched_idxs[k] = rows[best] if best >= 0 else -1
        labels[k] = label_of(boxes[k], matched_idxs[k], target)
        if best == BETWEEN_THRESHOLDS:
            labels[k] = IGNORED
    return labels, matched_idxs


def has_area(box: np.ndarray) -> bool:
    """Whether the width and the height of a box are above 0."""
    x1, y1, x2, y2 = box
    return x2 > x1 and y2 > y1


def object_rows(target: Mapping[str, np.ndarray]) -> list[int]:
    """Rows of the ground truth that are objects: neither padding nor crowds."""
    crowd = target.get("iscrowd", np.zeros_like(target["labels"]))
    return [n for n, box in enumerate(target["boxes"]) if has_area(box) and not crowd[n]]


def label_of(box: np.ndarray, matched: int, target: Mapping[str, np.ndarray]) -> int:
    """Label one box: its object's class, ``BACKGROUND``, or ``IGNORED`` in a crowd."""
    if matched >= 0:
        return int(target["labels"][matched])
    crowd = target.get("iscrowd", np.zeros_like(target["labels"]))
    for n, region in enumerate(target["boxes"]):
        if crowd[n] and intersection_over_area(box, region) >= CROWD_IOA:
            return IGNORED
    return BACKGROUND


def intersection_over_area(box: np.ndarray, region: np.ndarray) -> float:
    """Intersection of a box with a region, over the area of the box (IoA)."""
    x1, y1 = np.maximum(box[:2], region[:2])
    x2, y2 = np.minimum(box[2:], region[2:])
    area = (box[2] - box[0]) * (box[3] - box[1])
    return max(x2 - x1, 0) * max(y2 - y1, 0) / area


def sample_proposals(
    labels: np.ndarray, num_samples: int, positive_fraction: float, random: RandomGenerator
) -> np.ndarray:
    """Sample rows of ``labels``: positives up to their fraction, negatives for the rest."""
    positive = np.flatnonzero(labels > BACKGROUND)
    negative = np.flatnonzero(labels == BACKGROUND)
    positive = positive[random.permutation(len(positive))[: int(num_samples * positive_fraction)]]
    negative = negative[random.permutation(len(negative))[: num_samples - len(positive)]]
    return np.sort(np.concatenate([positive, negative]))


def mask_targets(
    masks: ArrayLike, boxes: ArrayLike, matched_idxs: ArrayLike, size: int, aligned: bool = False
) -> np.ndarray:
    """Crop the mask of each box's object to the box, resized to ``size`` x ``size`` cells.

    Parameters
    ----------
    masks : (n, H, W) masks of the ground truth, 1 in the object and 0 elsewhere.
    boxes : (K, 4) boxes x1, y1, x2, y2 in image pixels.
    matched_idxs : (K,) row of ``masks`` that each box is matched with; below 0: none.
    size : cells along each side of the result.
    aligned : subtract half a pixel, so that a pixel's value lies at its centre. False is
        torchvision's rule, which shifts the targets by half a pixel and reads at least one pixel.

    Returns
    -------
    (K, size, size) values from 0 to 1, the fraction of a cell that the mask covers; zeros for a box
    that is matched with none.

    Raises
    ------
    ValueError: masks that are not (n, H, W); see ``roi_align``.

    Source
    ------
    RoIAlign with adaptive sampling, as in torchvision 0.29; ``aligned=True`` as in Detectron2.

    Examples
    --------
    A square of 2 x 2 pixels, and a box that covers it and the two columns to its right:

    >>> mask = np.zeros((1, 6, 6))
    >>> mask[0, 2:4, 2:4] = 1
    >>> mask_targets(mask, [[2, 2, 6, 4]], [0], 2, aligned=True)
    array([[[1., 0.],
            [1., 0.]]])
    >>> mask_targets(mask, [[2, 2, 6, 4]], [0], 2, aligned=False)
    array([[[0.75 , 0.   ],
            [0.375, 0.   ]]])
    """
    check_flag("aligned", aligned)
    cells = check_count("size", size)
    masks, rows = np.asarray(masks), np.asarray(boxes, float).reshape(-1, 4)
    check_masks(masks)
    targets = np.zeros((len(rows), cells, cells))
    for k, n in enumerate(np.asarray(matched_idxs)):
        if n >= 0:
            mask = masks[None, n, None].astype(float)  # [1, 1, H, W]
            targets[k] = roi_align(mask, [rows[k, None]], cells, aligned=aligned)[0, 0]
    return targets
