"""Recorded ablations (``ablation.csv``): mask AP of models trained with one thing changed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from roilearn.bench.recorded.results import FOLDER, read_table

FILE = FOLDER / "ablation.csv"
POOL, UNALIGNED, ALIGN = "RoIPool", "RoIAlign, aligned=False", "RoIAlign, aligned=True"
ROUNDED = "torchvision's coordinates"
FLOAT_PASTE = "torchvision's coordinates, float pasting"
OPERATORS = (POOL, UNALIGNED, ALIGN)
"""Variants of the RoI operator. Mask targets, pasting and anchors are aligned in all of them."""
ROUNDING = (ROUNDED, FLOAT_PASTE, UNALIGNED, ALIGN)
"""Variants of the coordinates.

The second is the first model with aligned pasting. In the third mask targets, pasting and anchors
are aligned, and only the RoI operator leaves the half cell out, as in the first. In the fourth
everything is aligned.
"""
TABLES: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
    "operators": (OPERATORS, (4,)),
    "strides": (OPERATORS, (4, 8, 16)),
    "rounding": (ROUNDING, (4,)),
}
"""Variants and strides of each table."""
METRICS = ("AP", "AP50", "AP75", "APs", "APm")
STEPS = 1000
"""Default number of optimizer steps of a training run."""


@dataclass(frozen=True)
class AblationResult:
    """Mask AP of one trained model, of all objects and by COCO's ranges of area: a row."""

    variant: str
    stride: int
    seed: int
    steps: int  # optimizer steps
    AP: float
    AP50: float
    AP75: float
    APs: float  # of objects with up to 32 x 32 visible pixels
    APm: float
    images: int  # of the validation set
    versions: str
    machine: str


def read_ablation(path: Path = FILE) -> list[AblationResult]:
    """Read ablation results; no rows if there is no such file."""
    return read_table(AblationResult, path)


def select_table(
    table: str, results: Iterable[AblationResult], steps: int = STEPS
) -> list[AblationResult]:
    """Select the results of a table, in its order, of models trained for ``steps`` steps."""
    variants, strides = TABLES[table]
    chosen = [
        r for r in results if r.variant in variants and r.stride in strides and r.steps == steps
    ]
    return sorted(chosen, key=lambda r: (r.stride, variants.index(r.variant), r.seed))


def group_by_variant(
    results: Iterable[AblationResult],
) -> dict[tuple[int, str], list[AblationResult]]:
    """Group the results by stride and variant; the seeds of a group stay in their order."""
    groups: dict[tuple[int, str], list[AblationResult]] = {}
    for each in results:
        groups.setdefault((each.stride, each.variant), []).append(each)
    return groups


def mean_and_std(values: Iterable[float]) -> tuple[float, float]:
    """Mean and sample standard deviation. The latter is NaN for a single value."""
    values = list(values)
    return mean(values), stdev(values) if len(values) > 1 else float("nan")


def format_by_variant(
    results: Iterable[Any], variants: Iterable[str], metrics: Iterable[str]
) -> Iterator[str]:
    """Write mean and standard deviation over the seeds, in hundredths: a line for each variant.

    Parameters
    ----------
    results : recorded rows with ``variant``, ``seed`` and the metrics.
    variants, metrics : names, in the order of the lines and of their columns. A variant without
        rows has no line.
    """
    results, metrics = list(results), tuple(metrics)
    for variant in variants:
        found = [result for result in results if result.variant == variant]
        cells = []
        for name in metrics if found else ():
            average, deviation = mean_and_std(100 * getattr(each, name) for each in found)
            cells.append(f"{name} {average:4.1f} ± {deviation:3.1f}")
        if found:
            seeds = ", ".join(str(seed) for seed in sorted(each.seed for each in found))
            yield f"{variant:20} {'  '.join(cells)}  (seeds: {seeds})"


def gains(results: Iterable[Any], metric: str, variant: str, over: str) -> list[float]:
    """Difference of a metric between two variants at one stride: a number for each seed.

    Parameters
    ----------
    results : of one table and stride; any rows with ``variant``, ``seed`` and the metric.
    variant, over : names of the variants; a gain is positive where the first has more.
    """
    found = {(r.variant, r.seed): getattr(r, metric) for r in results}
    seeds = sorted({seed for _, seed in found})
    pairs = [((variant, seed), (over, seed)) for seed in seeds]
    return [found[a] - found[b] for a, b in pairs if {a, b} <= found.keys()]


def consistent_gains(gains: Mapping[str, Sequence[float]]) -> str:
    """Say which metrics change in the same direction in every seed.

    Also say whether AP75 gains more than AP50 in every seed.

    Parameters
    ----------
    gains : by metric, a number for each seed.

    Source
    ------
    In He et al., Mask R-CNN (2017), tables 2c and 2d,
    AP75 gains most.

    Examples
    --------
    >>> consistent_gains({"AP": [0.1, 0.2], "AP50": [0.1, -0.1], "AP75": [0.2, 0.1]})
    'Up in every seed: AP, AP75. AP75 gains more than AP50 in every seed.'
    """
    if len(gains["AP"]) < 2:
        return "One seed shows no direction."
    up = [metric for metric, values in gains.items() if all(value > 0 for value in values)]
    down = [metric for metric, values in gains.items() if all(value < 0 for value in values)]
    said = [f"Up in every seed: {', '.join(up)}."] if up else []
    said += [f"Down in every seed: {', '.join(down)}."] if down else []
    if all(high > low for high, low in zip(gains["AP75"], gains["AP50"], strict=True)):
        said.append("AP75 gains more than AP50 in every seed.")
    return " ".join(said) or "Nothing moves one way in every seed."


def format_results(results: Iterable[AblationResult]) -> Iterator[str]:
    """Write mean and standard deviation over the seeds, in hundredths: a line for each variant."""
    for (stride, variant), found in group_by_variant(results).items():
        cells = []
        for name in METRICS:
            average, deviation = mean_and_std(100 * getattr(each, name) for each in found)
            cells.append(f"{name} {average:5.1f} ± {deviation:3.1f}")
        yield f"stride {stride:2}  {variant:40} {'  '.join(cells)}  ({len(found)} seeds)"
