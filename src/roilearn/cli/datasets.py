"""Registry of the data sets that ``roilearn train`` can train on: the one place to add another.

An entry gives a data set its two command-line options, ``--NAME`` and ``--validation-NAME``, and
names the function that makes its splits. That function is imported when it is needed, so that
``--help`` works without PyTorch.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from roilearn.cli.argument_types import path


@dataclass(frozen=True)
class DatasetEntry:
    """A data set on the command line.

    Attributes
    ----------
    value : type of the value of both options.
    metavar : what the value is called in the help.
    help, validation_help : help texts of ``--NAME`` and ``--validation-NAME``.
    splits : dotted name of a function that takes both values and the seed, the second value None
        if it is not given, and returns ``roilearn.train.validation_split.DatasetSplits``.
    default : value of ``--NAME`` if no data set is given; only the first entry needs one.
    """

    value: Callable[[str], Any]
    metavar: str
    help: str
    validation_help: str
    splits: str
    default: Any = None


DATASETS = {
    "scenes": DatasetEntry(
        int,
        "N",
        "train on N drawn scenes (default 5000)",
        "validate on N drawn scenes (default 200)",
        "roilearn.train.validation_split.scene_splits",
        default=5000,
    ),
    "coco": DatasetEntry(
        path,
        "PATH",
        "train on the images of a COCO file, or of a folder with one",
        "validate on the images of another COCO file (default: a tenth of --coco, split off at "
        "random)",
        "roilearn.train.validation_split.coco_splits",
    ),
}
"""Data sets by name. The first is the default."""


def add_dataset_options(group: Any) -> dict[str, argparse.Action]:
    """Add the options of every data set to a group of arguments; return them by name."""
    sources = group.add_mutually_exclusive_group()
    options = {}
    for name, entry in DATASETS.items():
        common: dict[str, Any] = {"type": entry.value, "metavar": entry.metavar}
        sources.add_argument(f"--{name}", help=entry.help, **common)
        validation = f"--validation-{name}"
        options[validation] = group.add_argument(validation, help=entry.validation_help, **common)
    return options


def choose_dataset(options: argparse.Namespace) -> str:
    """Name the data set that a command line asks for.

    Raises
    ------
    ValueError: the validation option of another data set.
    """
    given = vars(options)
    chosen = next((name for name in DATASETS if given[name] is not None), next(iter(DATASETS)))
    for name in DATASETS:
        if name != chosen and given[f"validation_{name}"] is not None:
            raise ValueError(
                f"--validation-{name} must come with --{name}; got it with --{chosen}, which may "
                f"be the default. For that, choose what to validate on with --validation-{chosen}."
            )
    return chosen


def open_splits(options: argparse.Namespace, seed: int) -> Any:
    """Make the training and validation splits of the data set that a command line asks for."""
    name = choose_dataset(options)
    entry, given = DATASETS[name], vars(options)
    module, _, function = entry.splits.rpartition(".")
    value = entry.default if given[name] is None else given[name]
    return getattr(import_module(module), function)(value, given[f"validation_{name}"], seed)
