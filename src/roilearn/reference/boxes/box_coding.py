"""Box coding: the deltas from an anchor to a box (encode) and back (decode)."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from roilearn.arguments import (
    check_at_least,
    check_deltas,
    check_finite,
    check_positive_sides,
    check_same_rows,
    check_weights,
)
from roilearn.reference.boxes.boxes import box_corners

SCALE_CLAMP = math.log(1000 / 16)
"""Upper limit of dw and dh in decoding: a side grows by 62.5 at most, 16 pixels to 1,000."""


def encode_boxes(
    boxes: ArrayLike, anchors: ArrayLike, weights: Sequence[float] = (1.0, 1.0, 1.0, 1.0)
) -> np.ndarray:
    """Encode each box as deltas relative to its anchor.

    Parameters
    ----------
    boxes : (K, 4) boxes as x1, y1, x2, y2.
    anchors : (K, 4) the anchor, or proposal, of each box.
    weights : factors of dx, dy, dw and dh. Deltas of well-placed anchors are small numbers, so the
        box head of Faster R-CNN learns them ten and five times as large (10, 10, 5, 5).

    Returns
    -------
    (K, 4) deltas. dx and dy are the offset of the centre in widths and heights of the anchor; dw
    and dh are the logarithms of the ratios of the widths and heights.

    Raises
    ------
    ValueError: shapes that do not fit; a NaN or infinite coordinate; a side that is not above 0;
        weights that are not four positive numbers.

    Source
    ------
    Girshick et al., Rich feature hierarchies (2014), appendix C; as in torchvision 0.29.

    Examples
    --------
    Half the anchor's width to the right, and twice as high:

    >>> encode_boxes([[5, 0, 15, 20]], [[0, 5, 10, 15]]).round(3)
    array([[0.5  , 0.   , 0.   , 0.693]])
    """
    factors = check_weights(weights)
    boxes, anchors = box_corners("boxes", boxes), box_corners("anchors", anchors)
    check_same_rows("anchors", anchors, "boxes", len(boxes))
    check_positive_sides("boxes", boxes)
    check_positive_sides("anchors", anchors)
    deltas = np.zeros((len(boxes), 4), np.result_type(boxes, anchors, np.float32))
    for k, (box, anchor) in enumerate(zip(boxes, anchors, strict=True)):
        deltas[k] = encode_box(box, anchor)
    return deltas * np.array(factors, deltas.dtype)


def decode_boxes(
    deltas: ArrayLike,
    anchors: ArrayLike,
    weights: Sequence[float] = (1.0, 1.0, 1.0, 1.0),
    scale_clamp: float = SCALE_CLAMP,
) -> np.ndarray:
    """Apply deltas to anchors: the inverse of ``encode_boxes``.

    Parameters
    ----------
    deltas : (K, 4), or (K, C, 4) with a row for each of C classes. The (K, 4 * C) output of a box
        head is reshaped by ``reshape(K, C, 4)``.
    anchors : (K, 4) boxes as x1, y1, x2, y2.
    weights : those of ``encode_boxes``.
    scale_clamp : upper limit of dw and dh, so that no exponential overflows; ``math.inf``: none.

    Returns
    -------
    Boxes x1, y1, x2, y2, of the shape of ``deltas``. They may reach outside the image.

    Raises
    ------
    ValueError: shapes that do not fit; a NaN or infinite number; weights that
        are not four positive numbers.
    TypeError: deltas that are not floating point.

    Source
    ------
    Girshick et al., Rich feature hierarchies (2014), appendix C; as in torchvision 0.29.

    Differs from
    ------------
    torchvision 0.29: its coder takes (K, 4 * C) and gives (K, C, 4).

    Examples
    --------
    >>> decode_boxes([[0.5, 0, 0, math.log(2)]], [[0, 5, 10, 15]])
    array([[ 5.,  0., 15., 20.]])
    """
    factors = check_weights(weights)
    deltas, anchors = np.asarray(deltas), box_corners("anchors", anchors)
    check_deltas(deltas)
    check_same_rows("anchors", anchors, "deltas", len(deltas))
    check_finite("deltas", deltas.reshape(-1, 4))
    limit = check_at_least("scale_clamp", scale_clamp, 0)
    boxes = np.zeros(deltas.shape, np.result_type(deltas, anchors, np.float32))
    for place in np.ndindex(deltas.shape[:-1]):
        scaled = deltas[place].astype(boxes.dtype) / np.array(factors, boxes.dtype)
        boxes[place] = decode_box(scaled, anchors[place[0]], limit)
    return boxes


def encode_box(box: np.ndarray, anchor: np.ndarray) -> tuple[float, float, float, float]:
    """Deltas dx, dy, dw, dh from one anchor to one box."""
    centre_x, centre_y, width, height = centre_and_size(box)
    anchor_x, anchor_y, anchor_width, anchor_height = centre_and_size(anchor)
    dx = (centre_x - anchor_x) / anchor_width
    dy = (centre_y - anchor_y) / anchor_height
    dw = math.log(width / anchor_width)
    dh = math.log(height / anchor_height)
    return dx, dy, dw, dh


def decode_box(
    deltas: np.ndarray, anchor: np.ndarray, limit: float
) -> tuple[float, float, float, float]:
    """Box x1, y1, x2, y2 that one anchor becomes; dw and dh count up to ``limit``."""
    dx, dy, dw, dh = deltas
    anchor_x, anchor_y, anchor_width, anchor_height = centre_and_size(anchor)
    centre_x = anchor_x + dx * anchor_width
    centre_y = anchor_y + dy * anchor_height
    half_width = 0.5 * anchor_width * math.exp(min(dw, limit))
    half_height = 0.5 * anchor_height * math.exp(min(dh, limit))
    first = (centre_x - half_width, centre_y - half_height)
    return *first, centre_x + half_width, centre_y + half_height


def centre_and_size(box: np.ndarray) -> tuple[float, float, float, float]:
    """Centre x and y, width and height of one box."""
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    return x1 + 0.5 * width, y1 + 0.5 * height, width, height
