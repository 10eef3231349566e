"""The options of ``roilearn export``. ``export_command`` has what it does."""

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from roilearn.cli.argument_types import path, word

DESCRIPTION = """Write a model to one ONNX file, which runs without PyTorch: an image of any size
goes in, and detections come out.

The file takes an image as float32 (3, height, width), red, green and blue from 0 to 1, and gives
boxes (x1, y1, x2, y2 in pixels), labels from 1, scores and, if the model has them, masks. Its
metadata hold the class names and say all this again. The file is run once in onnxruntime and its
detections are compared with the model's. Needs the extras 'train' and 'onnx'."""
EXAMPLES = """examples:
  roilearn export mine/best.safetensors --output mine/model.onnx
      a model that roilearn train wrote
  roilearn export mine/best.safetensors --output mine/model.onnx --images photo.jpg
      the same, compared with the model on this photograph too
  roilearn export COCO_V1 --output coco.onnx --size 480
      torchvision's Mask R-CNN, which sees images at 480 pixels instead of 800: faster

exit status: 0 success, 1 the file does not give the model's detections, 2 bad arguments"""
NOT_INSTALLED = "needs onnx, which is not installed. Install it with: pip install 'roilearn[onnx]'"


def add_export(commands: Any) -> None:
    """Add ``export`` to the subcommands."""
    parser = commands.add_parser(
        "export",
        help="write a model to an ONNX file, which runs without PyTorch",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "weights",
        type=word,
        metavar="WEIGHTS",
        help="model file that roilearn train wrote; SHAPES, the small model in the package; or "
        "COCO_V1, torchvision's, trained on COCO and downloaded once",
    )
    parser.add_argument(
        "--output",
        type=path,
        default=Path("model.onnx"),
        metavar="FILE",
        help="the file to write (default: model.onnx)",
    )
    parser.add_argument(
        "--score-threshold",
        type=float,
        default=0.5,
        metavar="X",
        help="the file drops detections with a score at or below this (default: 0.5)",
    )
    parser.add_argument(
        "--size",
        type=int,
        metavar="N",
        help="shorter side of the images where the model sees them, in pixels (default: the "
        "model's); smaller is faster and finds fewer small objects",
    )
    parser.add_argument(
        "--opset-version",
        type=int,
        default=18,
        metavar="N",
        help="opset of ONNX, 16 to 21, for an engine that needs another one (default: 18)",
    )
    parser.add_argument(
        "--images",
        nargs="+",
        type=path,
        default=[],
        metavar="IMAGE",
        help="image files on which file and model are compared (default: noise, in which there may "
        "be no objects)",
    )
    parser.set_defaults(run=run_export)


def run_export(options: argparse.Namespace) -> int:
    """Export as the options say; return the exit status."""
    try:
        check_paths(options)  # before PyTorch is imported, which takes seconds
        from roilearn.cli import export_command  # noqa: PLC0415 - loads torch
    except (ImportError, OSError) as error:
        print(f"roilearn export: error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return export_command.run(options)


def check_paths(options: argparse.Namespace) -> None:
    """Raise if ``onnx`` or an image is not there, or the output cannot be a file."""
    if find_spec("onnx") is None:
        raise ImportError(NOT_INSTALLED)
    if options.output.is_dir():
        raise IsADirectoryError(
            f"--output must be a file; {options.output} is a folder. Name a file in it, such as "
            f"{options.output / 'model.onnx'}."
        )
    for image in options.images:
        if image.is_dir():
            raise IsADirectoryError(
                f"--images must be image files; {image} is a folder. Name files in it."
            )
        if not image.is_file():
            raise FileNotFoundError(f"--images must be image files; there is none at {image}.")
