"""Schedules: the same detector and scenes, the learning rate constant, in steps or a cosine."""

import torch

from roilearn.bench.detectors.extensions.runs import (
    CLASSES,
    SMALL,
    box_metrics,
    held_out,
    new_scenes,
    train_quietly,
)
from roilearn.models import faster_rcnn_tiny

VARIANTS = ("constant", "steps", "cosine")
STEPS = 400


def measure(variant: str, seed: int, steps: int) -> dict[str, float]:
    """Train one detector from random weights, and measure its boxes."""
    torch.manual_seed(seed)
    model = faster_rcnn_tiny(CLASSES, min_size=SMALL)
    scenes = new_scenes(steps, seed, SMALL)
    train_quietly(model, scenes, steps, seed, schedule=variant)
    return box_metrics(model, held_out(size=SMALL))
