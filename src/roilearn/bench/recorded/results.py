"""Recorded results: one CSV a machine's run, with its versions, read with the standard library."""

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

_BESIDE = Path(__file__).parents[1] / "results"  # in an installed wheel
_CHECKOUT = Path(__file__).parents[4] / "benchmarks" / "results"
FOLDER = _CHECKOUT if _CHECKOUT.is_dir() else _BESIDE
"""Where results are kept: ``benchmarks/results`` of a checkout, or the copy in the wheel."""

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Row:
    """One contestant on one workload. ``ratio`` is torchvision's time over its time."""

    operator: str
    shape: str
    direction: str  # "forward" or "forward + backward"
    contestant: str
    milliseconds: float
    ratio: float
    slowest: float
    fastest: float
    rounds: int
    versions: str
    machine: str


def write(rows: Iterable[Any], path: Path, kind: type = Row) -> None:
    """Write rows of one kind as CSV, numbers to three significant digits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, [field.name for field in fields(kind)], lineterminator="\n")
        table.writeheader()
        for row in rows:
            values = asdict(row).items()
            table.writerow({k: f"{v:.3g}" if isinstance(v, float) else v for k, v in values})


def read(path: Path | None = None) -> list[Row]:
    """Read one file of results; by default the recorded ones of the CPU, none if there are none."""
    return read_as(Row, path or FOLDER / "cpu.csv")


def read_gpu() -> list[Row]:
    """Read the recorded results of a GPU; none until ``make bench-gpu`` has been run on one."""
    return read(FOLDER / "gpu.csv")


def read_as(kind: type[Kind], path: Path) -> list[Kind]:
    """Read a file whose rows are of another kind; no rows if there is no such file."""
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


def best(runs: Iterable[Iterable[Row]]) -> list[Row]:
    """Keep, of several runs of the same measurements, each row's best median with its spread.

    Rows keep the order of the first run. Torchvision's own rows, whose ratio is 1 in every run,
    are kept from the run in which it was fastest.
    """
    kept: dict[tuple[str, ...], Row] = {}
    for row in (row for run in runs for row in run):
        key = (row.operator, row.shape, row.direction, row.contestant)
        held = kept.setdefault(key, row)
        if (row.ratio, -row.milliseconds) > (held.ratio, -held.milliseconds):
            kept[key] = row
    return list(kept.values())


def merge(held: Iterable[Row], new: Iterable[Row]) -> list[Row]:
    """Put new rows in the places of those they repeat, and the others beside their operator's.

    Rows of a measurement that is repeated go, even those of contestants that take part no more.
    """
    held, new = list(held), list(new)
    repeated = {(row.operator, row.shape, row.direction) for row in new}
    rows = [row for row in held if (row.operator, row.shape, row.direction) not in repeated]
    names = list(dict.fromkeys(row.operator for row in (*held, *new)))
    return sorted((*rows, *new), key=lambda row: names.index(row.operator))


def recorded(
    operator: str, shape: str, direction: str = "forward", contestant: str = "roilearn"
) -> Row:
    """Look one recorded result up.

    Raises
    ------
    ValueError: nothing of that name has been recorded.
    """
    wanted = (operator, shape, direction, contestant)
    for row in read():
        if (row.operator, row.shape, row.direction, row.contestant) == wanted:
            return row
    raise ValueError(
        f"operator, shape, direction and contestant must name a recorded result; got {wanted}. "
        "See roilearn.bench.read() for what there is; `roilearn bench` records it."
    )


def statement(operator: str, shape: str, direction: str = "forward") -> str:
    """One line for a page: how many times as fast as torchvision, where and with what."""
    row = recorded(operator, shape, direction)
    return (
        f"{operator}, shape {shape}, {direction}: {row.ratio:.1f} times as fast as torchvision "
        f"({row.slowest:.1f} to {row.fastest:.1f} over {row.rounds} rounds)\n"
        f"{row.versions}; {row.machine}"
    )
