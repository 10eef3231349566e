"""Distillation: a detector with a quarter of the channels learns from labels, and from SHAPES."""

from torch import nn

from roilearn.bench.detectors.extensions.runs import (
    box_metrics,
    held_out,
    new_scenes,
    small_model,
    train_quietly,
    trained_model,
)
from roilearn.models.extensions.distillation import Distillation

TEACHER, LABELS, LOGITS, MAPS = "teacher", "labels", "and logits", "and logits and maps"
VARIANTS = (TEACHER, LABELS, LOGITS, MAPS)
UNTRAINED = (TEACHER,)
STEPS = 200


def measure(variant: str, seed: int, steps: int) -> dict[str, float]:
    """Train a student in one way, and measure its boxes."""
    student = trained_model() if variant == TEACHER else small_model(seed)
    trained: nn.Module = student
    if variant in {LOGITS, MAPS}:
        adapter = nn.Conv2d(12, 48, 1) if variant == MAPS else None
        trained = Distillation(student, trained_model(), adapter)
    if steps:
        train_quietly(trained, new_scenes(steps, seed), steps, seed)
    size = sum(each.numel() for each in student.parameters())
    return {**box_metrics(student, held_out()), "parameters": size}
