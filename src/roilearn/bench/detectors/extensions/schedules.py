"""Schedules: SHAPES with a new box head; the learning rate constant, in steps or a cosine."""

from roilearn.bench.detectors.extensions.cascade import make_model
from roilearn.bench.detectors.extensions.runs import (
    box_metrics,
    held_out,
    new_scenes,
    train_quietly,
)

VARIANTS = ("constant", "steps", "cosine")
STEPS = 200
LEARNING_RATE = 4e-3
"""The highest rate of each run, twice the default: noise at the end is what schedules are for."""


def measure(variant: str, seed: int, steps: int) -> dict[str, float]:
    """Train SHAPES with a new, random box head, and measure its boxes."""
    model = make_model("one stage", seed)
    scenes = new_scenes(steps, seed)
    train_quietly(model, scenes, steps, seed, schedule=variant, learning_rate=LEARNING_RATE)
    return box_metrics(model, held_out())
