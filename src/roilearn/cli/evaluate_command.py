"""``roilearn evaluate``: measure a model on a data set in COCO's format."""

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from roilearn.cli.device import check_device
from roilearn.cli.errors import as_command_error
from roilearn.data import CocoFolder, Relabelled, find_annotations
from roilearn.data.coco.overview import class_counts
from roilearn.train.checked_coco import MAX_FAULTS, open_coco
from roilearn.train.evaluation.evaluate import evaluate
from roilearn.train.held_out import VALIDATION_IMAGES
from roilearn.train.predict import named_model

OPTIONS = ("boxes", "device", "images", "output", "weights", "workers")


def run(options: argparse.Namespace) -> int:
    """Run ``roilearn evaluate``.

    Returns
    -------
    Exit status: 0; 2 if an argument is bad; 1 if an image or the table fails; 130 after Ctrl-C.
    """
    logging.basicConfig(format="%(message)s")
    try:
        device = check_device(options.device)
        train, validation = find_annotations(options.coco)
        limit = MAX_FAULTS if options.max_faults is None else options.max_faults
        model, names = named_model(options.weights)
        # A model of boxes alone is measured on objects without outlines too.
        masks = None if model.roi_heads.has_masks else False
        held_out = None if options.held_out is None else held_out_images(options.held_out)
        file = validation or train if held_out is None else train
        folder = open_coco(file, options.images, options.boxes, limit, masks, to_train=False)
        if held_out is not None:
            keep_images(folder, held_out)
        elif (weights := Path(options.weights)).is_file() and (
            remark := trained_on_remark(folder, weights.parent)
        ):
            print(f"roilearn evaluate: {remark}", file=sys.stderr)  # noqa: T201
        unused = [name for name, count in class_counts(folder).items() if not count]
        dataset = Relabelled(folder, names, unused)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        return fail(error, 2)
    try:
        found = evaluate(model.to(device), dataset, names=names, workers=options.workers)
        print(found)  # noqa: T201
        if options.output is not None and not found.interrupted:
            options.output.write_text(f"{found}\n", encoding="utf-8")
    except (OSError, RuntimeError, ValueError) as error:
        return fail(error, 1)
    except KeyboardInterrupt:
        return fail(KeyboardInterrupt("interrupted before the first image."), 130)
    return 130 if found.interrupted else 0


def held_out_images(run_folder: Path) -> list[str]:
    """Read the names of the images that a run held out.

    Raises
    ------
    FileNotFoundError: the folder has no list of them, because the export has a part for validation.
    """
    file = run_folder / VALIDATION_IMAGES
    if not file.is_file():
        raise FileNotFoundError(
            f"--held-out must be the folder of a run that held images out; there is no {file}. A "
            "run on an export with a part for validation holds out none: leave --held-out out."
        )
    return file.read_text(encoding="utf-8").splitlines()


def keep_images(folder: CocoFolder, names: Sequence[str]) -> None:
    """Keep the images of these names alone; raise unless each name is that of one image."""
    found = Counter(record.path.name for record, _ in folder.items)
    wrong = [name for name in names if found[name] != 1]
    if wrong:
        raise ValueError(
            f"--held-out must be a run on the images of --coco; {found[wrong[0]]} of them are "
            f"called {wrong[0]}, which the run held out."
        )
    kept = set(names)
    folder.items = [item for item in folder.items if item[0].path.name in kept]


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
