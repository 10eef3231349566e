"""A cascade: new box heads on SHAPES, one stage or three, the three at equal or at rising IoU."""

import torch

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

IOUS = {"one stage": (0.5,), "three stages, all at 0.5": (0.5,) * 3, "three stages": STAGE_IOUS}
"""Least IoU of a positive in each stage, by variant."""
VARIANTS = tuple(IOUS)
STEPS = 60


def make_model(variant: str, seed: int) -> FasterRCNN:
    """Load SHAPES and give it new box heads; the first stage of a seed is the same in all."""
    torch.manual_seed(seed)
    model, ious = trained_model(), IOUS[variant]
    heads, predictors = [], []
    for _ in ious:
        heads.append(faster_rcnn_tiny(CLASSES).roi_heads.box_head)
        predictors.append(BoxPredictor(128, CLASSES, class_agnostic=True))
    old = model.roi_heads
    settings = {"options": old.options, "ious": ious, "weights": STAGE_WEIGHTS[: len(ious)]}
    model.roi_heads = CascadeHeads(old.box_roi_pool, heads, predictors, **settings)
    return model


def measure(variant: str, seed: int, steps: int) -> dict[str, float]:
    """Train one model and measure its boxes."""
    model = make_model(variant, seed)
    train_quietly(model, new_scenes(steps, seed), steps, seed, learning_rate=1e-3)
    return box_metrics(model, held_out())
