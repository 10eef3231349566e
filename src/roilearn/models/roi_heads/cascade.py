"""An extension: a cascade of box heads, each of which improves the boxes of the one before.

A head that learns from boxes of IoU 0.5 has seen few good ones; one that demands 0.7 of proposals
finds few objects to learn from. In a row, each head makes the boxes that the next can demand.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from roilearn.arguments import check_levels
from roilearn.models.roi_heads.box_head import box_losses
from roilearn.models.roi_heads.roi_heads import (
    Boxes,
    Features,
    HeadOptions,
    RoIHeads,
    Samples,
    Sizes,
    Targets,
)
from roilearn.models.targets.detection_targets import all_targets
from roilearn.ops import clip_boxes_to_image, decode_boxes

STAGE_IOUS = (0.5, 0.6, 0.7)
"""IoU with an object from which a box stands for it, stage by stage."""
STAGE_WEIGHTS = ((10.0, 10.0, 5.0, 5.0), (20.0, 20.0, 10.0, 10.0), (30.0, 30.0, 15.0, 15.0))
"""Better boxes have smaller deltas: they are learned as larger numbers."""


class CascadeHeads(RoIHeads):
    """``RoIHeads`` with several box heads in a row.

    The first stage learns from proposals that were drawn, each later one from *all* boxes that the
    stage before has made of them, matched anew. To detect, scores are the mean of all stages' and
    boxes the last one's. Masks are learned from the first stage's boxes.

    Parameters
    ----------
    box_pooler : shared by all stages.
    box_heads, box_predictors : one for each stage; predictors with ``class_agnostic=True``.
    mask_pooler, mask_head, mask_predictor : as in ``RoIHeads``.
    options : as in ``RoIHeads``, except ``positive_iou`` and ``delta_weights``: stages have theirs.
    ious, weights : one for each stage.

    Raises
    ------
    ValueError: not as many of each as there are stages.

    Source
    ------
    Cai and Vasconcelos, Cascade R-CNN (2018), section 4; no sampling after the first stage and the
    mean of all scores as in Detectron2.
    """

    box_head: nn.ModuleList
    box_predictor: nn.ModuleList

    def __init__(
        self,
        box_pooler: nn.Module,
        box_heads: Sequence[nn.Module],
        box_predictors: Sequence[nn.Module],
        mask_pooler: nn.Module,
        mask_head: nn.Module,
        mask_predictor: nn.Module,
        options: HeadOptions | None = None,
        ious: Sequence[float] = STAGE_IOUS,
        weights: Sequence[tuple[float, float, float, float]] = STAGE_WEIGHTS,
    ) -> None:
        check_levels(box_heads=box_heads, box_predictors=box_predictors, ious=ious, weights=weights)
        options = options or HeadOptions()
        options = replace(options, positive_iou=ious[0], delta_weights=weights[0])
        stages = (nn.ModuleList(box_heads), nn.ModuleList(box_predictors))
        super().__init__(
            box_pooler, *stages, mask_pooler, mask_head, mask_predictor, options=options
        )
        self.ious, self.weights = ious, weights

    def box_losses(
        self, features: Features, samples: Samples, image_sizes: Sizes, targets: Targets
    ) -> dict[str, Tensor]:
        """Compare what every stage says with the truth, each by its own measure of a good box."""
        losses = {}
        for stage, weights in enumerate(self.weights):
            boxes = [image.boxes for image in samples]
            logits, deltas = self.read(stage, features, boxes, image_sizes)
            labels = torch.cat([image.labels for image in samples])
            true_deltas = torch.cat([image.deltas for image in samples])
            for name, loss in box_losses(logits, deltas, labels, true_deltas).items():
                losses[f"{name}_{stage}"] = loss
            if stage + 1 < len(self.weights):
                boxes = moved(deltas, boxes, image_sizes, weights)
                measure = (self.ious[stage + 1], self.weights[stage + 1])
                samples = [
                    all_targets(*image, *measure) for image in zip(boxes, targets, strict=True)
                ]
        return losses

    def detect_boxes(
        self, features: Features, proposals: Boxes, image_sizes: Sizes
    ) -> list[dict[str, Tensor]]:
        """Find the boxes, classes and scores of each image."""
        boxes = proposals
        logits, deltas = self.read(0, features, boxes, image_sizes)
        scores = [logits.softmax(1)]
        for stage in range(1, len(self.weights)):
            boxes = moved(deltas, boxes, image_sizes, self.weights[stage - 1])
            logits, deltas = self.read(stage, features, boxes, image_sizes)
            scores.append(logits.softmax(1))
        mean = torch.stack(scores).mean(0).log()  # its softmax is the mean again
        return self.best(mean, deltas, boxes, image_sizes, self.weights[-1])

    def read(
        self, stage: int, features: Features, boxes: Boxes, image_sizes: Sizes
    ) -> tuple[Float[Tensor, "K classes"], Float[Tensor, "K 1 4"]]:
        """Let one stage look at the boxes: logits of the classes, and deltas."""
        pooled = self.box_pooler(features, boxes, image_sizes)
        return self.box_predictor[stage](self.box_head[stage](pooled))


def moved(
    deltas: Float[Tensor, "K 1 4"], boxes: Boxes, image_sizes: Sizes, weights: Sequence[float]
) -> list[Float[Tensor, "_ 4"]]:
    """Move the boxes of each image as a stage says; no gradient goes back through them."""
    rows = [len(image) for image in boxes]
    better = decode_boxes(deltas[:, 0].detach(), torch.cat(list(boxes)), weights)
    return [
        clip_boxes_to_image(image, size)
        for image, size in zip(better.split(rows), image_sizes, strict=True)
    ]
