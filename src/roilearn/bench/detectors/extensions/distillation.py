"""Distillation: a student with a body of half the width learns from labels, and from SHAPES."""

import torch
from torch import nn

from roilearn.bench.detectors.extensions.runs import (
    CLASSES,
    LARGE,
    SIZE,
    box_metrics,
    held_out,
    new_scenes,
    train_quietly,
    trained_model,
)
from roilearn.models import FasterRCNN, faster_rcnn_tiny
from roilearn.models.extensions.distillation import Distillation

TEACHER, LABELS, BOTH = "teacher", "labels alone", "labels and teacher"
VARIANTS = (TEACHER, LABELS, BOTH)
UNTRAINED = (TEACHER,)
STEPS = 200


def new_student(seed: int) -> FasterRCNN:
    """Build a detector whose body has half of the channels of SHAPES, and random weights.

    All other parts begin as copies, except the first layers of the pyramid, which read the body.
    """
    torch.manual_seed(seed)
    student = faster_rcnn_tiny(CLASSES, min_size=SIZE, widths=(16, 32, 64))
    own = student.state_dict()
    for name, value in trained_model().state_dict().items():
        if not name.startswith("backbone.body") and own[name].shape == value.shape:
            own[name] = value
    student.load_state_dict(own)
    return student


def measure(variant: str, seed: int, steps: int) -> dict[str, float]:
    """Train a student in one way, and measure its boxes."""
    student = trained_model() if variant == TEACHER else new_student(seed)
    trained: nn.Module = student
    if variant == BOTH:  # maps of both have 48 channels, and need no adapter
        trained = Distillation(student, trained_model(), nn.Identity())
    if steps:
        train_quietly(trained, new_scenes(steps, seed, **LARGE), steps, seed)
    size = sum(each.numel() for each in student.parameters())
    return {**box_metrics(student, held_out(**LARGE)), "parameters": size}
