"""Weights of a model: pretrained ones, state dicts, and model files that say how to build it.

Files in reading order: ``state_dict_files`` (reading tensors by name), ``pretrained`` (weights by
name, such as ``"COCO_V1"``), ``state_dict`` (loading one into a model),
``model_config`` (builder and options as JSON), ``model_files`` (``save_model``, ``load_model``).
"""

from roilearn.models.weights.pretrained import WEIGHT_NAMES, load_weights
from roilearn.models.weights.state_dict import (
    CLASS_LAYERS,
    count_classes,
    load_state_dict,
    reset_class_layers,
)

__all__ = [
    "CLASS_LAYERS",
    "WEIGHT_NAMES",
    "count_classes",
    "load_state_dict",
    "load_weights",
    "reset_class_layers",
]
