"""Proposals: the anchors of highest objectness, moved by their deltas, after NMS.

Only the network's predictions are used here. Ground truth plays no part.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from roilearn.arguments import check_count, check_iou_threshold, check_predictions
from roilearn.ops import batched_nms, clip_boxes_to_image, decode_boxes, remove_small_boxes
from roilearn.ops.tracing import smallest


@torch.no_grad()
def generate_proposals(
    objectness: Sequence[Float[Tensor, "N _"]],
    deltas: Sequence[Float[Tensor, "N _ 4"]],
    anchors: Sequence[Float[Tensor, "_ 4"]],
    image_sizes: Sequence[tuple[int, int]],
    pre_nms_top_n: int = 1000,
    post_nms_top_n: int = 1000,
    nms_threshold: float = 0.7,
    min_size: float = 1e-3,
    score_threshold: float = 0.0,
) -> tuple[list[Float[Tensor, "_ 4"]], list[Float[Tensor, " _"]]]:
    """Select the proposals of each image.

    The ``pre_nms_top_n`` anchors of highest objectness on each level are moved by their deltas and
    clipped to the image. Small boxes and boxes of low score are removed. NMS follows on each level.
    The ``post_nms_top_n`` boxes of highest score from all levels are the proposals.

    Parameters
    ----------
    objectness, deltas : predictions of ``RPNHead``: for each level (N, n) logits and (N, n, 4)
        deltas.
    anchors : for each level (n, 4) boxes x1, y1, x2, y2 in image pixels.
    image_sizes : (height, width) of each of the N images, without padding.
    pre_nms_top_n : number of boxes kept before NMS, per level.
    post_nms_top_n : number of boxes kept after NMS, per image.
    nms_threshold : IoU above which NMS removes the box of lower score.
    min_size : boxes with a side shorter than this, in image pixels, are removed.
    score_threshold : boxes with a score below this, from 0 to 1, are removed.

    Returns
    -------
    boxes : for each image (K, 4) boxes in image pixels, by descending score; without gradient, as
        the RoI heads treat them as constants.
    scores : for each image (K,) scores, from 0 to 1: the sigmoid of the objectness.

    Raises
    ------
    ValueError: shapes that do not fit; a NaN or infinite logit or delta; an image without pixels.
    ValueError, TypeError: a number of boxes to keep that is not a positive integer.

    Source
    ------
    Ren et al., Faster R-CNN (2015), section 3.3; level by level and as in torchvision 0.29.

    Differs from
    ------------
    torchvision 0.29: decodes every anchor before it selects; there scores stay in half precision,
    in which many are equal.

    Examples
    --------
    Two anchors that overlap, and deltas of 0. The second has the higher score; it is clipped at
    x = 20:

    >>> anchors = [torch.tensor([[8.0, 2, 20, 14], [9, 2, 21, 14]])]
    >>> boxes, scores = generate_proposals(
    ...     [torch.tensor([[0.0, 2.0]])], [torch.zeros(1, 2, 4)], anchors, [(16, 20)]
    ... )
    >>> boxes, scores
    ([tensor([[ 9.,  2., 20., 14.]])], [tensor([0.8808])])
    """
    check_predictions(objectness, deltas, anchors, len(image_sizes))
    pre_nms_top_n = check_count("pre_nms_top_n", pre_nms_top_n)
    post_nms_top_n = check_count("post_nms_top_n", post_nms_top_n)
    nms_threshold = check_iou_threshold(nms_threshold, "nms_threshold")
    chosen = top_n_per_level(objectness, pre_nms_top_n)
    every_box, every_score, levels = decode_chosen(chosen, objectness, deltas, anchors)
    selected = []
    for decoded, scores, size in zip(every_box, every_score, image_sizes, strict=True):
        boxes = clip_boxes_to_image(decoded, size)  # [K, 4]
        kept = large_and_likely(boxes, scores, min_size, score_threshold)
        kept = kept[nms_per_level(boxes[kept], scores[kept], levels[kept], nms_threshold)]
        best = kept[:post_nms_top_n]  # of all levels: NMS sorts by descending score
        selected.append((boxes[best], scores[best]))
    return [boxes for boxes, _ in selected], [scores for _, scores in selected]


def top_n_per_level(
    objectness: Sequence[Float[Tensor, "N _"]], pre_nms_top_n: int
) -> list[Int64[Tensor, "N _"]]:
    """Choose the ``pre_nms_top_n`` anchors of highest objectness on each level.

    The limit holds for each level, because small objects have anchors on the finest level only. If
    one limit held for all levels, many good anchors of a large object could displace theirs.

    Parameters
    ----------
    objectness : for each level (N, n) logits.
    pre_nms_top_n : number of anchors per level; a level with fewer gives all of them.

    Returns
    -------
    For each level (N, k) indices of anchors of that level, by descending objectness.
    """
    return [
        logits.topk(smallest(pre_nms_top_n, logits.shape[1])).indices  # [N, k]
        for logits in objectness
    ]


def decode_chosen(
    chosen: Sequence[Int64[Tensor, "N _"]],
    objectness: Sequence[Float[Tensor, "N _"]],
    deltas: Sequence[Float[Tensor, "N _ 4"]],
    anchors: Sequence[Float[Tensor, "_ 4"]],
) -> tuple[Float[Tensor, "N K 4"], Float[Tensor, "N K"], Int64[Tensor, " K"]]:
    """Move the chosen anchors by their deltas, and put all levels together.

    Returns
    -------
    (N, K, 4) boxes, (N, K) scores and (K,) levels, counted from 0.
    """
    boxes, scores, levels = [], [], []
    for level, index in enumerate(chosen):  # [N, k]
        logits = objectness[level].gather(1, index)  # [N, k]
        moves = deltas[level].gather(1, index[..., None].expand(-1, -1, 4))  # [N, k, 4]
        decoded = decode_boxes(moves.flatten(0, 1), anchors[level][index.flatten()])
        boxes.append(decoded.view(*index.shape, 4))  # [N, k, 4]
        scores.append(logits.to(decoded.dtype).sigmoid())  # [N, k]
        levels.append(index.new_full((index.shape[1],), level))  # [k]
    return torch.cat(boxes, 1), torch.cat(scores, 1), torch.cat(levels)


def large_and_likely(
    boxes: Float[Tensor, "K 4"],
    scores: Float[Tensor, " K"],
    min_size: float,
    score_threshold: float,
) -> Int64[Tensor, " kept"]:
    """Return indices of boxes with both sides of ``min_size`` or more and a score high enough.

    Boxes are measured after clipping, so that a box outside the image has no area and is removed.
    """
    kept = remove_small_boxes(boxes, min_size)
    return kept[scores[kept] >= score_threshold]


def nms_per_level(
    boxes: Float[Tensor, "K 4"],
    scores: Float[Tensor, " K"],
    levels: Int64[Tensor, " K"],
    nms_threshold: float,
) -> Int64[Tensor, " kept"]:
    """Return indices of the boxes that NMS within each level keeps, by descending score.

    Boxes of different levels do not remove each other, however much they overlap.
    """
    return batched_nms(boxes, scores, levels, nms_threshold)
