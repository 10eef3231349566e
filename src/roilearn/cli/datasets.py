"""Registry of the data sets that ``roilearn train`` can train on: the one place to add another.

An entry gives a data set its two command-line options, ``--NAME`` and ``--validation-NAME``, and
names the function that makes its splits. That function is imported when it is needed, so that
``--help`` works without PyTorch.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
    aliases : other names of ``--NAME``.
    more : further options: their names, and the arguments of ``argparse`` for each. The function
        takes those that are given by name; one whose type is ``path`` must be a folder.
    masks : dotted name of a function that says whether a value of ``--NAME`` has masks; None: it
        always has.
    check : dotted name of a function that raises unless a value of either option is there. It
        imports no PyTorch, so that a wrong path is refused at once.
    """

    value: Callable[[str], Any]
    metavar: str
    help: str
    validation_help: str
    splits: str
    default: Any = None
    aliases: tuple[str, ...] = ()
    more: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    masks: str | None = None
    check: str | None = None


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
        "train on the images of a COCO file, or of the folder that a labelling tool has exported",
        "validate on the images of another COCO file (default: those of the export that are for "
        "it, or a tenth of --coco, split off at random)",
        "roilearn.train.validation_split.coco_splits",
        aliases=("--annotations",),
        more={
            "images": {
                "type": path,
                "metavar": "FOLDER",
                "help": "folder of the images of --coco (default: found near the file)",
            },
            "validation_images": {
                "type": path,
                "metavar": "FOLDER",
                "help": "folder of the images of --validation-coco",
            },
            "boxes": {
                "choices": ("xywh", "xyxy", "cxcywh", "masks"),
                "help": "what the numbers of a box are: corner, width and height (COCO's, and the "
                "default); two corners; centre, width and height; or take boxes from the masks",
            },
            "no_masks": {
                "action": "store_const",
                "const": True,
                "help": "train boxes alone, even if the annotations have masks (default: as they "
                "have)",
            },
            "max_faults": {
                "type": float,
                "metavar": "X",
                "help": "share of the images, or of the annotations, that may have a fault of one "
                "kind (default 0.2)",
            },
        },
        masks="roilearn.data.coco.contents.has_segmentations",
        check="roilearn.data.folder_layouts.find_annotations",
    ),
}
"""Data sets by name. The first is the default."""


def add_dataset_options(group: Any) -> dict[str, argparse.Action]:
    """Add the options of every data set to a group of arguments; return them by name."""
    sources = group.add_mutually_exclusive_group()
    options = {}
    for name, entry in DATASETS.items():
        common: dict[str, Any] = {"type": entry.value, "metavar": entry.metavar}
        sources.add_argument(f"--{name}", *entry.aliases, help=entry.help, **common)
        validation = f"--validation-{name}"
        options[validation] = group.add_argument(validation, help=entry.validation_help, **common)
        for further, arguments in entry.more.items():
            group.add_argument(as_option(further), **arguments)
    return options


def choose_dataset(options: argparse.Namespace) -> str:
    """Name the data set that a command line asks for.

    Raises
    ------
    ValueError: the validation option of another data set.
    """
    given = vars(options)
    chosen = next((name for name in DATASETS if given[name] is not None), next(iter(DATASETS)))
    for name, entry in DATASETS.items():
        if name != chosen and given[f"validation_{name}"] is not None:
            raise ValueError(
                f"--validation-{name} must come with --{name}; got it with --{chosen}, which may "
                f"be the default. For that, choose what to validate on with --validation-{chosen}."
            )
        for further in entry.more:
            if name != chosen and given[further] is not None:
                option = as_option(further)
                raise ValueError(f"{option} must come with --{name}; got it with --{chosen}.")
    return chosen


def check_paths(options: argparse.Namespace) -> None:
    """Raise unless the files and folders of the chosen data set are there; imports no PyTorch.

    Raises
    ------
    FileNotFoundError, ValueError: one that is not there, or an option of another data set.
    """
    name, given = choose_dataset(options), vars(options)
    entry = DATASETS[name]
    for value in (given[name], given[f"validation_{name}"]):
        if entry.check and value is not None:
            imported(entry.check)(value)
    for further, arguments in entry.more.items():
        value = given[further]
        if arguments.get("type") is path and value is not None and not value.is_dir():
            raise FileNotFoundError(
                f"{as_option(further)} must be a folder; there is none at {value}."
            )


def has_masks(options: argparse.Namespace) -> bool:
    """Whether the data that a command line asks for have masks, and they are to be learned."""
    name, given = choose_dataset(options), vars(options)
    function = DATASETS[name].masks
    return function is None or (not given["no_masks"] and imported(function)(given[name]))


def open_splits(options: argparse.Namespace, seed: int) -> Any:
    """Make the training and validation splits of the data set that a command line asks for."""
    name = choose_dataset(options)
    entry, given = DATASETS[name], vars(options)
    value = entry.default if given[name] is None else given[name]
    more = {each: given[each] for each in entry.more if given[each] is not None}
    return imported(entry.splits)(value, given[f"validation_{name}"], seed, **more)


def as_option(name: str) -> str:
    """Name of an option on the command line."""
    return f"--{name.replace('_', '-')}"


def imported(dotted: str) -> Callable[..., Any]:
    """Import a function by its dotted name."""
    module, _, function = dotted.rpartition(".")
    return getattr(import_module(module), function)
