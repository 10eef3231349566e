"""Pre-training without labels: the body learns rotations first, then all learn few labels."""

from typing import Any

import torch

from roilearn.bench.detectors.extensions.runs import (
    EASY,
    SIZE,
    box_metrics,
    held_out,
    small_model,
    train_quietly,
)
from roilearn.data import ShapeScenes
from roilearn.models.extensions.rotation_pretext import RotationPretext

RANDOM, PRETRAINED = "random weights", "pre-trained on rotations"
VARIANTS = (RANDOM, PRETRAINED)
STEPS = 150
LABELLED, UNLABELLED = 40, 500
"""Number of scenes whose labels are used, and of those without."""
PRETEXT_STEPS, PRETEXT_BATCH = 500, 16


def measure(variant: str, seed: int, steps: int) -> dict[str, float]:
    """Train one detector on few labels, pre-trained or not, and measure its boxes."""
    model = small_model(seed)
    found = {}
    if variant == PRETRAINED:
        pretext = RotationPretext(model)
        every = ShapeScenes(UNLABELLED, SIZE, 1000 + seed, **EASY)
        scenes = [every[k] for k in range(UNLABELLED)]  # drawn once, read often
        settings = {"batch_size": PRETEXT_BATCH, "learning_rate": 2e-3}
        train_quietly(pretext, scenes, min(PRETEXT_STEPS, 10 * steps), seed, **settings)
        found["rotations found"] = rotations_found(pretext)
    train_quietly(model, ShapeScenes(LABELLED, SIZE, seed, **EASY), steps, seed)
    return {**box_metrics(model, held_out(**EASY)), **found}


@torch.no_grad()
def rotations_found(pretext: Any) -> float:
    """Share of the held-out scenes, each turned four ways, whose rotation is predicted."""
    pretext.eval()
    scenes = held_out(**EASY)
    right = []
    for image, _ in (scenes[k] for k in range(len(scenes))):
        turns = torch.arange(4)
        right.append(pretext.predict([image] * 4, turns).argmax(1) == turns)
    pretext.train()
    return torch.cat(right).float().mean().item()
