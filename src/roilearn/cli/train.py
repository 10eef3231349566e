"""The options of ``roilearn train``. ``train_command`` has what it does."""

import argparse
import json
import sys
from typing import Any

from roilearn.cli.argument_types import path, word
from roilearn.cli.datasets import add_dataset_options, check_paths
from roilearn.cli.renamed_options import add_old_name

DESCRIPTION = """Train a Mask R-CNN to detect objects: their boxes, classes and masks. Where objects
have no masks, a Faster R-CNN learns boxes and classes.

By default it is trained on drawn scenes of discs, squares and triangles; a laptop without a GPU is
enough for that. With --coco it is trained on your images. Needs the extra 'train'."""
EXAMPLES = """examples:
  roilearn train first --steps 300
      a few minutes: enough to see masks, not enough for good ones
  roilearn train mine --coco FOLDER --weights COCO_V1 --steps 2000
      fine-tune torchvision's model, which was trained on the 80 classes of COCO, on your images.
      FOLDER holds images/ and annotations.json in COCO's format; a tenth of the images is split off
      to validate on; objects with boxes and no masks train a Faster R-CNN, from its own weights
  roilearn train mine --weights SHAPES --coco FOLDER
      fine-tune the small model in the package, trained on discs, squares and triangles
  torchrun --nproc-per-node=2 -m roilearn train first
      two processes, each with half of every batch

Ctrl-C saves a checkpoint and stops; the same command resumes the run, also after a crash, and with
higher --steps it makes the run longer. FOLDER then holds model.safetensors (for roilearn predict),
best.safetensors (the model with the highest AP during the run), evaluation.txt, validation.csv,
curves.png, losses.csv, command.txt, validation_images.txt if images were split off, and
checkpoint.safetensors, from which the run is resumed. Once the run is done you may delete the
checkpoint; the same command then starts anew.

exit status: 0 success, 1 training diverged or a file failed, 2 bad arguments, 130 interrupted"""


def add_train(commands: Any) -> None:
    """Add ``train`` to the subcommands."""
    parser = commands.add_parser(
        "train",
        help="train a detector on drawn scenes or on a folder in COCO's format",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=path, metavar="FOLDER", help="run folder, for all output")
    _add_data(parser.add_argument_group("data"))
    _add_model(parser.add_argument_group("model"))
    _add_settings(parser.add_argument_group("training"))
    parser.set_defaults(run=run_train)


def _add_data(group: Any) -> None:
    options = add_dataset_options(group)
    add_old_name(group, "--validate", options["--validation-coco"])
    add_old_name(group, "--evaluate", options["--validation-scenes"])


def _add_model(group: Any) -> None:
    group.add_argument(
        "--model",
        type=word,
        metavar="NAME",
        help="tiny, resnet50 or another builder (default: the model of --weights, or tiny)",
    )
    group.add_argument(
        "--weights",
        type=word,
        metavar="FILE|SHAPES|COCO_V1",
        help="initial weights: a file; SHAPES, the small model in the package; or COCO_V1, "
        "torchvision's (default: random)",
    )
    group.add_argument(
        "--model-options",
        type=_json,
        default={},
        metavar="JSON",
        help="options of the model's builder, such as '{\"channels\": 48}' for mask_rcnn_tiny",
    )
    group.add_argument(
        "--size",
        type=int,
        metavar="N",
        help="shorter side of the images where the model sees them, in pixels (default: the "
        "model's, 128 or, of resnet50, 800)",
    )
    group.add_argument(
        "--device", type=word, help="PyTorch device: cpu, cuda, ... (default cuda if there is any)"
    )


def _add_settings(group: Any) -> None:
    def add(name: str, kind: Any, text: str) -> argparse.Action:
        return group.add_argument(name, type=kind, metavar="N" if kind is int else "X", help=text)

    group.add_argument(
        "--steps",
        type=int,
        metavar="N",
        help="number of optimizer steps (default 1000)",
    )
    add("--batch-size", int, "images per optimizer step (default 4; resnet50: 2)")
    add("--learning-rate", float, "highest learning rate (default 0.002; resnet50: 0.0001)")
    warmup = add("--warmup-fraction", float, "fraction of the steps that are warm-up (default 0.1)")
    group.add_argument(
        "--schedule",
        choices=("cosine", "steps", "constant"),
        help="learning rate after the warm-up (default cosine)",
    )
    group.add_argument("--optimizer", choices=("adamw", "sgd"), help="optimizer (default adamw)")
    add("--weight-decay", float, "weight decay (default 0.01)")
    max_grad_norm = add("--max-grad-norm", float, "maximum gradient norm (default 5)")
    ema_decay = add(
        "--ema-decay",
        float,
        "decay of the moving average (EMA) of the weights; 0: no average "
        "(default 0.999; resnet50: 0)",
    )
    group.add_argument(
        "--precision",
        choices=("float32", "bfloat16", "float16"),
        help="data type of the forward pass (default float32)",
    )
    add("--seed", int, "seed of all random numbers (default 0)")
    micro_batches = add(
        "--micro-batches",
        int,
        "gradient accumulation: split each batch into N parts (default one per process)",
    )
    add("--workers", int, "processes that load images (default 1)")
    add("--save-every", int, "steps between checkpoints (default 200)")
    add(
        "--evaluate-every", int, "steps between evaluations; 0: at the end only (default steps / 5)"
    )
    restart = group.add_argument(
        "--restart", action="store_true", help="start anew even if there is a checkpoint"
    )
    add_old_name(group, "--warm-up", warmup)
    add_old_name(group, "--clip", max_grad_norm)
    add_old_name(group, "--average", ema_decay)
    add_old_name(group, "--shares", micro_batches)
    add_old_name(group, "--again", restart)


def _json(text: str) -> dict[str, Any]:
    try:
        options = json.loads(text)
    except json.JSONDecodeError as error:
        raise argparse.ArgumentTypeError(f"must be JSON; got {text!r}: {error}") from error
    if not isinstance(options, dict):
        raise argparse.ArgumentTypeError(f"must be an object in braces; got {text!r}")
    return options


def run_train(options: argparse.Namespace) -> int:
    """Train as the options say; return the exit status."""
    try:
        check_paths(options)  # before PyTorch is imported, which takes seconds
    except (OSError, ValueError) as error:
        print(f"roilearn train: error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    try:
        from roilearn.cli import train_command  # noqa: PLC0415 - loads torch
    except ImportError as error:
        print(error)  # noqa: T201
        return 2
    return train_command.run(options)
