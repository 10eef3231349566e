"""Model config: the name of a model's builder and its options, in a form that JSON can hold."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from inspect import signature
from typing import Any

import torch
from torch import nn

from roilearn.arguments import check_choice
from roilearn.models.builders import BUILDERS
from roilearn.models.coordinates import Coordinates
from roilearn.models.rcnn.faster_rcnn import FasterRCNN
from roilearn.models.weights.state_dict import count_classes

NOT_OPTIONS = ("weights", "weights_backbone", "progress", "fold")
"""Arguments of builders that say nothing of the architecture."""
OLD_OPTION_NAMES = {
    "after": "rpn_post_nms_top_n",
    "anchors_sampled": "rpn_batch_size_per_image",
    "before": "rpn_pre_nms_top_n",
    "body": "backbone_options",
    "box_cells": "box_pooler_resolution",
    "frozen": "frozen_batch_norm",
    "mask_cells": "mask_pooler_resolution",
    "normalised": "batch_norm",
    "per_image": "detections_per_image",
    "rpn": "rpn_options",
    "sampled": "batch_size_per_image",
    "target_half_cell": "mask_target_aligned",
    "trainable_layers": "trainable_backbone_layers",
}
"""Options of builders: the names in older model files and checkpoints, and those of today."""
OLD_RPN_OPTION_NAMES = {
    "after": "post_nms_top_n",
    "before": "pre_nms_top_n",
    "high": "positive_iou",
    "iou_threshold": "nms_threshold",
    "low": "negative_iou",
    "size": "batch_size_per_image",
}
OLD_COORDINATE_NAMES = {"half_cell": "aligned", "target_half_cell": "mask_target_aligned"}


def model_config(
    model: nn.Module, builder: str, options: Mapping[str, Any], names: Sequence[str] = ()
) -> dict[str, Any]:
    """Describe how to build a model, as ``save_model`` does, and raise what it would raise.

    A program that trains for hours calls this before it begins. Options that are not given are
    written with the builder's defaults, because a later version may change those.
    """
    check_choice("builder", builder, tuple(BUILDERS))
    every = json_options({**default_options(builder), **options})
    config = {"builder": builder, "options": every, "names": list(names)}
    check_config(config, model)
    return config


def default_options(builder: str) -> dict[str, Any]:
    """Collect the options of a builder that have a default, without ``NOT_OPTIONS``."""
    parameters = signature(BUILDERS[builder].build).parameters.values()
    named = {each.name: each.default for each in parameters if each.default is not each.empty}
    return {name: value for name, value in named.items() if name not in NOT_OPTIONS}


def build_model(config: Mapping[str, Any]) -> FasterRCNN:
    """Call the builder of a config, leaving the state of PyTorch's random numbers as it was."""
    check_choice("builder", config["builder"], tuple(BUILDERS))
    options = json_options(config["options"])
    if isinstance(options.get("coordinates"), dict):
        options["coordinates"] = Coordinates(**options["coordinates"])
    builder = BUILDERS[config["builder"]]
    if "weights_backbone" in signature(builder.build).parameters:
        options["weights_backbone"] = None  # the file has the weights of the body as well
    with torch.random.fork_rng(devices=[]):
        return builder(**options)


def current_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Translate the options of an older model file or checkpoint into the names of today.

    Examples
    --------
    >>> current_options({"sampled": 32, "rpn": {"before": {"testing": 100}}})
    {'batch_size_per_image': 32, 'rpn_options': {'pre_nms_top_n': {'testing': 100}}}
    """
    current = _renamed(options, OLD_OPTION_NAMES)
    parts = {"rpn_options": OLD_RPN_OPTION_NAMES, "coordinates": OLD_COORDINATE_NAMES}
    for part, names in parts.items():
        if isinstance(current.get(part), Mapping):
            current[part] = _renamed(current[part], names)
    return current


def _renamed(options: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in options.items()}


def json_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Give options as JSON returns them: tuples become lists, ``Coordinates`` a dictionary."""
    if options.get("weights") is not None or options.get("weights_backbone") is not None:
        raise ValueError(
            "options must not hold weights or weights_backbone: the file has its own; leave them "
            "out, and pass what followed from them (num_classes, frozen_batch_norm, norm_eps)."
        )
    plain = {}
    for name, value in options.items():
        value = asdict(value) if isinstance(value, Coordinates) else value  # noqa: PLW2901
        try:
            plain[name] = json.loads(json.dumps(value, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"options must hold what JSON can; got {name}={value!r} ({error})."
            ) from error
    return plain


def check_config(config: Mapping[str, Any], model: nn.Module) -> None:
    """Raise unless a config builds the same architecture, and names all of its classes or none."""
    wanted, built = architecture_of(model), architecture_of(build_model(config))
    if wanted != built:
        first = next(each for each in {**wanted, **built} if wanted.get(each) != built.get(each))
        raise ValueError(
            f"options must make the model that is saved; {config['builder']} with "
            f"{config['options']} makes one whose {first} is {built.get(first, 'not there')}, "
            f"and it is {wanted.get(first, 'not there')}. Pass the options it was made with."
        )
    names, classes = config["names"], count_classes(model.state_dict()) - 1
    if names and len(names) != classes:
        raise ValueError(
            f"names must be one for each class but background, {classes}; got {len(names)}."
        )


def architecture_of(model: nn.Module) -> dict[str, Any]:
    """Collect the shape of each tensor of a model, and the epsilon of each normalisation."""
    shapes: dict[str, Any] = {k: tuple(v.shape) for k, v in model.state_dict().items()}
    return shapes | {f"{k}.eps": m.eps for k, m in model.named_modules() if hasattr(m, "eps")}
