"""All that a command line asks for, checked and made before the work begins."""

import argparse
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from roilearn.cli.initial_model import choose_beginning
from roilearn.models.weights.model_config import MAKERS, describe
from roilearn.train.distributed import Processes
from roilearn.train.loop import check_precision
from roilearn.train.recipes import RECIPES
from roilearn.train.run_folder.checkpoint_header import about_data
from roilearn.train.settings import Settings
from roilearn.train.validation_split import Material, coco_material, scenes

EVALUATED = 200
"""Drawn scenes to measure on, where nobody says otherwise."""


@dataclass(frozen=True)
class Plan:
    """What to train, with what, on what.

    Attributes
    ----------
    model, maker, options : the model, on its device, and how to make it again.
    settings, material : of the run.
    about : what else decides the weights, for the checkpoint.
    remark : something that may surprise, or None.
    """

    model: nn.Module
    maker: str
    options: dict[str, Any]
    settings: Settings
    material: Material
    about: dict[str, Any]
    remark: str | None


def make_plan(options: argparse.Namespace, device: torch.device, processes: Processes) -> Plan:
    """Choose weights, settings and data, and make the model; raise where they do not fit."""
    check_data_options(options)
    beginning = choose_beginning(options.weights, options.model, options.model_options)
    settings = choose_settings(options, beginning.maker, processes)
    check_precision(settings.precision, device)
    material = choose_material(options, settings.seed)
    described = {**beginning.options, "num_classes": len(material.names) + 1}
    torch.manual_seed(settings.seed)
    model: nn.Module = MAKERS[beginning.maker](**described, weights=beginning.weights)
    written = describe(model, beginning.maker, described, material.names)
    names = {f"class {label}": name for label, name in enumerate(material.names, start=1)}
    about = {
        **about_data(material.learn),
        **names,
        **material.source,
        "weights": beginning.told,
        **written["options"],
    }
    remark = beginning.about_classes(len(material.names))
    model = model.to(device)
    return Plan(model, beginning.maker, described, settings, material, about, remark)


def check_data_options(options: argparse.Namespace) -> None:
    """Raise for an option that would say nothing beside the others."""
    if options.validate is not None and options.coco is None:
        raise ValueError(
            "--validate must come with --coco, the images to learn from; got --validate alone. "
            "To measure on drawn scenes pass --evaluate N."
        )
    if options.evaluate is not None and options.coco is not None:
        raise ValueError(
            "--evaluate must come without --coco: it counts drawn scenes. To choose the images to "
            "measure on pass --validate PATH; else a tenth of --coco is held out."
        )


def choose_settings(options: argparse.Namespace, maker: str, processes: Processes) -> Settings:
    """Take settings of the command line, else of the model's recipe, else their defaults."""
    given = {k: v for k, v in vars(options).items() if k in Settings.__dataclass_fields__}
    given = {k: v for k, v in given.items() if v is not None}
    settings = Settings(**{"workers": 1, "shares": processes.count, **RECIPES[maker], **given})
    processes.own(settings.shares)
    return settings


def choose_material(options: argparse.Namespace, seed: int) -> Material:
    """Drawn scenes, or a folder in COCO's format."""
    if options.coco is None:
        measured = EVALUATED if options.evaluate is None else options.evaluate
        return scenes(options.scenes, measured, seed)
    return coco_material(options.coco, options.validate, seed)
