"""Post-processing: class logits and deltas of all proposals become the detections of an image."""

import itertools
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from roilearn.arguments import check_same_rows, check_scores
from roilearn.models.roi_heads.box_head import deltas_of_class
from roilearn.models.targets.detection_targets import DELTA_WEIGHTS
from roilearn.ops import batched_nms, clip_boxes_to_image, decode_boxes, remove_small_boxes
from roilearn.ops.tracing import may_read_values

MIN_SIZE = 1e-2
"""Minimum side of a detection in image pixels. Shorter ones are mostly boxes that were clipped."""


def postprocess_detections(
    class_logits: Float[Tensor, "K classes"],
    deltas: Float[Tensor, "K rows 4"],
    proposals: Sequence[Float[Tensor, "_ 4"]],
    image_sizes: Sequence[tuple[int, int]],
    score_threshold: float = 0.05,
    nms_threshold: float = 0.5,
    detections_per_image: int = 100,
    weights: Sequence[float] = DELTA_WEIGHTS,
) -> list[dict[str, Tensor]]:
    """Select the detections of each image.

    Every class of every proposal except background is a candidate. Candidates of low score are
    removed, the others are moved by the deltas of their class and clipped to the image. Candidates
    of almost no width or height are removed, then NMS follows within each class.

    Parameters
    ----------
    class_logits : (K, C) logits of the classes, class 0 for background, image after image.
    deltas : (K, C, 4) a row for each class, or (K, 1, 4) one for all.
    proposals : one (Ki, 4) tensor for each image, in image pixels.
    image_sizes : (height, width) of each image.
    score_threshold : drop detections with a score at or below this.
    nms_threshold : IoU above which NMS removes the box of lower score.
    detections_per_image : maximum number of detections per image.
    weights : factors of dx, dy, dw and dh, see ``decode_boxes``.

    Returns
    -------
    For each image ``boxes`` (n, 4), ``labels`` (n,) and ``scores`` (n,), by descending score. One
    proposal may become two detections, of two classes.

    Raises
    ------
    ValueError: rows that do not fit; a logit that is NaN, or deltas of a candidate that are not
        finite, as a diverged model predicts them. Where values are not checked, as on a GPU, such
        candidates are removed, like those of low score.

    Source
    ------
    He et al., Mask R-CNN (2017), section 3.1; as in torchvision 0.29.

    Differs from
    ------------
    torchvision 0.29: a model that predicts NaN detects nothing there, and no error is raised.

    Examples
    --------
    Two proposals for one object; the classes are background, cat and dog:

    >>> proposals = [torch.tensor([[2.0, 2, 12, 12], [2, 2, 12, 13]])]
    >>> logits = torch.tensor([[0.0, 4, 2], [0, 3, -9]])
    >>> found = postprocess_detections(logits, torch.zeros(2, 3, 4), proposals, [(20, 30)])
    >>> found[0]["labels"], found[0]["scores"]
    (tensor([1, 2]), tensor([0.9526, 0.1173]))
    """
    rows = sum(boxes.shape[0] for boxes in proposals)
    check_same_rows("class_logits", class_logits, "proposals", rows)
    check_same_rows("deltas", deltas, "proposals", rows)
    scores = class_logits.softmax(1, dtype=torch.promote_types(class_logits.dtype, torch.float32))
    if may_read_values(scores):
        check_scores(scores)
    return [
        image_detections(*image, score_threshold, nms_threshold, detections_per_image, weights)
        for image in zip(
            split_rows(scores, proposals),
            split_rows(deltas, proposals),
            proposals,
            image_sizes,
            strict=True,
        )
    ]


def split_rows(values: Float[Tensor, "K ..."], images: Sequence[Tensor]) -> list[Tensor]:
    """Split rows among the images: as many for each as its tensor in ``images`` has.

    As ``Tensor.split``, but a recorded graph keeps the numbers of rows, which come later.

    Examples
    --------
    >>> [part.tolist() for part in split_rows(torch.arange(3), [torch.zeros(1), torch.zeros(2)])]
    [[0], [1, 2]]
    """
    ends = list(itertools.accumulate((image.shape[0] for image in images), initial=0))
    return [values[first:last] for first, last in itertools.pairwise(ends)]


def image_detections(
    scores: Float[Tensor, "K classes"],
    deltas: Float[Tensor, "K rows 4"],
    proposals: Float[Tensor, "K 4"],
    image_size: tuple[int, int],
    score_threshold: float,
    nms_threshold: float,
    detections_per_image: int,
    weights: Sequence[float],
) -> dict[str, Tensor]:
    """Select the detections of one image."""
    row, label = likely_candidates(scores, score_threshold)  # [candidates] each
    chosen = deltas_of_class(deltas[row], label)  # [candidates, 4]
    boxes = clip_boxes_to_image(decode_boxes(chosen, proposals[row], weights), image_size)
    large = remove_small_boxes(boxes, MIN_SIZE)  # [large]
    boxes, score, label = boxes[large], scores[row, label][large], label[large]
    best = batched_nms(boxes, score, label, nms_threshold)[:detections_per_image]
    return {"boxes": boxes[best], "labels": label[best], "scores": score[best]}


def likely_candidates(
    scores: Float[Tensor, "K classes"], score_threshold: float
) -> tuple[Int64[Tensor, " candidates"], Int64[Tensor, " candidates"]]:
    """Choose the pairs of a proposal and a class, not background, whose score is above a threshold.

    Returns
    -------
    row : the proposal of each candidate.
    label : its class. One proposal may be a candidate for several classes.
    """
    row, column = (scores[:, 1:] > score_threshold).nonzero(as_tuple=True)
    return row, column + 1  # background was left out
