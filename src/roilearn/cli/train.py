"""Arguments of ``roilearn train``. What it does stands in ``roilearn.cli.train_command``."""

import argparse
import json
from typing import Any

from roilearn.cli.argument_types import path, word

DESCRIPTION = """Train a Mask R-CNN: boxes, classes and masks of the objects in an image.

Without further options it learns to find discs, squares and triangles in drawn scenes, on a laptop
without a GPU. With --coco it learns from your images. Needs the extra 'train'."""
EXAMPLES = """examples:
  roilearn train first --steps 300
      a few minutes: enough to see masks, not enough to be good
  roilearn train mine --coco FOLDER --weights COCO_V1 --steps 2000
      teach torchvision's model, which knows 80 kinds of objects, yours. FOLDER holds images/ and
      annotations.json, in COCO's format; a tenth of the images is held out to measure
  roilearn train mine --weights SHAPES --coco FOLDER
      begin with the package's small model, which knows discs, squares and triangles
  torchrun --nproc-per-node=2 -m roilearn train first
      two processes, each with half of every batch

Ctrl-C saves and stops; the same command goes on, also after a crash. In the folder you find
model.safetensors (for roilearn predict), evaluation.txt, curves.png, losses.csv, command.txt, if
images were held out held_out.txt, and checkpoint.safetensors, which says how far the run is. Once
the run is over you may delete that one; the same command then begins anew.

exit status: 0 done, 1 training diverged or a file failed, 2 bad arguments, 130 interrupted"""


def add_train(commands: Any) -> None:
    """Add ``train`` to the subcommands."""
    parser = commands.add_parser(
        "train",
        help="train a Mask R-CNN on drawn scenes or on a folder in COCO's format",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=path, metavar="FOLDER", help="where everything is written")
    _add_data(parser.add_argument_group("data"))
    _add_model(parser.add_argument_group("model"))
    _add_settings(parser.add_argument_group("training"))
    parser.set_defaults(run=_train)


def _add_data(group: Any) -> None:
    source = group.add_mutually_exclusive_group()
    source.add_argument(
        "--scenes", type=int, default=5000, metavar="N", help="drawn scenes (default %(default)s)"
    )
    source.add_argument(
        "--coco", type=path, metavar="PATH", help="annotations in COCO's format, or their folder"
    )
    group.add_argument(
        "--validate",
        type=path,
        metavar="PATH",
        help="the same, of images to measure on (default a tenth of --coco)",
    )
    group.add_argument(
        "--evaluate",
        type=int,
        metavar="N",
        help="drawn scenes to measure on, without --coco (default 200)",
    )


def _add_model(group: Any) -> None:
    group.add_argument(
        "--model", choices=("tiny", "resnet50"), help="tiny unless --weights say otherwise"
    )
    group.add_argument(
        "--weights",
        type=word,
        metavar="FILE|SHAPES|COCO_V1",
        help="what to begin with: a file; SHAPES, the small model of the package; COCO_V1, "
        "torchvision's (default random numbers)",
    )
    group.add_argument(
        "--model-options",
        type=_json,
        default={},
        metavar="JSON",
        help="options of mask_rcnn_tiny or mask_rcnn_resnet50_fpn, as '{\"channels\": 48}'",
    )
    group.add_argument("--device", type=word, help="cpu, cuda, ... (default cuda if there is one)")


def _add_settings(group: Any) -> None:
    def add(name: str, kind: Any, text: str) -> None:
        group.add_argument(name, type=kind, metavar="N" if kind is int else "X", help=text)

    group.add_argument(
        "--steps", type=int, default=1000, metavar="N", help="changes (default %(default)s)"
    )
    add("--batch-size", int, "images a step (default 4; resnet50: 2)")
    add("--learning-rate", float, "the highest (default 0.002; resnet50: 0.0001)")
    add("--warm-up", float, "share of the steps in which it rises (default 0.1)")
    group.add_argument(
        "--schedule", choices=("cosine", "steps", "constant"), help="how it falls (default cosine)"
    )
    group.add_argument("--optimizer", choices=("adamw", "sgd"), help="(default adamw)")
    add("--weight-decay", float, "pull of weights to 0 (default 0.01)")
    add("--clip", float, "longest gradient (default 5)")
    add("--average", float, "share of the old in the moving average (default 0.999; resnet50: 0)")
    group.add_argument(
        "--precision", choices=("float32", "bfloat16", "float16"), help="(default float32)"
    )
    add("--seed", int, "of all that is random (default 0)")
    add("--shares", int, "parts of a batch, one after the other (default one a process)")
    add("--workers", int, "processes that load images (default 1)")
    add("--save-every", int, "steps between checkpoints (default 200)")
    group.add_argument(
        "--again", action="store_true", help="begin anew, though there is a checkpoint"
    )


def _json(text: str) -> dict[str, Any]:
    try:
        options = json.loads(text)
    except json.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(f"must be JSON; got {text!r}: {error}") from error
    if not isinstance(options, dict):
        raise argparse.ArgumentTypeError(f"must be an object in braces; got {text!r}")
    return options


def _train(options: argparse.Namespace) -> int:
    try:
        from roilearn.cli import train_command  # noqa: PLC0415 - loads torch
    except ImportError as error:
        print(error)  # noqa: T201
        return 2
    return train_command.run(options)
