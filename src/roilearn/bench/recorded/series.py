"""Recorded points of curves, of memory and of the byte floor: ``curves.csv``."""

from dataclasses import dataclass
from pathlib import Path

from roilearn.bench.recorded.results import FOLDER, read_as


@dataclass(frozen=True)
class Point:
    """One measured value.

    ``value`` is in ``unit``. ``ratio`` is torchvision's value over this one; in the series
    ``floor`` it is the floor over this one, the share of the floor's speed that is reached.
    """

    operator: str
    series: str  # what grows, "memory" or "floor"
    shape: str  # "base", or the workload's name
    direction: str
    x: float  # the number that grows; elsewhere the number of boxes
    contestant: str
    value: float
    unit: str
    ratio: float
    slowest: float
    fastest: float
    rounds: int
    versions: str
    machine: str


def read_points(path: Path | None = None) -> list[Point]:
    """Read recorded points; by default those of the CPU, none if there are none."""
    return read_as(Point, path or FOLDER / "curves.csv")
