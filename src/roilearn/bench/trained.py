"""Recorded results of models that were trained for a comparison: ``ablation.csv``."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from roilearn.bench.results import FOLDER, read_as

FILE = FOLDER / "ablation.csv"
POOL, UNALIGNED, ALIGN = "RoIPool", "RoIAlign, aligned=False", "RoIAlign, aligned=True"
ROUNDED = "torchvision's coordinates"
FLOAT_PASTE = "torchvision's coordinates, float pasting"
OPERATORS = (POOL, UNALIGNED, ALIGN)
"""Mask targets, pasting and anchors are the same in all, and aligned."""
ROUNDING = (ROUNDED, FLOAT_PASTE, ALIGN)
"""The second is the first, pasted as the third is. In the third everything is aligned."""
TABLES: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
    "operators": (OPERATORS, (4,)),
    "strides": (OPERATORS, (4, 8, 16)),
    "rounding": (ROUNDING, (4,)),
}
"""Rows and strides of each table."""
MEASURES = ("AP", "AP50", "AP75", "APs", "APm")
STEPS = 1000
"""Changes in each run, unless it is told otherwise."""


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


def read_trained(path: Path = FILE) -> list[Result]:
    """Read the recorded results; none if there are none."""
    return read_as(Result, path)


def of_table(table: str, results: Iterable[Result], steps: int = STEPS) -> list[Result]:
    """Choose the results of a table, in its order, among those of so many steps."""
    rows, strides = TABLES[table]
    chosen = [r for r in results if r.row in rows and r.stride in strides and r.steps == steps]
    return sorted(chosen, key=lambda r: (r.stride, rows.index(r.row), r.seed))


def by_row(results: Iterable[Result]) -> dict[tuple[int, str], list[Result]]:
    """Put the seeds of each stride and row together."""
    groups: dict[tuple[int, str], list[Result]] = {}
    for each in results:
        groups.setdefault((each.stride, each.row), []).append(each)
    return groups


def mean_and_spread(values: Iterable[float]) -> tuple[float, float]:
    """Mean and sample standard deviation; of one value, that has no spread, NaN."""
    values = list(values)
    return mean(values), stdev(values) if len(values) > 1 else float("nan")


def gains(results: Iterable[Result], measure: str, row: str, over: str) -> list[float]:
    """How much a row has more than another in one table of one stride: a number for each seed."""
    found = {(r.row, r.seed): getattr(r, measure) for r in results}
    seeds = sorted({seed for _, seed in found})
    return [found[row, s] - found[over, s] for s in seeds if {(row, s), (over, s)} <= set(found)]


def direction(gains: Mapping[str, Sequence[float]]) -> str:
    """Say which way AP goes, and whether AP75 goes further up than AP50, as in the paper.

    ``gains`` are numbers by measure, one a seed. He et al., Mask R-CNN (2017), tables 2c and 2d.
    """
    if len(gains["AP"]) < 2:
        return "One seed shows no direction."
    if all(gain < 0 for gain in gains["AP"]):
        return "AP falls in every seed."
    if not all(gain > 0 for gain in gains["AP"]):
        return "AP rises in some seeds and falls in others: no direction."
    most = all(high > low for high, low in zip(gains["AP75"], gains["AP50"], strict=True))
    where = "in every seed" if most else "not in every seed"
    return f"AP rises in every seed; AP75's difference is larger than AP50's {where}."


def as_lines(results: Iterable[Result]) -> Iterator[str]:
    """Mean and spread over the seeds, in hundredths: a line for each stride and row."""
    for (stride, row), found in by_row(results).items():
        cells = []
        for name in MEASURES:
            average, spread = mean_and_spread(100 * getattr(each, name) for each in found)
            cells.append(f"{name} {average:5.1f} ± {spread:3.1f}")
        yield f"stride {stride:2}  {row:40} {'  '.join(cells)}  ({len(found)} seeds)"
