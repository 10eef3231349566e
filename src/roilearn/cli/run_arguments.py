"""Arguments of ``roilearn train``, checked and turned into model, settings and data sets."""

import argparse
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from roilearn.cli.datasets import DATASETS, choose_dataset, has_masks, open_splits
from roilearn.cli.device import bfloat16_remark
from roilearn.cli.initial_model import builds_masks, choose_initial_model
from roilearn.models.builders import BUILDERS
from roilearn.models.rcnn.faster_rcnn import parameter_names
from roilearn.models.weights.model_config import model_config
from roilearn.train.distributed import ProcessGroup
from roilearn.train.loop import check_precision
from roilearn.train.run_folder.checkpoint_header import dataset_metadata
from roilearn.train.settings import Settings
from roilearn.train.validation_split import DatasetSplits

EVALUATIONS = 5
"""Number of evaluations of a run, the last one at its end, if nothing else is said."""


@dataclass(frozen=True)
class RunArguments:
    """What ``roilearn train`` has to know before the first step.

    Attributes
    ----------
    model, builder, options : the model on its device, and how to build it again.
    settings, splits : settings and data sets of the run.
    metadata : what else decides the trained weights, for the checkpoint.
    remarks : what may surprise the user.
    """

    model: nn.Module
    builder: str
    options: dict[str, Any]
    settings: Settings
    splits: DatasetSplits
    metadata: dict[str, Any]
    remarks: tuple[str, ...]


def prepare_run(
    options: argparse.Namespace, device: torch.device, processes: ProcessGroup
) -> RunArguments:
    """Choose initial weights, settings and data, and build the model; raise if they do not fit."""
    dataset = choose_dataset(options)
    size = {} if options.size is None else {"min_size": options.size, "max_size": 2 * options.size}
    model_options = {**size, **options.model_options}
    masks = has_masks(options)
    initial = choose_initial_model(options.weights, options.model, model_options, masks)
    boxes = boxes_remark(options, initial.builder, masks)
    if boxes is not None and "no_masks" in DATASETS[dataset].more:
        options.no_masks = True
    settings = choose_settings(options, initial.builder, processes)
    check_precision(settings.precision, device)
    splits = open_splits(options, settings.seed)
    names = splits.class_names
    builder_options = {**initial.options, "num_classes": len(names) + 1}
    torch.manual_seed(settings.seed)
    # Without --weights, training begins with random numbers, also where a builder would download.
    model: nn.Module = BUILDERS[initial.builder](
        **builder_options, weights=initial.weights, **no_download(initial.builder)
    )
    config = model_config(model, initial.builder, builder_options, names)
    transform: Any = model.transform
    sizes = max(transform.min_size), transform.max_size
    metadata = {
        **splits.shrink_images(*sizes),
        **dataset_metadata(splits.train),
        **{f"class {label}": name for label, name in enumerate(names, start=1)},
        **splits.source,
        "weights": initial.source,
        **config["options"],
    }
    mismatch = initial.class_mismatch(len(names))
    few, small = splits.few_remark(), splits.size_remark(*sizes)
    slow = bfloat16_remark(settings.precision, device)
    remarks = tuple(each for each in (boxes, mismatch, few, small, slow) if each)
    model = model.to(device)
    return RunArguments(
        model, initial.builder, builder_options, settings, splits, metadata, remarks
    )


def no_download(builder: str) -> dict[str, None]:
    """Option that keeps a builder from downloading weights of the body, if it has that option."""
    known = parameter_names(BUILDERS[builder].build)
    return {"weights_backbone": None} if "weights_backbone" in known else {}


def boxes_remark(options: argparse.Namespace, builder: str, masks: bool) -> str | None:
    """Say that boxes alone are trained, and why; None if masks are as well."""
    if masks and builds_masks(BUILDERS[builder]):
        return None
    why = "since the annotations have no masks"
    if options.no_masks or masks:
        why = "as --no-masks says" if options.no_masks else "as the model of --weights does"
    return f"boxes alone are trained, {why}: a Faster R-CNN ({builder}), which predicts no masks"


def choose_settings(options: argparse.Namespace, builder: str, processes: ProcessGroup) -> Settings:
    """Take settings from the command line, or else from the builder's entry, or else by default."""
    given = {k: v for k, v in vars(options).items() if k in Settings.__dataclass_fields__}
    given = {k: v for k, v in given.items() if v is not None}
    default = {"workers": 1, "micro_batches": processes.world_size}
    chosen = {**default, **BUILDERS[builder].training_settings, **given}
    steps = max(chosen.get("steps", Settings.steps), 0)
    settings = Settings(**{"evaluate_every": steps // EVALUATIONS, **chosen})
    processes.micro_batches_of_rank(settings.micro_batches)
    return settings
