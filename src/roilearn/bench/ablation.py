"""What the RoI operator is worth, and what the last rounding costs, in models that are trained.

    python -m roilearn.bench.ablation operators
    python -m roilearn.bench.ablation strides
    python -m roilearn.bench.ablation rounding

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
from statistics import mean, stdev
from typing import Any

import torch
from torch import nn

from roilearn.bench.results import FOLDER, read_as, write
from roilearn.bench.run import machine, versions
from roilearn.data import ShapeScenes
from roilearn.models import COORDINATES, Coordinates, MaskRCNN, mask_rcnn_tiny
from roilearn.train import Settings, evaluate, train
from roilearn.train.recipes import RECIPES

FILE = FOLDER / "ablation.csv"
SCALES = {4: 112, 8: 56, 16: 28}
"""Stride of the map on which an object of 28 to 56 pixels is pooled, and the canonical scale that
sends it there. Nothing else of the model changes: the maps are the same, each object has fewer
cells on a coarser one."""
ALIGNED, TORCHVISION = COORDINATES["aligned"], COORDINATES["torchvision"]
ROUNDED = "torchvision's coordinates"
FLOAT_PASTE = "torchvision's coordinates, float pasting"
BEST = "RoIAlign, aligned=True"
MODELS: dict[str, tuple[str, Coordinates]] = {
    "RoIPool": ("pool", ALIGNED),
    "RoIAlign, aligned=False": ("align", replace(ALIGNED, half_cell=False)),
    BEST: ("align", ALIGNED),
    ROUNDED: ("align", TORCHVISION),
}
"""What is trained: RoI operator and coordinates."""
OPERATORS = ("RoIPool", "RoIAlign, aligned=False", BEST)
"""Mask targets, pasting and anchors are the same in all."""
ROUNDING = (ROUNDED, FLOAT_PASTE, BEST)
"""The second is the first, pasted as the third is. The third has all coordinates aligned."""
TABLES: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
    "operators": (OPERATORS, (4,)),
    "strides": (OPERATORS, (4, 8, 16)),
    "rounding": (ROUNDING, (4,)),
}
"""Rows and strides of each table."""
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


@dataclass(frozen=True)
class Result:
    """Mask AP of one trained model, of all objects and by COCO's ranges of area."""

    row: str
    stride: int
    seed: int
    steps: int
    AP: float
    AP50: float
    AP75: float
    APs: float  # up to 32 x 32 pixels to be seen
    APm: float
    scenes: int
    versions: str
    machine: str


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
    numbers = {name: found[name] for name in ("AP", "AP50", "AP75", "APs", "APm")}
    about: dict[str, Any] = {**vars(run), **numbers}
    return Result(**about, scenes=HELD_OUT, versions=versions(), machine=machine())


def carry_out_all(runs: Sequence[Run], jobs: int) -> Iterator[list[Result]]:
    """Carry out runs, several at a time, each in a process of its own."""
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        for done in as_completed([pool.submit(carry_out, run) for run in runs]):
            yield done.result()


def recorded(path: Path = FILE) -> list[Result]:
    """Read the recorded results; none if there are none."""
    return read_as(Result, path)


def of_table(table: str, results: Iterable[Result], steps: int) -> list[Result]:
    """Choose the results of a table, in its order, among those of so many steps."""
    rows, strides = TABLES[table]
    chosen = [r for r in results if r.row in rows and r.stride in strides and r.steps == steps]
    return sorted(chosen, key=lambda r: (r.stride, rows.index(r.row), r.seed))


def as_lines(results: Iterable[Result]) -> Iterator[str]:
    """Mean and sample standard deviation over the seeds, in hundredths: a line for each row."""
    groups: dict[tuple[int, str], list[Result]] = {}
    for each in results:
        groups.setdefault((each.stride, each.row), []).append(each)
    for (stride, row), found in groups.items():
        cells = []
        for name in ("AP", "AP50", "AP75", "APs", "APm"):
            values = [100 * getattr(each, name) for each in found]
            spread = stdev(values) if len(values) > 1 else float("nan")
            cells.append(f"{name} {mean(values):5.1f} ± {spread:3.1f}")
        yield f"stride {stride:2}  {row:40} {'  '.join(cells)}  ({len(found)} seeds)"


def main() -> None:
    """Train what has not been recorded yet, and record it run by run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("table", choices=tuple(TABLES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="runs at a time")
    parser.add_argument("--output", type=Path, default=FILE)
    options = parser.parse_args()
    results = recorded(options.output)
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
