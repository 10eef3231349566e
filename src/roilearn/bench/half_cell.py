"""What it costs to train with the half cell and to run without it.

The model that comes with the package was trained with ``aligned=True``. It is measured on held-out
scenes as it is, and once more with ``aligned=False`` in both poolers, as a program that has lost
the half cell would run it. The weights are the same in both.

    python -m roilearn.bench.half_cell
"""

from collections.abc import Iterator
from typing import Any

from roilearn.bench.half_cell_record import FILE, MEASURES, HalfCell
from roilearn.bench.results import write
from roilearn.bench.run import versions
from roilearn.data import ShapeScenes
from roilearn.models import load_model
from roilearn.train import evaluate

SCENES = 60
SEED = 1_000_000
"""Of the held-out scenes: the model has seen neither them nor their photographs."""


def run(scenes: int = SCENES) -> Iterator[HalfCell]:
    """Measure the model with the half cell, then without it."""
    for aligned in (True, False):
        found = evaluate(
            model_with(aligned),
            ShapeScenes(scenes, seed=SEED, photographs="held out"),
            batch_size=8,
            progress=False,
        )
        for regions, numbers in found.numbers.items():
            measured = {name: numbers[name] for name in MEASURES}
            yield HalfCell(regions, str(aligned), **measured, scenes=scenes, versions=versions())


def model_with(aligned: bool) -> Any:
    """Load the model, and set whether its two poolers take half a cell off the boxes."""
    model: Any = load_model("SHAPES")[0]
    for pooler in (model.roi_heads.box_pooler, model.roi_heads.mask_pooler):
        pooler.half_cell = aligned
    return model


def as_table(rows: list[HalfCell]) -> str:
    """Lay the rows out: a line each."""
    return "\n".join(
        f"{row.regions:6} aligned={row.aligned:6}"
        + "".join(f"{name} {getattr(row, name):.3f}  " for name in MEASURES)
        for row in rows
    )


if __name__ == "__main__":
    done = list(run())
    print(as_table(done))  # noqa: T201
    write(done, FILE, HalfCell)
