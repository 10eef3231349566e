"""Proposals: of all moved anchors, the likeliest few that do not say the same thing twice.

Only the network's answers count here. Ground truth plays no part.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import check_count, check_floating, check_predictions
from roilearn.reference.boxes.box_coding import decode_boxes
from roilearn.reference.boxes.boxes import clip_boxes_to_image
from roilearn.reference.boxes.nms import batched_nms


def proposals(
    objectness: Sequence[ArrayLike],
    deltas: Sequence[ArrayLike],
    anchors: Sequence[ArrayLike],
    image_sizes: Sequence[tuple[int, int]],
    before: int = 1000,
    after: int = 1000,
    iou_threshold: float = 0.7,
    min_size: float = 1e-3,
    score_threshold: float = 0.0,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Pick the proposals of each image.

    The ``before`` best anchors of each level are moved by their deltas and cut at the image's
    edges. What is then tiny or unlikely goes, and of boxes of one level that overlap too much the
    best stays. The ``after`` best of all levels are the proposals.

    Parameters
    ----------
    objectness, deltas : what the head gives: for each level (N, n) logits and (N, n, 4) deltas.
    anchors : for each level (n, 4) boxes x1, y1, x2, y2 in image pixels.
    image_sizes : (height, width) of each of the N images, without padding.
    before : how many boxes of each level are looked at; of equal logits the first comes first.
    after : how many boxes of an image are kept.
    iou_threshold : IoU above which the box of the lower score goes.
    min_size : a box with a side shorter than this, in image pixels, goes.
    score_threshold : a box of a lower score goes, from 0 to 1.

    Returns
    -------
    boxes : for each image (K, 4) boxes in image pixels, by descending score.
    scores : for each image (K,) scores, from 0 to 1: the sigmoid of the objectness.

    Raises
    ------
    ValueError: shapes that do not fit; a NaN or infinite logit or delta; an image without pixels.
    ValueError, TypeError: a number to keep that is not whole and positive.

    Source
    ------
    Ren et al., Faster R-CNN (2015), section 3.3; level by level and as in torchvision 0.27.

    Examples
    --------
    Two anchors that overlap, moved by nothing. The second is likelier, and cut at x = 20:

    >>> anchors = [np.array([[8.0, 2, 20, 14], [9, 2, 21, 14]])]
    >>> (boxes,), (scores,) = proposals([[[0.0, 2.0]]], [np.zeros((1, 2, 4))], anchors, [(16, 20)])
    >>> boxes, scores.round(4)
    (array([[ 9.,  2., 20., 14.]]), array([0.8808]))
    """
    objectness, deltas, anchors = (
        [np.asarray(level) for level in levels] for levels in (objectness, deltas, anchors)
    )
    check_predictions(objectness, deltas, anchors, len(image_sizes))
    before, after = check_count("before", before), check_count("after", after)
    image_boxes, image_scores = [], []
    for image, size in enumerate(image_sizes):
        boxes, scores, levels = [], [], []
        for level, anchors_here in enumerate(anchors):
            logits = objectness[level][image]
            check_floating(f"objectness[{level}]", logits)
            for anchor in np.argsort(-logits, kind="stable")[:before]:
                (box,) = decode_boxes(deltas[level][image, [anchor]], anchors_here[[anchor]])
                x1, y1, x2, y2 = box = clip_boxes_to_image(box, size)
                score = sigmoid(logits[anchor])
                if min(x2 - x1, y2 - y1) >= min_size and score >= score_threshold:
                    boxes.append(box)
                    scores.append(score)
                    levels.append(level)
        boxes, scores = np.reshape(boxes, (-1, 4)), np.array(scores, float)
        kept = batched_nms(boxes, scores, np.array(levels, int), iou_threshold)[:after]
        image_boxes.append(boxes[kept])
        image_scores.append(scores[kept])
    return image_boxes, image_scores


def sigmoid(logit: float) -> float:
    """Make a logit a number from 0 to 1, with no exponential of a large number."""
    small = math.exp(-abs(logit))
    return (1 if logit >= 0 else small) / (1 + small)
