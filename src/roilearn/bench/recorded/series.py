"""Recorded series (``curves.csv``): time against a varied number, peak memory, the byte floor."""

from dataclasses import dataclass
from pathlib import Path

from roilearn.bench.recorded.results import FOLDER, read_table


@dataclass(frozen=True)
class SeriesPoint:
    """One measured value: a row.

    ``value`` is in ``unit``. ``ratio`` is torchvision's value over this one; in the series
    ``floor`` it is the floor over this one, the share of the floor's speed that is reached.
    """

    operator: str
    series: str  # the number that is varied, "memory" or "floor"
    workload: str  # "base", or the workload's name
    direction: str
    x: float  # the varied number; in "memory" and "floor" the number of boxes
    implementation: str
    value: float
    unit: str
    ratio: float
    ratio_min: float
    ratio_max: float
    rounds: int
    versions: str
    machine: str


def read_series(path: Path | None = None) -> list[SeriesPoint]:
    """Read series; by default ``curves.csv``; no rows if there is no such file."""
    return read_table(SeriesPoint, path or FOLDER / "curves.csv")


def read_crossover() -> list[SeriesPoint]:
    """Read ``crossover.csv``: ratios by channels (``x``) and boxes (``series``); the patch's rule.

    Examples
    --------
    >>> all(point.ratio > 0 for point in read_crossover())
    True
    """
    return read_series(FOLDER / "crossover.csv")
