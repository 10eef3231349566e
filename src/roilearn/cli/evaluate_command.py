"""``roilearn evaluate``: measure a model on a data set in COCO's format."""

import argparse
import logging
import sys

from roilearn.cli.device import check_device
from roilearn.cli.errors import as_command_error
from roilearn.data import Relabelled, find_annotations
from roilearn.data.coco.overview import class_counts
from roilearn.train.checked_coco import MAX_FAULTS, open_coco
from roilearn.train.evaluation.evaluate import evaluate
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
        masks = None if model.roi_heads.has_masks or options.boxes == "masks" else False
        folder = open_coco(validation or train, options.images, options.boxes, limit, masks)
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


def fail(error: BaseException, status: int) -> int:
    """Report an error, naming command-line options; return the exit status."""
    text = as_command_error(error, OPTIONS)
    print(f"roilearn evaluate: error: {text}", file=sys.stderr)  # noqa: T201
    return status
