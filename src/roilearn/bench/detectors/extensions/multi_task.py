"""One more task for the heads of SHAPES: the mean colour of every object, or how it fills its box.

The new layer is fitted alone, by least squares on the features as they are, or all of the detector
is trained with it. The features were trained for classes, boxes and masks, which do not depend on
colours.
"""

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
from roilearn.data.derived import DerivedTargets, box_fill, mean_colours
from roilearn.models.extensions.attribute_heads import AttributeHeads

MEAN, LAYER, ALONE = "mean of training", "new layer alone", "boxes alone"
COLOURS, FILL = "boxes, colours", "boxes, fill"
VARIANTS = (MEAN, LAYER, ALONE, COLOURS, FILL)
UNTRAINED = (MEAN, LAYER)
TASKS = {COLOURS: ("colour error", mean_colours, 3), FILL: ("fill error", box_fill, 1)}
"""Of a variant: its metric, what makes the true numbers, and how many there are."""
STEPS = 60
WEIGHT = 10.0
"""Of the new loss, which is small: the numbers go from 0 to 1."""


def measure(variant: str, seed: int, steps: int) -> dict[str, float]:
    """Measure AP of boxes, and the mean absolute error of the new numbers in the true boxes."""
    if variant == MEAN:
        return {metric: error_of_mean(make, seed) for metric, make, _ in TASKS.values()}
    model: Any = trained_model()
    if variant == LAYER:
        fitted = {metric: error_of_layer(make, seed) for metric, make, _ in TASKS.values()}
        return {"AP": box_metrics(model, held_out())["AP"], **fitted}
    scenes: Any = new_scenes(steps, seed)
    if variant in TASKS:
        torch.manual_seed(seed)
        metric, make, count = TASKS[variant]
        model.roi_heads = AttributeHeads(model.roi_heads, nn.Linear(128, count), WEIGHT)
        scenes = DerivedTargets(scenes, attributes=make)
    train_quietly(model, scenes, steps, seed, learning_rate=1e-3)
    measured = box_metrics(model, held_out())
    if variant in TASKS:
        found = DerivedTargets(held_out(), attributes=make)
        errors = [errors_in(model, *found[k]) for k in range(len(found))]
        measured[metric] = torch.cat(errors).mean().item()
    return measured


def error_of_mean(make: Any, seed: int) -> float:
    """Mean absolute error of somebody who knows the mean over 200 training scenes alone."""
    scenes = DerivedTargets(new_scenes(50, seed), attributes=make)
    found = DerivedTargets(held_out(), attributes=make)
    mean = torch.cat([scenes[k][1]["attributes"] for k in range(200)]).mean(0)
    true = torch.cat([found[k][1]["attributes"] for k in range(len(found))])
    return (true - mean).abs().mean().item()


def error_of_layer(make: Any, seed: int) -> float:
    """Mean absolute error of a linear layer, fitted to the features of 200 training scenes."""
    scenes = DerivedTargets(new_scenes(50, seed), attributes=make)
    features, true = features_and_numbers(scenes)  # [n, R + 1], [n, A]
    normal = features.T @ features + torch.eye(features.shape[1])  # a little ridge
    weights = torch.linalg.solve(normal, features.T @ true)
    features, true = features_and_numbers(DerivedTargets(held_out(), attributes=make))
    return (features @ weights - true).abs().mean().item()


@torch.no_grad()
def features_and_numbers(scenes: Any) -> tuple[Tensor, Tensor]:
    """Box head's features, and a 1 for the bias, of all true boxes; and their true numbers."""
    model: Any = trained_model().eval()
    heads, features, true = model.roi_heads, [], []
    for image, target in (scenes[k] for k in range(len(scenes))):
        pooled = heads.box_roi_pool(*features_and_boxes(model, image, target))
        features.append(heads.box_head(pooled))
        true.append(target["attributes"])
    rows = torch.cat(features)
    return torch.cat([rows, torch.ones(len(rows), 1)], 1), torch.cat(true)


@torch.no_grad()
def errors_in(model: Any, image: Tensor, target: Any) -> Tensor:
    """Absolute errors (n, A) of the numbers of one image."""
    found = model.roi_heads.predict_attributes(*features_and_boxes(model, image, target))
    return (found - target["attributes"]).abs()
