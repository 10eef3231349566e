"""What it costs to train with the half cell and to run without it.

The model that comes with the package was trained with ``aligned=True``. It is measured on held-out
scenes as it is, and once more with ``aligned=False`` in both poolers, as a program that has lost
the half cell would run it. The weights are the same in both.

    python -m roilearn.bench.detectors.half_cell
"""

from collections.abc import Iterator
from typing import Any

from roilearn.bench.environment import versions
from roilearn.bench.recorded.half_cell import FILE, METRICS, HalfCell
from roilearn.bench.recorded.results import write
from roilearn.data import ShapeScenes
from roilearn.models import load_model
from roilearn.train import evaluate

VALIDATION_IMAGES = 60
SEED = 1_000_000
"""Of the held-out scenes: the model has seen neither them nor their photographs."""


def measure_all(images: int = VALIDATION_IMAGES) -> Iterator[HalfCell]:
    """Measure the model with the half cell, then without it."""
    for aligned in (True, False):
        found = evaluate(
            model_with(aligned),
            ShapeScenes(images, seed=SEED, photographs="held out"),
            batch_size=8,
            progress=False,
        )
        for iou_type, numbers in found.metrics.items():
            measured = {name: numbers[name] for name in METRICS}
            yield HalfCell(iou_type, str(aligned), **measured, images=images, versions=versions())


def model_with(aligned: bool) -> Any:
    """Load the model, and set whether its two poolers take half a cell off the boxes."""
    model: Any = load_model("SHAPES")[0]
    for pooler in (model.roi_heads.box_roi_pool, model.roi_heads.mask_roi_pool):
        pooler.aligned = aligned
    return model


def format_rows(rows: list[HalfCell]) -> str:
    """Lay the rows out: a line each."""
    return "\n".join(
        f"{row.iou_type:6} aligned={row.aligned:6}"
        + "".join(f"{name} {getattr(row, name):.3f}  " for name in METRICS)
        for row in rows
    )


if __name__ == "__main__":
    done = list(measure_all())
    print(format_rows(done))  # noqa: T201
    write(done, FILE, HalfCell)
