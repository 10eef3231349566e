"""A keypoint head on SHAPES: the four extreme points of each object, in its true box."""

from typing import Any

import torch
from torch import Tensor

from roilearn.bench.detectors.extensions.runs import (
    features_and_boxes,
    held_out,
    new_scenes,
    train_quietly,
    trained_model,
)
from roilearn.data.derived import DerivedTargets, extreme_points
from roilearn.models import (
    FasterRCNN,
    KeypointHead,
    KeypointHeads,
    KeypointPredictor,
    RoIPooler,
    heatmaps_to_keypoints,
)

MIDDLES, BEFORE, AFTER = "middles of the box's sides", "before training", "after training"
VARIANTS = (MIDDLES, BEFORE, AFTER)
UNTRAINED = (MIDDLES, BEFORE)
STEPS = 60


def make_model(seed: int) -> FasterRCNN:
    """Load SHAPES and put a small keypoint head beside its box head."""
    torch.manual_seed(seed)
    model = trained_model()
    pool = RoIPooler(14, levels=3, canonical_scale=112)
    parts = (pool, KeypointHead(48, (32, 32)), KeypointPredictor(32, 4))
    model.roi_heads = KeypointHeads(model.roi_heads, *parts)
    return model


def measure(variant: str, seed: int, steps: int) -> dict[str, float]:
    """Measure the mean distance, in image pixels, of predicted points from the true ones."""
    model: Any = make_model(seed)
    if variant == AFTER:
        scenes = DerivedTargets(new_scenes(steps, seed), keypoints=extreme_points)
        train_quietly(model, scenes, steps, seed, learning_rate=1e-3)
    model.eval()
    found = DerivedTargets(held_out(), keypoints=extreme_points)
    errors = [errors_in(model, variant, *found[k]) for k in range(len(found))]
    return {"error in pixels": torch.cat(errors).mean().item()}


@torch.no_grad()
def errors_in(model: Any, variant: str, image: Tensor, target: Any) -> Tensor:
    """Distances (n, 4) of the points of one image."""
    maps, boxes, sizes = features_and_boxes(model, image, target)
    if variant == MIDDLES:
        x1, y1, x2, y2 = boxes[0].unbind(1)
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        points = torch.stack([x, y1, x2, y, x, y2, x1, y], 1).unflatten(1, (4, 2))
    else:
        points, _ = heatmaps_to_keypoints(model.roi_heads.heatmaps(maps, boxes, sizes), boxes[0])
    return (points[..., :2] - target["keypoints"][..., :2]).norm(dim=2)
