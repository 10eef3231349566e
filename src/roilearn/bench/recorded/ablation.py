"""Recorded results of models that were trained for a comparison: ``ablation.csv``."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from roilearn.bench.recorded.results import FOLDER, read_as

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
    """Say what moves one way in every seed, and whether AP75 gains more than AP50 in every seed.

    ``gains`` are numbers by measure, one a seed. In He et al., Mask R-CNN (2017), tables 2c and 2d,
    AP75 gains most.

    Examples
    --------
    >>> direction({"AP": [0.1, 0.2], "AP50": [0.1, -0.1], "AP75": [0.2, 0.1]})
    'Up in every seed: AP, AP75. AP75 gains more than AP50 in every seed.'
    """
    if len(gains["AP"]) < 2:
        return "One seed shows no direction."
    up = [measure for measure, values in gains.items() if all(value > 0 for value in values)]
    down = [measure for measure, values in gains.items() if all(value < 0 for value in values)]
    said = [f"Up in every seed: {', '.join(up)}."] if up else []
    said += [f"Down in every seed: {', '.join(down)}."] if down else []
    if all(high > low for high, low in zip(gains["AP75"], gains["AP50"], strict=True)):
        said.append("AP75 gains more than AP50 in every seed.")
    return " ".join(said) or "Nothing moves one way in every seed."


def as_lines(results: Iterable[Result]) -> Iterator[str]:
    """Mean and spread over the seeds, in hundredths: a line for each stride and row."""
    for (stride, row), found in by_row(results).items():
        cells = []
        for name in MEASURES:
            average, spread = mean_and_spread(100 * getattr(each, name) for each in found)
            cells.append(f"{name} {average:5.1f} ± {spread:3.1f}")
        yield f"stride {stride:2}  {row:40} {'  '.join(cells)}  ({len(found)} seeds)"
