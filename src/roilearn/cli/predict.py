"""The options of ``roilearn predict``. ``predict_command`` has what it does."""

import argparse
from pathlib import Path
from typing import Any

from roilearn.cli.argument_types import path, word
from roilearn.cli.renamed_options import add_old_name

DESCRIPTION = """Detect objects in images. Prints a line for each detection, with class, score and
box (x1, y1, x2, y2 in pixels), and draws the detections of each image into a PNG file.

Images that are missing or broken are reported and skipped. Needs the extra 'train'."""
EXAMPLES = """examples:
  roilearn predict scene.png --weights SHAPES
      the small model that comes with the package: discs, squares and triangles in drawn scenes
  roilearn predict photo.jpg --weights COCO_V1
      torchvision's Mask R-CNN, trained on COCO: people, cars, cats, 80 classes in all
  roilearn predict FOLDER --weights mine/model.safetensors --score-threshold 0.7
      all images in a folder, with a model that roilearn train wrote
  roilearn predict FOLDER --weights mine/model.safetensors --csv found.csv --masks masks
      the same, with a table of all detections and a PNG file for each mask

exit status: 0 success, 1 an image was missing or failed, 2 bad arguments, 130 interrupted"""


def add_predict(commands: Any) -> None:
    """Add ``predict`` to the subcommands."""
    parser = commands.add_parser(
        "predict",
        help="detect objects in images, and draw the detections",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "images",
        nargs="+",
        type=path,
        metavar="IMAGE",
        help="an image file, or a folder of images; of an animation the first frame is read",
    )
    parser.add_argument(
        "--weights",
        required=True,
        type=word,
        metavar="FILE|SHAPES|COCO_V1",
        help="model file that roilearn train wrote; SHAPES, the small model in the package; or "
        "COCO_V1, torchvision's, trained on COCO and downloaded once",
    )
    parser.add_argument(
        "--output",
        type=path,
        default=Path("detections"),
        metavar="FOLDER",
        help="folder for the PNG files (default: detections)",
    )
    parser.add_argument(
        "--coco-results",
        type=path,
        metavar="FILE",
        help="write the detections, masks too, to a JSON file of COCO results; image_id is the "
        "name of the image's file (of a name such as 000007.jpg its number), category_id the label "
        "of the model, from 1. For the ids of a COCO file: roilearn evaluate --coco-results",
    )
    parser.add_argument(
        "--csv", type=path, metavar="FILE", help="write a table with a line for each detection"
    )
    parser.add_argument(
        "--masks",
        type=path,
        metavar="FOLDER",
        help="write each mask to a PNG file, 255 inside and 0 outside",
    )
    score_threshold = parser.add_argument(
        "--score-threshold",
        type=float,
        default=0.5,
        metavar="X",
        help="drop detections with a score at or below this, from drawings, lines and files alike "
        "(default: 0.5)",
    )
    add_old_name(parser, "--threshold", score_threshold)
    parser.add_argument(
        "--device", type=word, default="cpu", help="PyTorch device: cpu (default), cuda, mps, ..."
    )
    parser.set_defaults(run=run_predict)


def run_predict(options: argparse.Namespace) -> int:
    """Predict as the options say; return the exit status."""
    try:
        from roilearn.cli import predict_command  # noqa: PLC0415 - loads torch
    except ImportError as error:
        print(f"roilearn predict: {error}")  # noqa: T201
        return 2
    return predict_command.run(options)
