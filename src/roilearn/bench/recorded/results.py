"""Recorded results (``cpu.csv``, ``gpu.csv``); reading and writing of all recorded tables."""

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

_BESIDE = Path(__file__).parents[1] / "results"  # in an installed wheel
_CHECKOUT = Path(__file__).parents[4] / "benchmarks" / "results"
FOLDER = _CHECKOUT if _CHECKOUT.is_dir() else _BESIDE
"""Folder of the recorded tables: ``benchmarks/results`` of a checkout, or its copy in the wheel."""

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Row:
    """Time of one implementation on one workload: a row.

    ``ratio`` is torchvision's time over this time, the median over the rounds; ``ratio_min`` and
    ``ratio_max`` are the extremes of a round. Above 1 is faster than torchvision.
    """

    operator: str
    workload: str
    direction: str  # "forward" or "forward + backward"
    implementation: str
    milliseconds: float
    ratio: float
    ratio_min: float
    ratio_max: float
    rounds: int
    versions: str
    machine: str


def write(rows: Iterable[Any], path: Path, kind: type = Row) -> None:
    """Write rows of one type to a CSV file, floats to three significant digits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [field.name for field in fields(kind)], lineterminator="\n")
        table.writeheader()
        for row in rows:
            values = asdict(row).items()
            table.writerow({k: f"{v:.3g}" if isinstance(v, float) else v for k, v in values})


def read(path: Path | None = None) -> list[Row]:
    """Read results; by default ``cpu.csv``; no rows if there is no such file."""
    return read_table(Row, path or FOLDER / "cpu.csv")


def read_gpu() -> list[Row]:
    """Read ``gpu.csv``; no rows until ``make bench-gpu`` has been run on a GPU."""
    return read(FOLDER / "gpu.csv")


def read_table(kind: type[Kind], path: Path) -> list[Kind]:
    """Read a CSV file whose rows are of the given type; no rows if there is no such file."""
    if not path.exists():
        return []
    numbers: dict[str, Any] = {
        field.name: field.type
        for field in fields(kind)  # type: ignore[arg-type]
        if field.type in (float, int)
    }
    with path.open(newline="", encoding="utf-8") as file:
        return [
            kind(**{name: numbers.get(name, str)(value) for name, value in line.items()})
            for line in csv.DictReader(file)
        ]


def best_of_runs(runs: Iterable[Iterable[Row]]) -> list[Row]:
    """Keep each row from the run, of several, in which its median ratio was best.

    Rows keep the order of the first run. torchvision's own rows, whose ratio is 1 in every run,
    are kept from the run in which it was fastest.
    """
    kept: dict[tuple[str, ...], Row] = {}
    for row in (row for run in runs for row in run):
        key = (row.operator, row.workload, row.direction, row.implementation)
        held = kept.setdefault(key, row)
        if (row.ratio, -row.milliseconds) > (held.ratio, -held.milliseconds):
            kept[key] = row
    return list(kept.values())


def merge_rows(held: Iterable[Row], new: Iterable[Row]) -> list[Row]:
    """Merge new rows into recorded ones: all rows of a measurement that is repeated are replaced.

    Rows of implementations that are no longer measured go too. Rows of one operator stay together.
    """
    held, new = list(held), list(new)
    repeated = {(row.operator, row.workload, row.direction) for row in new}
    rows = [row for row in held if (row.operator, row.workload, row.direction) not in repeated]
    names = list(dict.fromkeys(row.operator for row in (*held, *new)))
    return sorted((*rows, *new), key=lambda row: names.index(row.operator))


def slower(rows: Iterable[Row]) -> list[Row]:
    """Rows of roilearn that are slower than torchvision.

    Examples
    --------
    >>> all(row.ratio < 1 for row in slower(read()))
    True
    """
    return [row for row in rows if row.implementation.startswith("roilearn") and row.ratio < 1]


def find_row(
    operator: str, workload: str, direction: str = "forward", implementation: str = "roilearn"
) -> Row:
    """Look up one row of ``cpu.csv``.

    Raises
    ------
    ValueError: nothing of that name has been recorded.
    """
    wanted = (operator, workload, direction, implementation)
    for row in read():
        if (row.operator, row.workload, row.direction, row.implementation) == wanted:
            return row
    raise ValueError(
        f"operator, workload, direction and implementation must name a recorded result; "
        f"got {wanted}. "
        "See roilearn.bench.read() for what there is; `roilearn bench` records it."
    )


def statement(operator: str, workload: str, direction: str = "forward") -> str:
    """Say how many times as fast as torchvision an operator is, with versions and processor."""
    row = find_row(operator, workload, direction)
    return (
        f"{operator}, workload {workload}, {direction}: {row.ratio:.1f} times as fast as "
        f"torchvision ({row.ratio_min:.1f} to {row.ratio_max:.1f} over {row.rounds} rounds)\n"
        f"{row.versions}; {row.machine}"
    )
