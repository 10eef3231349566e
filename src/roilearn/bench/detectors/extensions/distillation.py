"""Distillation: a detector with a quarter of the channels learns from labels, and from SHAPES."""

import torch
from torch import nn

from roilearn.bench.detectors.extensions.runs import (
    CLASSES,
    box_metrics,
    held_out,
    new_scenes,
    train_quietly,
    trained_model,
)
from roilearn.models import FasterRCNN, faster_rcnn_tiny
from roilearn.models.extensions.distillation import Distillation

TEACHER, LABELS, LOGITS, MAPS = "teacher", "labels", "and logits", "and logits and maps"
VARIANTS = (TEACHER, LABELS, LOGITS, MAPS)
UNTRAINED = (TEACHER,)
STEPS = 300
QUARTER = {
    "widths": (8, 16, 32),
    "channels": 12,
    "box_layers": (12,),
    "representation_size": 32,
}


def make_student(seed: int) -> FasterRCNN:
    """Build a detector with a quarter of the channels of SHAPES, and random weights."""
    torch.manual_seed(seed)
    return faster_rcnn_tiny(CLASSES, **QUARTER)


def measure(variant: str, seed: int, steps: int) -> dict[str, float]:
    """Train a student in one way, and measure its boxes."""
    student = trained_model() if variant == TEACHER else make_student(seed)
    trained: nn.Module = student
    if variant in {LOGITS, MAPS}:
        adapter = nn.Conv2d(12, 48, 1) if variant == MAPS else None
        trained = Distillation(student, trained_model(), adapter)
    if steps:
        train_quietly(trained, new_scenes(steps, seed), steps, seed)
    size = sum(each.numel() for each in student.parameters())
    return {**box_metrics(student, held_out()), "parameters": size}
