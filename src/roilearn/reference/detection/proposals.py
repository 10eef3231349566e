"""Region proposals: decoded anchors, clipped, filtered by score and size, and reduced by NMS.

Only the predictions of the region proposal network are used, no ground truth.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import (
    check_count,
    check_floating,
    check_iou_threshold,
    check_predictions,
)
from roilearn.reference.boxes.box_coding import decode_boxes
from roilearn.reference.boxes.boxes import clip_boxes_to_image
from roilearn.reference.boxes.nms import batched_nms


def generate_proposals(
    objectness: Sequence[ArrayLike],
    deltas: Sequence[ArrayLike],
    anchors: Sequence[ArrayLike],
    image_sizes: Sequence[tuple[int, int]],
    pre_nms_top_n: int = 1000,
    post_nms_top_n: int = 1000,
    nms_threshold: float = 0.7,
    min_size: float = 1e-3,
    score_threshold: float = 0.0,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Generate the proposals of each image from the predictions of a region proposal network.

    The ``pre_nms_top_n`` anchors of the highest objectness of each level are decoded with their
    deltas and clipped to the image. Boxes that are too small or score too low are dropped, and NMS
    runs within each level. The ``post_nms_top_n`` boxes of the highest scores of all levels remain.

    Parameters
    ----------
    objectness, deltas : output of the RPN head: for each level (N, n) logits and (N, n, 4) deltas.
    anchors : for each level (n, 4) boxes x1, y1, x2, y2 in image pixels.
    image_sizes : (height, width) of each of the N images, without padding.
    pre_nms_top_n : maximum number of boxes of each level before NMS; ties go to the first box.
    post_nms_top_n : maximum number of boxes of an image after NMS.
    nms_threshold : IoU above which NMS suppresses the box of the lower score.
    min_size : minimum side of a box, in image pixels, after clipping.
    score_threshold : minimum score of a box, from 0 to 1.

    Returns
    -------
    boxes : for each image (K, 4) boxes in image pixels, by descending score.
    scores : for each image (K,) scores, from 0 to 1: the sigmoid of the objectness.

    Raises
    ------
    ValueError: shapes that do not fit; a NaN or infinite logit or delta; an image without pixels.
    ValueError, TypeError: a maximum number that is not whole and positive.

    Source
    ------
    Ren et al., Faster R-CNN (2015), section 3.3; level by level and as in torchvision 0.29.

    Examples
    --------
    Two overlapping anchors with deltas of 0. The second scores higher, and is clipped at x = 20:

    >>> anchors = [np.array([[8.0, 2, 20, 14], [9, 2, 21, 14]])]
    >>> objectness, deltas = [[[0.0, 2.0]]], [np.zeros((1, 2, 4))]
    >>> (boxes,), (scores,) = generate_proposals(objectness, deltas, anchors, [(16, 20)])
    >>> boxes, scores.round(4)
    (array([[ 9.,  2., 20., 14.]]), array([0.8808]))
    """
    objectness, deltas, anchors = (
        [np.asarray(level) for level in levels] for levels in (objectness, deltas, anchors)
    )
    check_predictions(objectness, deltas, anchors, len(image_sizes))
    pre_nms_top_n = check_count("pre_nms_top_n", pre_nms_top_n)
    post_nms_top_n = check_count("post_nms_top_n", post_nms_top_n)
    nms_threshold = check_iou_threshold(nms_threshold, "nms_threshold")
    image_boxes, image_scores = [], []
    for image, size in enumerate(image_sizes):
        boxes, scores, levels = [], [], []
        for level, anchors_here in enumerate(anchors):
            logits, moves = objectness[level][image], deltas[level][image]  # (n,), (n, 4)
            check_floating(f"objectness[{level}]", logits)
            for anchor in top_n(logits, pre_nms_top_n):
                (decoded,) = decode_boxes(moves[[anchor]], anchors_here[[anchor]])
                box, score = clip_boxes_to_image(decoded, size), sigmoid(logits[anchor])
                if is_large_and_likely(box, score, min_size, score_threshold):
                    boxes.append(box)
                    scores.append(score)
                    levels.append(level)
        boxes, scores = np.reshape(boxes, (-1, 4)), np.array(scores, float)
        kept = batched_nms(boxes, scores, np.array(levels, int), nms_threshold)[:post_nms_top_n]
        image_boxes.append(boxes[kept])
        image_scores.append(scores[kept])
    return image_boxes, image_scores


def top_n(logits: np.ndarray, n: int) -> np.ndarray:
    """Choose the ``n`` anchors of highest objectness; of equal logits the first comes first."""
    return np.argsort(-logits, kind="stable")[:n]


def is_large_and_likely(
    box: np.ndarray, score: float, min_size: float, score_threshold: float
) -> bool:
    """Whether both sides are at least ``min_size``, and the score at least the threshold."""
    x1, y1, x2, y2 = box
    return min(x2 - x1, y2 - y1) >= min_size and score >= score_threshold


def sigmoid(logit: float) -> float:
    """Sigmoid of a logit, without the exponential of a large number."""
    small = math.exp(-abs(logit))
    return (1 if logit >= 0 else small) / (1 + small)
