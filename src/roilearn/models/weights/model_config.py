"""How to build a model: the name of its maker and the options, as JSON can hold them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from inspect import signature
from typing import Any

import torch
from torch import nn

from roilearn.arguments import check_choice
from roilearn.models.builders import mask_rcnn_resnet50_fpn, mask_rcnn_tiny
from roilearn.models.coordinates import Coordinates
from roilearn.models.weights.pretrained import classes_of

MAKERS = {
    "mask_rcnn_resnet50_fpn": mask_rcnn_resnet50_fpn,
    "mask_rcnn_tiny": mask_rcnn_tiny,
}
"""Functions that a file may ask for, by name; a file can call no other."""


def describe(
    model: nn.Module, maker: str, options: Mapping[str, Any], names: Sequence[str] = ()
) -> dict[str, Any]:
    """Say how to build a model, as ``save_model`` does, and raise what it would raise.

    Whoever trains for hours asks before, and not after. Options that were not given are written
    with the maker's defaults, which a later version may change.
    """
    check_choice("maker", maker, tuple(MAKERS))
    every = as_json({**defaults_of(maker), **options})
    described = {"maker": maker, "options": every, "names": list(names)}
    check_description(described, model)
    return described


def defaults_of(maker: str) -> dict[str, Any]:
    """Options of a maker that have a default; weights and what is done to them are not options."""
    parameters = signature(MAKERS[maker]).parameters.values()
    named = {each.name: each.default for each in parameters if each.default is not each.empty}
    return {name: value for name, value in named.items() if name not in ("weights", "fold")}


def make(described: Mapping[str, Any]) -> nn.Module:
    """Call the maker of a description, leaving PyTorch's random numbers as they were."""
    check_choice("maker", described["maker"], tuple(MAKERS))
    options = as_json(described["options"])
    if isinstance(options.get("coordinates"), dict):
        options["coordinates"] = Coordinates(**options["coordinates"])
    with torch.random.fork_rng(devices=[]):
        return MAKERS[described["maker"]](**options)


def as_json(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as JSON gives them back: tuples become lists, ``Coordinates`` a dictionary."""
    if options.get("weights") is not None:
        raise ValueError(
            "options must not hold weights: the file has its own; leave them out, and say what "
            "followed from them (num_classes, frozen, norm_eps)."
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


def check_description(described: Mapping[str, Any], model: nn.Module) -> None:
    """Raise unless a description makes the same model again, and names its classes or none."""
    wanted, made = traits(model), traits(make(described))
    if wanted != made:
        first = next(each for each in {**wanted, **made} if wanted.get(each) != made.get(each))
        raise ValueError(
            f"options must make the model that is saved; {described['maker']} with "
            f"{described['options']} makes one whose {first} is {made.get(first, 'not there')}, "
            f"and it is {wanted.get(first, 'not there')}. Pass the options it was made with."
        )
    names, classes = described["names"], classes_of(model.state_dict()) - 1
    if names and len(names) != classes:
        raise ValueError(
            f"names must be one for each class but background, {classes}; got {len(names)}."
        )


def traits(model: nn.Module) -> dict[str, Any]:
    """Shape of each tensor of a model, and what its normalisations add to variances."""
    shapes: dict[str, Any] = {k: tuple(v.shape) for k, v in model.state_dict().items()}
    return shapes | {f"{k}.eps": m.eps for k, m in model.named_modules() if hasattr(m, "eps")}
