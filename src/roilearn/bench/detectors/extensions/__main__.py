"""The command that measures the ideas; a run that is recorded is not repeated."""

import argparse
from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

import torch

from roilearn.bench.environment import machine, versions
from roilearn.bench.recorded.extensions import (
    FILE,
    ExtensionResult,
    format_extensions,
    read_extensions,
)
from roilearn.bench.recorded.results import write

IDEAS = (
    "image_pyramid",
    "cascade",
    "keypoints",
    "multi_task",
    "distillation",
    "pretraining",
    "schedules",
)

SEEDS = 5
"""One sign in all of them comes by chance in one of sixteen comparisons."""


def idea_of(name: str) -> Any:
    """Import the module of an idea."""
    return import_module(f"{__package__}.{name}")


def measure(name: str, variant: str, seed: int, steps: int) -> Iterator[ExtensionResult]:
    """Measure one variant of an idea on one thread: a row for each metric."""
    torch.set_num_threads(1)
    command = f"python -m roilearn.bench.detectors.extensions {name}"
    found = idea_of(name).measure(variant, seed, steps)
    for metric, value in found.items():
        facts = (command, versions(), machine())
        yield ExtensionResult(name, variant, seed, steps, metric, float(value), *facts)


def runs_left(
    done: Sequence[ExtensionResult], ideas: Sequence[str], seeds: int
) -> Iterator[tuple[str, str, int, int]]:
    """Yield idea, variant, seed and steps of the runs that are not recorded, seed by seed.

    So an interruption leaves what can be compared.
    """
    known = {(row.idea, row.variant, row.seed) for row in done}
    for seed, name in product(range(seeds), ideas):
        idea = idea_of(name)
        for variant in idea.VARIANTS:
            steps = 0 if variant in getattr(idea, "UNTRAINED", ()) else idea.STEPS
            if (name, variant, seed) not in known:
                yield name, variant, seed, steps


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is not recorded yet, one run after another."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("ideas", nargs="*", choices=[*IDEAS, []], default=[], help="default: all")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"number of seeds ({SEEDS})")
    parser.add_argument("--output", type=Path, default=FILE, help="CSV file of the results")
    options = parser.parse_args(arguments)
    results = read_extensions(path=options.output)
    ideas = options.ideas or IDEAS
    for run in runs_left(results, ideas, options.seeds):
        found = list(measure(*run))
        results += found
        write(results, options.output, ExtensionResult)
        print(*run, {row.metric: round(row.value, 4) for row in found}, flush=True)  # noqa: T201
    for name in ideas:
        rows = [row for row in results if row.idea == name]
        print(name, *format_extensions(rows, factor=1), sep="\n")  # noqa: T201


if __name__ == "__main__":
    main()
