"""One more task for the heads of SHAPES: the mean colour of every object."""

from typing import Any

import torch
from torch import Tensor, nn

from roilearn.bench.detectors.extensions.runs import (
    box_metrics,
    features_and_boxes,
    held_out,
    new_scenes,
    train_quietly,
    trained_model,
)
from roilearn.data.derived import DerivedTargets, mean_colours
from roilearn.models.extensions.attribute_heads import AttributeHeads

WEIGHTS = {"boxes alone": None, "boxes and colours": 10.0}
"""Weight of the colours' loss, by variant: it is small, since colours go from 0 to 1."""
MEAN = "mean of the training scenes"
VARIANTS = (MEAN, *WEIGHTS)
UNTRAINED = (MEAN,)
STEPS = 60


def measure(variant: str, seed: int, steps: int) -> dict[str, float]:
    """Measure AP of boxes, and the mean absolute error of the colours in the true boxes."""
    scenes = DerivedTargets(new_scenes(max(steps, 50), seed), attributes=mean_colours)
    found = DerivedTargets(held_out(), attributes=mean_colours)
    if variant == MEAN:
        mean = torch.cat([scenes[k][1]["attributes"] for k in range(200)]).mean(0)
        true = torch.cat([found[k][1]["attributes"] for k in range(len(found))])
        return {"colour error": (true - mean).abs().mean().item()}
    model: Any = trained_model()
    weight = WEIGHTS[variant]
    if weight is not None:
        torch.manual_seed(seed)
        model.roi_heads = AttributeHeads(model.roi_heads, nn.Linear(128, 3), weight)
    train_quietly(model, scenes, steps, seed, learning_rate=1e-3)
    measured = box_metrics(model, held_out())
    if weight is None:
        return measured
    errors = [errors_in(model, *found[k]) for k in range(len(found))]
    return {**measured, "colour error": torch.cat(errors).mean().item()}


@torch.no_grad()
def errors_in(model: Any, image: Tensor, target: Any) -> Tensor:
    """Absolute errors (n, 3) of the colours of one image."""
    found = model.roi_heads.predict_attributes(*features_and_boxes(model, image, target))
    return (found - target["attributes"]).abs()
