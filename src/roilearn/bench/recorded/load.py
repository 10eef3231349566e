"""Recorded rows under load (``load.csv``): quiet, and beside processes that keep all cores busy."""

from dataclasses import dataclass
from pathlib import Path

from roilearn.bench.recorded.results import FOLDER, read_table


@dataclass(frozen=True)
class LoadRow:
    """Time of one implementation on one workload, under one load: a row.

    ``ratio`` is torchvision's time over this time, the median over the rounds; ``ratio_min`` and
    ``ratio_max`` are the extremes of a round. Above 1 is faster than torchvision.
    """

    topic: str  # "operators", "overhead", "few channels", "numbers of boxes", ...
    operator: str  # or the model
    workload: str
    direction: str  # "forward", "forward + backward"; of models "inference", "training"
    implementation: str
    busy: int  # busy processes for each core
    milliseconds: float  # median over the rounds
    slowest: float  # milliseconds of the slowest round
    ratio: float
    ratio_min: float
    ratio_max: float
    rounds: int
    versions: str
    machine: str


def read_load(path: Path | None = None) -> list[LoadRow]:
    """Read rows under load; by default ``load.csv``; no rows if there is no such file.

    Examples
    --------
    >>> all(row.busy >= 0 for row in read_load())
    True
    """
    return read_table(LoadRow, path or FOLDER / "load.csv")


def merge_load(held: list[LoadRow], new: list[LoadRow]) -> list[LoadRow]:
    """Put new rows in the places of those of the same measurement and load; others stay."""
    repeated = {_measurement(row) for row in new}
    rows = [row for row in held if _measurement(row) not in repeated]
    topics = list(dict.fromkeys(row.topic for row in (*held, *new)))
    operators = list(dict.fromkeys(row.operator for row in (*held, *new)))
    return sorted(
        (*rows, *new),
        key=lambda row: (row.busy, topics.index(row.topic), operators.index(row.operator)),
    )


def _measurement(row: LoadRow) -> tuple[str | int, ...]:
    return row.topic, row.operator, row.workload, row.direction, row.busy
