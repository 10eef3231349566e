"""Detections: from scores and deltas for every class of every proposal to a few boxes an image."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from roilearn.arguments import check_same_rows, check_scores
from roilearn.models.targets.detection_targets import DELTA_WEIGHTS
from roilearn.ops import batched_nms, clip_boxes_to_image, decode_boxes, remove_small_boxes
from roilearn.ops.tracing import reads_values

SHORTEST_SIDE = 1e-2
"""Boxes with a shorter side, in image pixels, are dropped: mostly what was clipped away."""


def detections(
    class_logits: Float[Tensor, "K classes"],
    deltas: Float[Tensor, "K rows 4"],
    proposals: Sequence[Float[Tensor, "_ 4"]],
    image_sizes: Sequence[tuple[int, int]],
    score_threshold: float = 0.05,
    nms_threshold: float = 0.5,
    per_image: int = 100,
    weights: Sequence[float] = DELTA_WEIGHTS,
) -> list[dict[str, Tensor]]:
    """Keep the best boxes of each image.

    Every class of every proposal is a candidate, but for background. Candidates of low score go,
    the rest are moved by their class's deltas and clipped to the image, those of nearly no width or
    height go, and those that a better one of their own class overlaps. What is left is sorted.

    Parameters
    ----------
    class_logits : (K, C) logits of the classes, class 0 for background, image after image.
    deltas : (K, C, 4) a row for each class, or (K, 1, 4) one for all.
    proposals : one (Ki, 4) tensor for each image, in image pixels.
    image_sizes : (height, width) of each image.
    score_threshold : scores up to this one go.
    nms_threshold : IoU with a better box of the class above which a box goes.
    per_image : how many are kept at most.
    weights : of the deltas.

    Returns
    -------
    For each image ``boxes`` (n, 4), ``labels`` (n,) and ``scores`` (n,), by descending score. One
    proposal may become two detections, of two classes.

    Raises
    ------
    ValueError: rows that do not fit; a logit that is NaN, or deltas of a candidate that are not
        finite, as a diverged model gives them. Where values are not looked for, as on a GPU, such
        candidates go, like those of low score.

    Source
    ------
    He et al., Mask R-CNN (2017), section 3.1; as in torchvision 0.27.

    Differs from
    ------------
    torchvision 0.27: a model that gives NaN detects nothing there, without a word.

    Examples
    --------
    Two proposals for one object; the classes are background, cat and dog:

    >>> proposals = [torch.tensor([[2.0, 2, 12, 12], [2, 2, 12, 13]])]
    >>> logits = torch.tensor([[0.0, 4, 2], [0, 3, -9]])
    >>> found = detections(logits, torch.zeros(2, 3, 4), proposals, [(20, 30)])
    >>> found[0]["labels"], found[0]["scores"]
    (tensor([1, 2]), tensor([0.9526, 0.1173]))
    """
    rows = [len(boxes) for boxes in proposals]
    check_same_rows("class_logits", class_logits, "proposals", sum(rows))
    check_same_rows("deltas", deltas, "proposals", sum(rows))
    scores = class_logits.softmax(1, dtype=torch.promote_types(class_logits.dtype, torch.float32))
    if reads_values(scores):
        check_scores(scores)
    return [
        image_detections(*image, score_threshold, nms_threshold, per_image, weights)
        for image in zip(
            scores.split(rows), deltas.split(rows), proposals, image_sizes, strict=True
        )
    ]


def image_detections(
    scores: Float[Tensor, "K classes"],
    deltas: Float[Tensor, "K rows 4"],
    proposals: Float[Tensor, "K 4"],
    image_size: tuple[int, int],
    score_threshold: float,
    nms_threshold: float,
    per_image: int,
    weights: Sequence[float],
) -> dict[str, Tensor]:
    """Keep the best boxes of one image."""
    row, label = (scores[:, 1:] > score_threshold).nonzero(as_tuple=True)
    label = label + 1  # background was left out
    score = scores[row, label]
    column = label.clamp(max=deltas.shape[1] - 1)  # the only row, if there is one
    boxes = decode_boxes(deltas[row, column], proposals[row], weights)
    boxes = clip_boxes_to_image(boxes, image_size)
    long_enough = remove_small_boxes(boxes, SHORTEST_SIDE)
    boxes, score, label = boxes[long_enough], score[long_enough], label[long_enough]
    best = batched_nms(boxes, score, label, nms_threshold)[:per_image]
    return {"boxes": boxes[best], "labels": label[best], "scores": score[best]}
