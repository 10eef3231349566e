"""Mask AP of a trained model by the size of the objects, with the half cell and without it.

COCO's ranges are coarse: all objects of up to 32 x 32 pixels are small. The model that comes with
the package is measured in finer ranges on held-out scenes, as it was trained and once more with
``aligned=False`` in both poolers.

    python -m roilearn.bench.detectors.ap_by_size
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from roilearn.bench.detectors.error_kinds import detect
from roilearn.bench.detectors.half_cell import model_with
from roilearn.bench.environment import versions
from roilearn.bench.recorded.ap_by_size import FILE, SIZES, SizeResult
from roilearn.bench.recorded.results import write
from roilearn.data import ShapeScenes
from roilearn.reference.boxes.iou import region_ious
from roilearn.reference.detection.average_precision import precision_recall_curve
from roilearn.reference.detection.detection_matching import (
    IOU_THRESHOLDS,
    MAX_DETECTIONS,
    ImageEvaluation,
    evaluate_class,
)

VALIDATION_IMAGES = 300
SEED = 777
"""Of the held-out scenes, which were not looked at while the model's training was chosen."""


def evaluate_size(
    found: dict[str, Any], target: dict[str, Any], label: int, smallest: float, largest: float
) -> ImageEvaluation:
    """Match the masks of one class in one image, with objects of one range of sizes.

    As in COCO's ranges, an object of another size need not be found, and a detection that is
    matched with nothing counts only if it has a size of the range itself.
    """
    order = np.argsort(-found["scores"], kind="stable")
    best = order[found["labels"][order] == label][: max(MAX_DETECTIONS)]
    masks, objects = found["masks"][best], target["masks"][target["labels"] == label]
    no_crowd = np.zeros(len(objects), bool)
    return evaluate_class(
        region_ious(masks, objects, no_crowd, "masks"),
        found["scores"][best],
        masks.sum((1, 2)),
        objects.sum((1, 2)),
        no_crowd,
        smallest**2,
        largest**2,
    )


def average_precisions(
    detections: Sequence[dict[str, Any]], targets: Sequence[dict[str, Any]], *sizes: float
) -> tuple[int, np.ndarray]:
    """Count the objects between two sizes; compute their AP at each IoU threshold, over classes."""
    objects, precisions = 0, []
    for label in np.unique(np.concatenate([target["labels"] for target in targets])):
        pairs = zip(detections, targets, strict=True)
        images = [evaluate_size(found, target, label, *sizes) for found, target in pairs]
        here = sum(image.objects for image in images)
        objects += here
        if here:
            precisions.append(precision_recall_curve(images, max(MAX_DETECTIONS))[0].mean(1))
    return objects, np.mean(precisions, 0) if precisions else np.full(len(IOU_THRESHOLDS), np.nan)


def measure(images: int = VALIDATION_IMAGES) -> Iterator[SizeResult]:
    """Measure the model in each range of sizes, with the half cell and then without it."""
    scenes = ShapeScenes(images, seed=SEED, photographs="held out")
    for aligned in (True, False):
        detections, targets = detect(model_with(aligned), scenes)
        for smallest, largest in pairwise(SIZES):
            objects, found = average_precisions(detections, targets, smallest, largest)
            numbers = {"AP": found.mean(), "AP50": found[0], "AP75": found[5]}
            values = {name: float(value) for name, value in numbers.items()}
            yield SizeResult(
                str(aligned),
                smallest,
                largest,
                objects,
                **values,
                images=images,
                versions=versions(),
            )


def main() -> None:
    """Measure, print and record."""
    rows = list(measure())
    for row in rows:
        print(row.aligned, row.smallest, row.largest, row.objects, f"{row.AP:.3f} {row.AP75:.3f}")  # noqa: T201
    write(rows, FILE, SizeResult)


if __name__ == "__main__":
    main()
