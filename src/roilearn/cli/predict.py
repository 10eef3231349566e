"""Arguments of ``roilearn predict``. What it does stands in ``roilearn.cli.predict_command``."""

import argparse
from pathlib import Path
from typing import Any

from roilearn.cli.argument_types import path, word

DESCRIPTION = """Detect what is in images: a line for each detection, with class, score and box
(x1, y1, x2, y2 in pixels), and a picture of each image with all of them.

Missing and broken images are named, and the others are done. Needs the extra 'train'."""
EXAMPLES = """examples:
  roilearn predict scene.png --weights SHAPES
      the small model that comes with the package: discs, squares and triangles in drawn scenes
  roilearn predict photo.jpg --weights COCO_V1
      what torchvision's Mask R-CNN knows: people, cars, cats, 80 kinds in all
  roilearn predict FOLDER --weights mine/model.safetensors --threshold 0.7
      all images of a folder, with a model that roilearn train wrote

exit status: 0 done, 1 an image was missing or broken, 2 bad arguments, 130 interrupted"""


def add_predict(commands: Any) -> None:
    """Add ``predict`` to the subcommands."""
    parser = commands.add_parser(
        "predict",
        help="detect what is in images, and draw it",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "images",
        nargs="+",
        type=path,
        metavar="IMAGE",
        help="a file, or a folder of images; of an animation the first frame",
    )
    parser.add_argument(
        "--weights",
        required=True,
        type=word,
        metavar="FILE|SHAPES|COCO_V1",
        help="a model that roilearn train wrote; SHAPES, the small one of the package; or COCO_V1, "
        "torchvision's, trained on COCO and fetched once",
    )
    parser.add_argument(
        "--output",
        type=path,
        default=Path("detections"),
        metavar="FOLDER",
        help="put the pictures there (default: detections)",
    )
    parser.add_argument(
        "--threshold",
        type=float,
        default=0.5,
        help="leave out detections with a score up to this (default: 0.5)",
    )
    parser.add_argument("--device", type=word, default="cpu", help="cpu (default), cuda, mps, ...")
    parser.set_defaults(run=_predict)


def _predict(options: argparse.Namespace) -> int:
    try:
        from roilearn.cli import predict_command  # noqa: PLC0415 - loads torch
    except ImportError as error:
        print(f"roilearn predict: {error}")  # noqa: T201
        return 2
    return predict_command.command(options)
