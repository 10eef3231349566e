"""Settings that suit each model, where they differ from those of ``Settings``."""

from typing import Any

RECIPES: dict[str, dict[str, Any]] = {
    "mask_rcnn_tiny": {"batch_size": 4, "learning_rate": 2e-3, "average": 0.999},
    "mask_rcnn_resnet50_fpn": {"batch_size": 2, "learning_rate": 1e-4, "average": 0.0},
}
"""By the name of the model's maker: from random weights for the small one, fine-tuning for the
large one."""
FINE_TUNING = {"frozen": True, "trainable_layers": 3}
"""Options of a ResNet-50 that begins with trained weights, where nobody says otherwise."""
