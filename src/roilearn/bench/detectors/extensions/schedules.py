"""Schedules: the same detector and scenes, the learning rate constant, in steps or a cosine."""

from roilearn.bench.detectors.extensions.runs import (
    EASY,
    box_metrics,
    held_out,
    new_scenes,
    small_model,
    train_quietly,
)

VARIANTS = ("constant", "steps", "cosine")
STEPS = 200


def measure(variant: str, seed: int, steps: int) -> dict[str, float]:
    """Train one detector from random weights, and measure its boxes."""
    model = small_model(seed)
    train_quietly(model, new_scenes(steps, seed, **EASY), steps, seed, schedule=variant)
    return box_metrics(model, held_out(**EASY))
