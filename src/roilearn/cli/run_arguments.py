"""Arguments of ``roilearn train``, checked and turned into model, settings and data sets."""

import argparse
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from roilearn.cli.datasets import choose_dataset, open_splits
from roilearn.cli.device import bfloat16_remark
from roilearn.cli.initial_model import choose_initial_model
from roilearn.models.builders import BUILDERS
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
    choose_dataset(options)
    size = {} if options.size is None else {"min_size": options.size, "max_size": 2 * options.size}
    model_options = {**size, **options.model_options}
    initial = choose_initial_model(options.weights, options.model, model_options)
    settings = choose_settings(options, initial.builder, processes)
    check_precision(settings.precision, device)
    splits = open_splits(options, settings.seed)
    names = splits.class_names
    builder_options = {**initial.options, "num_classes": len(names) + 1}
    torch.manual_seed(settings.seed)
    model: nn.Module = BUILDERS[initial.builder](**builder_options, weights=initial.weights)
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
    small = splits.size_remark(*sizes)
    slow = bfloat16_remark(settings.precision, device)
    remarks = tuple(each for each in (initial.class_mismatch(len(names)), small, slow) if each)
    model = model.to(device)
    return RunArguments(
        model, initial.builder, builder_options, settings, splits, metadata, remarks
    )


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
