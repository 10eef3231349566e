"""Proposals: of all moved anchors, the likeliest few that do not say the same thing twice.

Only the network's answers count here. Ground truth plays no part.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from roilearn.arguments import check_count, check_predictions
from roilearn.ops import batched_nms, clip_boxes_to_image, decode_boxes, remove_small_boxes


@torch.no_grad()
def proposals(
    objectness: Sequence[Float[Tensor, "N _"]],
    deltas: Sequence[Float[Tensor, "N _ 4"]],
    anchors: Sequence[Float[Tensor, "_ 4"]],
    image_sizes: Sequence[tuple[int, int]],
    before: int = 1000,
    after: int = 1000,
    iou_threshold: float = 0.7,
    min_size: float = 1e-3,
    score_threshold: float = 0.0,
) -> tuple[list[Float[Tensor, "_ 4"]], list[Float[Tensor, " _"]]]:
    """Pick the proposals of each image.

    The ``before`` best anchors of each level are moved by their deltas and cut at the image's
    edges. What is then tiny or unlikely goes, and of boxes of one level that overlap too much the
    best stays. The ``after`` best of all levels are the proposals.

    Parameters
    ----------
    objectness, deltas : what ``RPNHead`` gives: for each level (N, n) logits and (N, n, 4) deltas.
    anchors : for each level (n, 4) boxes x1, y1, x2, y2 in image pixels.
    image_sizes : (height, width) of each of the N images, without padding.
    before : how many boxes of each level are looked at.
    after : how many boxes of an image are kept.
    iou_threshold : IoU above which the box of the lower score goes.
    min_size : a box with a side shorter than this, in image pixels, goes.
    score_threshold : a box of a lower score goes, from 0 to 1.

    Returns
    -------
    boxes : for each image (K, 4) boxes in image pixels, by descending score; without a gradient,
        as the heads that follow take them for given.
    scores : for each image (K,) scores, from 0 to 1: the sigmoid of the objectness.

    Raises
    ------
    ValueError: shapes that do not fit; a NaN or infinite logit or delta; an image without pixels.
    ValueError, TypeError: a number to keep that is not whole and positive.

    Source
    ------
    Ren et al., Faster R-CNN (2015), section 3.3; level by level and as in torchvision 0.27.

    Differs from
    ------------
    torchvision 0.27: moves every anchor before it picks; scores in half precision stay so there,
    and many are equal.

    Examples
    --------
    Two anchors that overlap, moved by nothing. The second is likelier, and cut at x = 20:

    >>> anchors = [torch.tensor([[8.0, 2, 20, 14], [9, 2, 21, 14]])]
    >>> boxes, scores = proposals(
    ...     [torch.tensor([[0.0, 2.0]])], [torch.zeros(1, 2, 4)], anchors, [(16, 20)]
    ... )
    >>> boxes, scores
    ([tensor([[ 9.,  2., 20., 14.]])], [tensor([0.8808])])
    """
    check_predictions(objectness, deltas, anchors, len(image_sizes))
    before, after = check_count("before", before), check_count("after", after)
    picked = []
    every_box, every_score, levels = best_of_levels(objectness, deltas, anchors, before)
    for boxes, scores, size in zip(every_box, every_score, image_sizes, strict=True):
        boxes = clip_boxes_to_image(boxes, size)  # noqa: PLW2901
        kept = remove_small_boxes(boxes, min_size)
        kept = kept[scores[kept] >= score_threshold]
        best = batched_nms(boxes[kept], scores[kept], levels[kept], iou_threshold)[:after]
        picked.append((boxes[kept[best]], scores[kept[best]]))
    return [boxes for boxes, _ in picked], [scores for _, scores in picked]


def best_of_levels(
    objectness: Sequence[Float[Tensor, "N _"]],
    deltas: Sequence[Float[Tensor, "N _ 4"]],
    anchors: Sequence[Float[Tensor, "_ 4"]],
    before: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Move the ``before`` best anchors of each level, in all images at once.

    Small objects have anchors on the finest level alone. Were the best of all levels taken
    together, a large object with many good anchors could leave them no place.

    Returns
    -------
    (N, K, 4) boxes, (N, K) scores and (K,) levels, counted from 0.
    """
    boxes, scores, levels = [], [], []
    for level, logits in enumerate(objectness):
        best, index = logits.topk(min(before, logits.shape[1]))
        moves = deltas[level].take_along_dim(index[..., None], 1)
        moved = decode_boxes(moves.flatten(0, 1), anchors[level][index.flatten()])
        boxes.append(moved.view(*index.shape, 4))
        scores.append(best.to(moved.dtype).sigmoid())
        levels.append(index.new_full((index.shape[1],), level))
    return torch.cat(boxes, 1), torch.cat(scores, 1), torch.cat(levels)
