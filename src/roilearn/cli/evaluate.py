"""The options of ``roilearn evaluate``. ``evaluate_command`` has what it does."""

import argparse
import sys
from typing import Any

from roilearn.cli.argument_types import path, word
from roilearn.cli.datasets import check_paths

DESCRIPTION = """Measure a model on images with annotations in COCO's format: COCO's average
precision of boxes and, if both have them, of masks, for all classes and for each. Needs the extra
'train'."""
EXAMPLES = """examples:
  roilearn evaluate --coco FOLDER --weights mine/model.safetensors
      of an export with images to validate on, these; else all of its images, with those that
      the model was trained on
  roilearn evaluate --coco FOLDER --weights mine/model.safetensors --held-out mine
      only the images that the run in mine held out
  roilearn evaluate --coco annotations/instances_val2017.json --weights COCO_V1
      torchvision's Mask R-CNN
  roilearn evaluate --coco FOLDER --weights mine/model.safetensors --coco-results found.json
      and the detections for pycocotools, with the ids of the COCO file

Classes are matched by name. exit status: 0 success, 1 a file failed, 2 bad arguments, 130
interrupted"""


def add_evaluate(commands: Any) -> None:
    """Add ``evaluate`` to the subcommands."""
    parser = commands.add_parser(
        "evaluate",
        help="measure a model on images with annotations in COCO's format",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--coco",
        "--annotations",
        required=True,
        type=path,
        metavar="PATH",
        help="COCO file, or the folder that a labelling tool has exported",
    )
    parser.add_argument(
        "--weights",
        required=True,
        type=word,
        metavar="FILE|SHAPES|COCO_V1",
        help="model file that roilearn train wrote, or the name of a trained model",
    )
    parser.add_argument(
        "--images", type=path, metavar="FOLDER", help="folder of the images (default: found)"
    )
    parser.add_argument(
        "--held-out",
        type=path,
        metavar="RUN",
        help="measure only the images that the run in this folder held out, as its "
        "validation_images.txt lists them",
    )
    parser.add_argument(
        "--boxes",
        choices=("xywh", "xyxy", "cxcywh", "masks"),
        default="xywh",
        help="what the numbers of a box are (default xywh, COCO's)",
    )
    parser.add_argument(
        "--max-faults",
        type=float,
        metavar="X",
        help="share of the images, or of the annotations, that may have a fault of one kind "
        "(default 0.2)",
    )
    parser.add_argument("--output", type=path, metavar="FILE", help="write the table to this file")
    parser.add_argument(
        "--coco-results",
        type=path,
        metavar="FILE",
        help="write the detections that were measured, masks too, to a JSON file of COCO results, "
        "with the image ids and category ids of the COCO file; the ids of the images that were "
        "measured go to a file beside it, .images.json in place of .json",
    )
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes that load images (default 1)"
    )
    parser.add_argument(
        "--device", type=word, default="cpu", help="PyTorch device: cpu (default), cuda, mps, ..."
    )
    parser.set_defaults(run=run_evaluate)


def run_evaluate(options: argparse.Namespace) -> int:
    """Evaluate as the options say; return the exit status."""
    given = {"scenes": None, "validation_scenes": None, "validation_coco": None}
    given |= {"validation_images": None, "no_masks": None}
    try:
        check_paths(argparse.Namespace(**{**given, **vars(options)}))
    except (OSError, ValueError) as error:
        print(f"roilearn evaluate: error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    try:
        from roilearn.cli import evaluate_command  # noqa: PLC0415 - loads torch
    except ImportError as error:
        print(f"roilearn evaluate: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return evaluate_command.run(options)
