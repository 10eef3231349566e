"""Ablation: mask AP of models trained with another RoI operator, stride or coordinates.

    python -m roilearn.bench.detectors.ablation operators
    python -m roilearn.bench.detectors.ablation strides
    python -m roilearn.bench.detectors.ablation rounding

Each run trains ``mask_rcnn_tiny`` from random weights and evaluates it on validation images. Runs
of one seed train on the same images and begin with the same weights. What has been recorded is not
trained again: a variant of two tables is trained once.
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

from roilearn.bench.environment import machine, versions
from roilearn.bench.recorded.ablation import (
    ALIGN,
    FILE,
    FLOAT_PASTE,
    METRICS,
    POOL,
    ROUNDED,
    STEPS,
    TABLES,
    UNALIGNED,
    AblationResult,
    format_results,
    read_ablation,
    select_table,
)
from roilearn.bench.recorded.results import write
from roilearn.data import ShapeScenes
from roilearn.models import BUILDERS, COORDINATES, Coordinates, MaskRCNN, mask_rcnn_tiny
from roilearn.train import Settings, evaluate, train

CANONICAL_SCALES = {4: 112, 8: 56, 16: 28}
"""Canonical scale of the level assignment, by the stride to which it assigns 28 to 56 pixels.

The network and its maps are the same. On a coarser map a box has fewer cells, and that level's
features.
"""
ALIGNED, TORCHVISION = COORDINATES["aligned"], COORDINATES["torchvision"]
MODELS: dict[str, tuple[str, Coordinates]] = {
    POOL: ("pool", ALIGNED),
    UNALIGNED: ("align", replace(ALIGNED, aligned=False)),
    ALIGN: ("align", ALIGNED),
    ROUNDED: ("align", TORCHVISION),
}
"""RoI operator and coordinates of each variant that is trained."""
CLASSES = 4  # background and three shapes
VALIDATION_IMAGES = 200
VALIDATION_SEED = 1_000_000


@dataclass(frozen=True)
class TrainingRun:
    """One training run: the variant, and the number of optimizer steps."""

    variant: str
    stride: int
    seed: int
    steps: int


def list_runs(table: str, seeds: Iterable[int], steps: int) -> list[TrainingRun]:
    """List the runs of a table, seed by seed, so that an interruption leaves whole seeds."""
    variants, strides = TABLES[table]
    return [
        TrainingRun(variant, stride, seed, steps)
        for seed in seeds
        for stride in strides
        for variant in variants
        if variant in MODELS
    ]


def train_and_evaluate(run: TrainingRun) -> list[AblationResult]:
    """Train one model in this process, on one thread, and evaluate it."""
    torch.set_num_threads(1)
    settings = Settings(
        **{**BUILDERS["mask_rcnn_tiny"].training_settings, "steps": run.steps, "seed": run.seed}
    )
    scenes = ShapeScenes(run.steps * settings.batch_size, seed=run.seed)
    trained: Any = train(make_model(run), scenes, settings, progress=False)
    results = [evaluate_model(trained, run)]
    if run.variant == ROUNDED:
        trained.transform.paste = ALIGNED.paste
        results.append(evaluate_model(trained, replace(run, variant=FLOAT_PASTE)))
    return results


def make_model(run: TrainingRun) -> MaskRCNN:
    """Build the model of a run, with the initial weights of its seed."""
    roi_op, coordinates = MODELS[run.variant]
    scale = CANONICAL_SCALES[run.stride]
    torch.manual_seed(run.seed)
    return mask_rcnn_tiny(CLASSES, coordinates, roi_op, canonical_scale=scale)


def evaluate_model(model: nn.Module, run: TrainingRun) -> AblationResult:
    """Evaluate a trained model on the validation images."""
    scenes = ShapeScenes(VALIDATION_IMAGES, seed=VALIDATION_SEED, photographs="held out")
    found = evaluate(model, scenes, batch_size=8, progress=False).metrics["masks"]
    numbers = {name: found[name] for name in METRICS}
    about: dict[str, Any] = {**vars(run), **numbers}
    return AblationResult(**about, images=VALIDATION_IMAGES, versions=versions(), machine=machine())


def run_all(runs: Sequence[TrainingRun], jobs: int) -> Iterator[list[AblationResult]]:
    """Train and evaluate several models at a time, each in a process of its own."""
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        for done in as_completed([pool.submit(train_and_evaluate, run) for run in runs]):
            yield done.result()


def main() -> None:
    """Train the models that are not recorded yet, and record each as it is done."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("table", choices=tuple(TABLES), help="table of variants to train")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds (default 3)")
    parser.add_argument(
        "--steps", type=int, default=STEPS, help=f"optimizer steps (default {STEPS})"
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        help="models trained at a time (default: one for each core)",
    )
    parser.add_argument("--output", type=Path, default=FILE, help="CSV file of the results")
    options = parser.parse_args()
    results = read_ablation(options.output)
    known = {TrainingRun(r.variant, r.stride, r.seed, r.steps) for r in results}
    runs = [
        r for r in list_runs(options.table, range(options.seeds), options.steps) if r not in known
    ]
    for found in run_all(runs, options.jobs):
        results += found
        results.sort(key=lambda r: (r.steps, r.stride, r.variant, r.seed))
        write(results, options.output, AblationResult)
        print(*format_results(found), sep="\n", flush=True)  # noqa: T201
    chosen = select_table(options.table, results, options.steps)
    print(*format_results(chosen), sep="\n")  # noqa: T201


if __name__ == "__main__":
    main()
