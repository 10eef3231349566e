"""Distillation: a detector with a quarter of the channels learns from labels, and from SHAPES."""

from torch import nn

from roilearn.bench.detectors.extensions.runs import (
    EASY,
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


def measure(variant: str, seed: int, steps: int) -> dict[str, float]:
    """Train a student in one way, and measure its boxes."""
    student = trained_model() if variant == TEACHER else small_model(seed)
    trained: nn.Module = student
    if variant == BOTH:
        trained = Distillation(student, trained_model(), nn.Conv2d(12, 48, 1))
    if steps:
        train_quietly(trained, new_scenes(steps, seed, **EASY), steps, seed)
    size = sum(each.numel() for each in student.parameters())
    return {**box_metrics(student, held_out(**EASY)), "parameters": size}
