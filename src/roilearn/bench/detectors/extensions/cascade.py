"""A cascade: new box heads on SHAPES, one stage or three, the three at equal or at rising IoU.

Three stages have more weights than one. So there are also three heads that all read the proposals,
and of which the mean is taken.
"""

from typing import Any

import torch
from torch import Tensor

from roilearn.bench.detectors.extensions.runs import (
    CLASSES,
    box_metrics,
    held_out,
    new_scenes,
    train_quietly,
    trained_model,
)
from roilearn.models import (
    STAGE_IOUS,
    STAGE_WEIGHTS,
    BoxPredictor,
    CascadeHeads,
    FasterRCNN,
    faster_rcnn_tiny,
)
from roilearn.models.roi_heads.box_head import box_losses

UNREFINED = "three heads, not in a row"
IOUS = {
    "one stage": (0.5,),
    UNREFINED: (0.5,) * 3,
    "three stages, all at 0.5": (0.5,) * 3,
    "three stages": STAGE_IOUS,
}
"""Least IoU of a positive in each stage, by variant."""
VARIANTS = tuple(IOUS)
STEPS = 60


class UnrefinedHeads(CascadeHeads):
    """Heads beside each other: all read the same boxes, and the mean of what they predict counts.

    They have the weights of a cascade and none of its refined boxes.
    """

    def box_losses(
        self, features: Any, samples: Any, image_sizes: Any, targets: Any
    ) -> dict[str, Tensor]:
        """Compute the losses of every head on the sampled proposals."""
        del targets
        labels = torch.cat([image.labels for image in samples])
        true = torch.cat([image.deltas for image in samples])
        boxes, losses = [image.boxes for image in samples], {}
        for stage in range(len(self.weights)):
            logits, deltas = self.predict_stage(stage, features, boxes, image_sizes)
            for name, loss in box_losses(logits, deltas, labels, true).items():
                losses[f"{name}_{stage}"] = loss
        return losses

    def detect_boxes(
        self, features: Any, proposals: Any, image_sizes: Any
    ) -> list[dict[str, Tensor]]:
        """Detect boxes with the mean of all scores and of all deltas."""
        found = [
            self.predict_stage(stage, features, proposals, image_sizes)
            for stage in range(len(self.weights))
        ]
        logits, deltas = zip(*found, strict=True)
        mean = torch.stack([one.softmax(1) for one in logits]).mean(0).log()
        moves = torch.stack(deltas).mean(0)
        return self.filter_detections(mean, moves, proposals, image_sizes, self.weights[0])


def make_model(variant: str, seed: int) -> FasterRCNN:
    """Load SHAPES and give it new box heads; the first stage of a seed is the same in all."""
    torch.manual_seed(seed)
    model, ious = trained_model(), IOUS[variant]
    heads, predictors = [], []
    for _ in ious:
        heads.append(faster_rcnn_tiny(CLASSES).roi_heads.box_head)
        predictors.append(BoxPredictor(128, CLASSES, class_agnostic=True))
    old = model.roi_heads
    weights = STAGE_WEIGHTS[:1] * 3 if variant == UNREFINED else STAGE_WEIGHTS[: len(ious)]
    kind = UnrefinedHeads if variant == UNREFINED else CascadeHeads
    settings = {"options": old.options, "ious": ious, "weights": weights}
    model.roi_heads = kind(old.box_roi_pool, heads, predictors, **settings)
    return model


def measure(variant: str, seed: int, steps: int) -> dict[str, float]:
    """Train one model and measure its boxes."""
    model = make_model(variant, seed)
    train_quietly(model, new_scenes(steps, seed), steps, seed, learning_rate=1e-3)
    return box_metrics(model, held_out())
