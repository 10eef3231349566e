"""Kinds of errors of a trained model, read with the half cell and without it.

The model that comes with the package was trained with ``aligned=True``. Its detections on held-out
scenes are sorted by kinds of errors, as it is and once more with ``aligned=False`` in both poolers,
and the mask AP is computed that they would have without each kind.

    python -m roilearn.bench.detectors.error_kinds
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from roilearn.bench.detectors.half_cell import model_with
from roilearn.bench.environment import versions
from roilearn.bench.recorded.error_kinds import FILE, RIGHT, SURE, ErrorCount
from roilearn.bench.recorded.results import write
from roilearn.data import ShapeScenes
from roilearn.reference import ERROR_KINDS, detection_errors, mended_average_precision
from roilearn.reference.detection.mended_detections import METRICS

VALIDATION_IMAGES = 200
SEED = 777
"""Of the held-out scenes, which were not looked at while the model's training was chosen."""

Images = list[dict[str, np.ndarray]]


@torch.no_grad()
def detect(model: Any, scenes: Any) -> tuple[Images, Images]:
    """Give detections and targets of scenes as arrays; a pixel belongs to a mask above 0.5."""
    detections, targets = [], []
    for index in range(len(scenes)):
        image, target = scenes[index]
        (found,) = model.eval()([image])
        found = found | {"masks": found["masks"][:, 0] > 0.5}
        target = target | {"masks": target["masks"].bool()}
        detections.append({k: found[k].numpy() for k in ("boxes", "labels", "scores", "masks")})
        targets.append({k: target[k].numpy() for k in ("boxes", "labels", "masks")})
    return detections, targets


def count_kinds(
    detections: Sequence[dict[str, Any]], targets: Sequence[dict[str, Any]], threshold: float
) -> tuple[Counter[str], Counter[str]]:
    """Count the detections of each kind by their masks, and the sure ones; and missed objects."""
    every, sure = Counter(), Counter()
    for found, target in zip(detections, targets, strict=True):
        errors = detection_errors(found, target, "masks", threshold)
        every.update(errors.kinds)
        pairs = zip(errors.kinds, found["scores"], strict=True)
        sure.update(kind for kind, score in pairs if score >= SURE)
        missed = {"missed": int(errors.missed.sum())}
        every.update(missed)
        sure.update(missed)
    return every, sure


def became_misplaced(
    before: Images, after: Images, targets: Images, threshold: float = 0.75, score: float = 0.9
) -> Iterator[tuple[int, int, int, int]]:
    """Find objects that one reading finds with a high score and another one only misplaces.

    Yields
    ------
    The number of the scene, of the object, of the right detection in ``before``, and of the
    misplaced one of the highest score in ``after``, where no detection finds the object.
    """
    for s, target in enumerate(targets):
        first, second = (
            detection_errors(found[s], target, "masks", threshold) for found in (before, after)
        )
        for d in np.flatnonzero(np.array(first.kinds) == RIGHT):
            g = first.nearest[d]
            near = (np.array(second.kinds) == "misplaced") & (second.nearest == g)
            if before[s]["scores"][d] > score and near.any() and not second.found[g]:
                yield s, int(g), int(d), int(np.where(near, after[s]["scores"], -1).argmax())


def plainest_errors(detections: Images, targets: Images) -> dict[str, tuple[int, int]]:
    """Find, for each kind, the scene and number of the wrong detection with the highest score.

    For ``"missed"`` they are those of the missed object with the largest mask.
    """
    most: dict[str, tuple[float, int, int]] = {}
    for s, (found, target) in enumerate(zip(detections, targets, strict=True)):
        errors = detection_errors(found, target, "masks")
        for d, kind in enumerate(errors.kinds):
            most[kind] = max(most.get(kind, (-1, 0, 0)), (float(found["scores"][d]), s, d))
        for g in np.flatnonzero(errors.missed):
            size = float(target["masks"][g].sum())
            most["missed"] = max(most.get("missed", (-1, 0, 0)), (size, s, int(g)))
    return {kind: most[kind][1:] for kind in ERROR_KINDS if kind in most}


def measure(images: int = VALIDATION_IMAGES) -> Iterator[ErrorCount]:
    """Sort the model's detections, read with the half cell and then without it."""
    scenes = ShapeScenes(images, seed=SEED, photographs="held out")
    for aligned in (True, False):
        detections, targets = detect(model_with(aligned), scenes)
        objects = sum(len(target["labels"]) for target in targets)
        for metric, threshold in METRICS.items():
            every, sure = count_kinds(detections, targets, threshold)
            mended = mended_average_precision(detections, targets, "masks", metric)
            mended[RIGHT] = mended.pop("as it is")
            for kind in (RIGHT, *ERROR_KINDS):
                yield ErrorCount(
                    str(aligned),
                    metric,
                    kind,
                    every[kind],
                    sure[kind],
                    mended[kind],
                    objects,
                    images,
                    versions(),
                )


def main() -> None:
    """Measure, print and record."""
    rows = list(measure())
    for row in rows:
        print(row.aligned, row.metric, row.kind, row.count, row.sure, f"{row.mask_ap:.3f}")  # noqa: T201
    write(rows, FILE, ErrorCount)


if __name__ == "__main__":
    main()
