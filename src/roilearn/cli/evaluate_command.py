"""``roilearn evaluate``: measure a model on a data set in COCO's format."""

import argparse
import logging
import sys
from pathlib import Path

from roilearn.cli.device import check_device
from roilearn.cli.errors import as_command_error
from roilearn.data import CocoFolder, Relabelled, find_annotations
from roilearn.data.coco.overview import class_counts
from roilearn.train.checked_coco import MAX_FAULTS, open_coco
from roilearn.train.evaluation.coco_results import CocoResults
from roilearn.train.evaluation.evaluate import evaluate
from roilearn.train.held_out import VALIDATION_IMAGES, held_out_images, held_out_part
from roilearn.train.predict import named_model

OPTIONS = ("boxes", "coco_results", "device", "images", "output", "weights", "workers")


def run(options: argparse.Namespace) -> int:
    """Run ``roilearn evaluate``.

    Returns
    -------
    Exit status: 0; 2 if an argument is bad; 1 if an image or the table fails; 130 after Ctrl-C.
    """
    logging.basicConfig(format="%(message)s")
    try:
        device = check_device(options.device)
        check_folders(options)
        train, validation = find_annotations(options.coco)
        limit = MAX_FAULTS if options.max_faults is None else options.max_faults
        model, names = named_model(options.weights)
        # A model of boxes alone is measured on objects without outlines too.
        masks = None if model.roi_heads.has_masks else False
        file = validation or train if options.held_out is None else train
        folder = open_coco(file, options.images, options.boxes, limit, masks, to_train=False)
        if options.held_out is not None:
            folder = held_out_part(folder, options.held_out)
        elif (weights := Path(options.weights)).is_file() and (
            remark := trained_on_remark(folder, weights.parent)
        ):
            print(f"roilearn evaluate: {remark}", file=sys.stderr)  # noqa: T201
        unused = [name for name, count in class_counts(folder).items() if not count]
        dataset = Relabelled(folder, names, unused)
        results = CocoResults(folder, names)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        return fail(error, 2)
    try:
        found = evaluate(
            model.to(device),
            dataset,
            names=names,
            workers=options.workers,
            on_image=None if options.coco_results is None else results.add,
        )
        print(found)  # noqa: T201
        if options.output is not None and not found.interrupted:
            options.output.write_text(f"{found}\n", encoding="utf-8")
        if options.coco_results is not None and not found.interrupted:
            report_results(results, options.coco_results)
    except (OSError, RuntimeError, ValueError) as error:
        return fail(error, 1)
    except KeyboardInterrupt:
        return fail(KeyboardInterrupt("interrupted before the first image."), 130)
    return 130 if found.interrupted else 0


def report_results(results: CocoResults, file: Path) -> None:
    """Write the detections to a file of COCO results, and say what is where."""
    beside = results.write(file)
    print(  # noqa: T201
        f"roilearn evaluate: {file} holds {len(results.results)} detections with the ids of the "
        f"COCO file, {beside} the ids of the {len(results.image_ids)} images that were measured",
        file=sys.stderr,
    )


def check_folders(options: argparse.Namespace) -> None:
    """Raise unless the folders of the files to write are there, before any work."""
    for option, file in (("output", options.output), ("coco_results", options.coco_results)):
        if file is not None and not file.parent.is_dir():
            raise FileNotFoundError(
                f"{option} must be a file in a folder; there is none at {file.parent}."
            )


def trained_on_remark(folder: CocoFolder, run_folder: Path) -> str | None:
    """Say that images to measure on may have been trained on, if a run held some of them out."""
    file = run_folder / VALIDATION_IMAGES
    held_out = held_out_images(run_folder) if file.is_file() else []
    found = {record.path.name for record, _ in folder.items}
    if not held_out or not set(held_out) < found:
        return None
    return (
        f"of these {len(folder)} images, the run in {run_folder} held out {len(held_out)} and was "
        "trained on the others, if they are the same images; metrics of images that a model was "
        f"trained on are too high. --held-out {run_folder} measures those held out alone"
    )


def fail(error: BaseException, status: int) -> int:
    """Report an error, naming command-line options; return the exit status."""
    text = as_command_error(error, OPTIONS)
    print(f"roilearn evaluate: error: {text}", file=sys.stderr)  # noqa: T201
    return status
