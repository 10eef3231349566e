"""Distillation: a detector with half of the channels learns from labels, and from SHAPES."""

from typing import Any

from torch import nn

from roilearn.bench.detectors.extensions.runs import (
    HALF,
    LARGE,
    box_metrics,
    held_out,
    new_scenes,
    small_model,
    train_quietly,
    trained_model,
)
from roilearn.models.extensions.distillation import Distillation

TEACHER, LABELS, BOTH = "teacher", "labels alone", "labels and teacher"
VARIANTS = (TEACHER, LABELS, BOTH)
UNTRAINED = (TEACHER,)
STEPS = 250
SETTINGS: dict[str, Any] = {"batch_size": 8, "learning_rate": 4e-3}


def measure(variant: str, seed: int, steps: int) -> dict[str, float]:
    """Train a student in one way, and measure its boxes."""
    student = trained_model() if variant == TEACHER else small_model(seed, HALF)
    trained: nn.Module = student
    if variant == BOTH:
        trained = Distillation(student, trained_model(), nn.Conv2d(24, 48, 1))
    if steps:
        scenes = new_scenes(steps, seed, SETTINGS["batch_size"], **LARGE)
        train_quietly(trained, scenes, steps, seed, **SETTINGS)
    size = sum(each.numel() for each in student.parameters())
    return {**box_metrics(student, held_out(**LARGE)), "parameters": size}
