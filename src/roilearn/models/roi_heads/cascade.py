"""Cascade R-CNN, an extension: several box heads in a row, each refining the boxes of the last.

A head that is trained with positives from IoU 0.5 on sees few accurate boxes. A head that demands
IoU 0.7 finds few positives among the proposals. In a cascade each head produces boxes that are
accurate enough for the next.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from roilearn.arguments import check_levels
from roilearn.models.roi_heads.box_head import box_losses
from roilearn.models.roi_heads.detections import split_rows
from roilearn.models.roi_heads.roi_heads import (
    Boxes,
    Features,
    HeadOptions,
    RoIHeads,
    Samples,
    Sizes,
    Targets,
)
from roilearn.models.targets.detection_targets import unsampled_targets
from roilearn.ops import clip_boxes_to_image, decode_boxes

STAGE_IOUS = (0.5, 0.6, 0.7)
"""Minimum IoU with an object for a box to count as positive, for each stage."""
STAGE_WEIGHTS = ((10.0, 10.0, 5.0, 5.0), (20.0, 20.0, 10.0, 10.0), (30.0, 30.0, 15.0, 15.0))
"""Weights of the deltas of each stage: later stages have smaller deltas, which are scaled up."""


class CascadeHeads(RoIHeads):
    """``RoIHeads`` with several box heads in a row.

    The first stage is trained on sampled proposals, each later stage on *all* refined boxes of the
    stage before, matched again. A detection's score is the mean over all stages, its box is that of
    the last stage. Masks are trained on the proposals of the first stage.

    Parameters
    ----------
    box_roi_pool : shared by all stages.
    box_heads, box_predictors : one for each stage; predictors with ``class_agnostic=True``.
    mask_roi_pool, mask_head, mask_predictor : as in ``RoIHeads``; None, all three: no masks.
    options : as in ``RoIHeads``; ``positive_iou`` and ``delta_weights`` are replaced by those of
        the first stage.
    ious, weights : positive IoU and delta weights of each stage.

    Raises
    ------
    ValueError: lists of different lengths.

    Source
    ------
    Cai and Vasconcelos, Cascade R-CNN (2018), section 4; no sampling after the first stage and the
    mean of all scores as in Detectron2.
    """

    box_head: nn.ModuleList
    box_predictor: nn.ModuleList

    def __init__(
        self,
        box_roi_pool: nn.Module,
        box_heads: Sequence[nn.Module],
        box_predictors: Sequence[nn.Module],
        mask_roi_pool: nn.Module | None = None,
        mask_head: nn.Module | None = None,
        mask_predictor: nn.Module | None = None,
        options: HeadOptions | None = None,
        ious: Sequence[float] = STAGE_IOUS,
        weights: Sequence[tuple[float, float, float, float]] = STAGE_WEIGHTS,
    ) -> None:
        check_levels(box_heads=box_heads, box_predictors=box_predictors, ious=ious, weights=weights)
        options = options or HeadOptions()
        options = replace(options, positive_iou=ious[0], delta_weights=weights[0])
        stages = (nn.ModuleList(box_heads), nn.ModuleList(box_predictors))
        super().__init__(
            box_roi_pool, *stages, mask_roi_pool, mask_head, mask_predictor, options=options
        )
        self.ious, self.weights = ious, weights

    def box_losses(
        self, features: Features, samples: Samples, image_sizes: Sizes, targets: Targets
    ) -> dict[str, Tensor]:
        """Compute the losses of every stage, each with its own minimum IoU for positives."""
        losses = {}
        for stage, weights in enumerate(self.weights):
            boxes = [image.boxes for image in samples]
            logits, deltas = self.predict_stage(stage, features, boxes, image_sizes)
            labels = torch.cat([image.labels for image in samples])
            true_deltas = torch.cat([image.deltas for image in samples])
            for name, loss in box_losses(logits, deltas, labels, true_deltas).items():
                losses[f"{name}_{stage}"] = loss
            if stage + 1 < len(self.weights):
                boxes = refine_boxes(deltas, boxes, image_sizes, weights)
                settings = (self.ious[stage + 1], self.weights[stage + 1])
                samples = [
                    unsampled_targets(*image, *settings)
                    for image in zip(boxes, targets, strict=True)
                ]
        return losses

    def detect_boxes(
        self, features: Features, proposals: Boxes, image_sizes: Sizes
    ) -> list[dict[str, Tensor]]:
        """Detect the boxes of each image, with classes and scores."""
        boxes = proposals
        logits, deltas = self.predict_stage(0, features, boxes, image_sizes)
        scores = [logits.softmax(1)]
        for stage in range(1, len(self.weights)):
            boxes = refine_boxes(deltas, boxes, image_sizes, self.weights[stage - 1])
            logits, deltas = self.predict_stage(stage, features, boxes, image_sizes)
            scores.append(logits.softmax(1))
        mean = torch.stack(scores).mean(0).log()  # its softmax is the mean again
        return self.filter_detections(mean, deltas, boxes, image_sizes, self.weights[-1])

    def predict_stage(
        self, stage: int, features: Features, boxes: Boxes, image_sizes: Sizes
    ) -> tuple[Float[Tensor, "K classes"], Float[Tensor, "K 1 4"]]:
        """Predict class logits and deltas of the boxes by one stage."""
        pooled = self.box_roi_pool(features, boxes, image_sizes)
        return self.box_predictor[stage](self.box_head[stage](pooled))


def refine_boxes(
    deltas: Float[Tensor, "K 1 4"], boxes: Boxes, image_sizes: Sizes, weights: Sequence[float]
) -> list[Float[Tensor, "_ 4"]]:
    """Move the boxes of each image by the deltas of a stage, without gradient."""
    decoded = decode_boxes(deltas[:, 0].detach(), torch.cat(list(boxes)), weights)
    return [
        clip_boxes_to_image(image, size)
        for image, size in zip(split_rows(decoded, boxes), image_sizes, strict=True)
    ]
