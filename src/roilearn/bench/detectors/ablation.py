"""What the RoI operator is worth, and what the last rounding costs, in models that are trained.

    python -m roilearn.bench.detectors.ablation operators
    python -m roilearn.bench.detectors.ablation strides
    python -m roilearn.bench.detectors.ablation rounding

Each run trains the book's small model from random weights and measures it on scenes it has never
seen. Runs of one seed see the same scenes and begin with the same weights. What has been recorded
is not trained again: a row that stands in two tables is trained once.
"""

import argparse
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from torch import nn

from roilearn.bench.operators.measure import machine, versions
from roilearn.bench.recorded.ablation import (
    ALIGN,
    FILE,
    FLOAT_PASTE,
    MEASURES,
    POOL,
    ROUNDED,
    STEPS,
    TABLES,
    UNALIGNED,
    Result,
    as_lines,
    of_table,
    read_trained,
)
from roilearn.bench.recorded.results import write
from roilearn.data import ShapeScenes
from roilearn.models import COORDINATES, Coordinates, MaskRCNN, mask_rcnn_tiny
from roilearn.train import Settings, evaluate, train
from roilearn.train.recipes import RECIPES

SCALES = {4: 112, 8: 56, 16: 28}
"""Stride of the map on which an object of 28 to 56 pixels is pooled, and the canonical scale that
sends it there. The network and its maps are the same; a box has fewer cells on a coarser one, and
meets that level's features."""
ALIGNED, TORCHVISION = COORDINATES["aligned"], COORDINATES["torchvision"]
MODELS: dict[str, tuple[str, Coordinates]] = {
    POOL: ("pool", ALIGNED),
    UNALIGNED: ("align", replace(ALIGNED, half_cell=False)),
    ALIGN: ("align", ALIGNED),
    ROUNDED: ("align", TORCHVISION),
}
"""What is trained: RoI operator and coordinates."""
CLASSES = 4  # background and three shapes
HELD_OUT = 200
HELD_OUT_SEED = 1_000_000


@dataclass(frozen=True)
class Run:
    """One training run: what is to be trained, and how long."""

    row: str
    stride: int
    seed: int
    steps: int


def plan(table: str, seeds: Iterable[int], steps: int) -> list[Run]:
    """List the runs of a table, seed by seed: an early end leaves whole seeds."""
    rows, strides = TABLES[table]
    return [
        Run(row, stride, seed, steps)
        for seed in seeds
        for stride in strides
        for row in rows
        if row in MODELS
    ]


def carry_out(run: Run) -> list[Result]:
    """Train one model in this process, on one thread, and measure it."""
    torch.set_num_threads(1)
    settings = Settings(**{**RECIPES["mask_rcnn_tiny"], "steps": run.steps, "seed": run.seed})
    scenes = ShapeScenes(run.steps * settings.batch_size, seed=run.seed)
    trained: Any = train(make(run), scenes, settings, progress=False)
    results = [measure(trained, run)]
    if run.row == ROUNDED:
        trained.transform.paste = ALIGNED.paste
        results.append(measure(trained, replace(run, row=FLOAT_PASTE)))
    return results


def make(run: Run) -> MaskRCNN:
    """Build the model of a run, with the first weights that belong to its seed."""
    roi_op, coordinates = MODELS[run.row]
    scale = SCALES[run.stride]
    torch.manual_seed(run.seed)
    return mask_rcnn_tiny(CLASSES, coordinates, roi_op, canonical_scale=scale)


def measure(model: nn.Module, run: Run) -> Result:
    """Compare detections on held-out scenes with the truth."""
    scenes = ShapeScenes(HELD_OUT, seed=HELD_OUT_SEED, photographs="held out")
    found = evaluate(model, scenes, batch_size=8, progress=False).numbers["masks"]
    numbers = {name: found[name] for name in MEASURES}
    about: dict[str, Any] = {**vars(run), **numbers}
    return Result(**about, scenes=HELD_OUT, versions=versions(), machine=machine())


def carry_out_all(runs: Sequence[Run], jobs: int) -> Iterator[list[Result]]:
    """Carry out runs, several at a time, each in a process of its own."""
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        for done in as_completed([pool.submit(carry_out, run) for run in runs]):
            yield done.result()


def main() -> None:
    """Train what has not been recorded yet, and record it run by run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("table", choices=tuple(TABLES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="runs at a time")
    parser.add_argument("--output", type=Path, default=FILE)
    options = parser.parse_args()
    results = read_trained(options.output)
    known = {Run(r.row, r.stride, r.seed, r.steps) for r in results}
    runs = [r for r in plan(options.table, range(options.seeds), options.steps) if r not in known]
    for found in carry_out_all(runs, options.jobs):
        results += found
        results.sort(key=lambda r: (r.steps, r.stride, r.row, r.seed))
        write(results, options.output, Result)
        print(*as_lines(found), sep="\n", flush=True)  # noqa: T201
    chosen = of_table(options.table, results, options.steps)
    print(*as_lines(chosen), sep="\n")  # noqa: T201


if __name__ == "__main__":
    main()
