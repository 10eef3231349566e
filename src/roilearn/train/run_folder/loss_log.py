"""Losses of every step: a table that grows with the run, and its picture."""

import csv
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Self, TextIO

LOG = logging.getLogger(__name__)


class Record:
    """A CSV file with a row a step, from which a resumed run cuts what it will do again.

    Parameters
    ----------
    path : of the file.
    step : steps that are done; rows of later ones go.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "losses.csv"
    ...     for first in (0, 1):
    ...         with Record(path, first) as record:
    ...             for step in (first + 1, first + 2):
    ...                 record.add({"step": step, "loss": 10 * first + step})
    ...     read_record(path)
    {'step': [1.0, 2.0, 3.0], 'loss': [1.0, 12.0, 13.0]}
    """

    def __init__(self, path: Path, step: int) -> None:
        self.path, self.step = path, step
        self.file: TextIO | None = None

    def __enter__(self) -> Self:
        """Leave the file as it is until there is a row."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        if self.file:
            self.file.close()

    def add(self, row: Mapping[str, float]) -> None:
        """Add a row; the first one names the columns. What was added outlives the process."""
        if self.file is None:
            kept = self.kept_lines(",".join(row))
            self.file = self.path.open("w", encoding="utf-8", newline="")
            self.file.writelines(f"{line}\n" for line in [",".join(row), *kept])
        self.file.write(",".join(f"{value:.6g}" for value in row.values()) + "\n")
        self.file.flush()

    def kept_lines(self, header: str) -> list[str]:
        """Lines of the steps that are done; what cannot be read is left out, with a word."""
        if not (self.step and self.path.is_file()):
            return []
        lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        steps = [step_of(line, header) for line in lines[1:]]
        kept = [line for line, step in zip(lines[1:], steps, strict=True) if 0 < step <= self.step]
        if lines[:1] != [header]:
            kept = []
        if len(kept) < self.step:
            left = f"{len(kept)} of the rows of {self.step} steps can be read"
            LOG.warning("%s is damaged: %s, the others are left out.", self.path, left)
        return kept


def step_of(line: str, header: str) -> float:
    """Step of a line of the table; 0 for a line that is none."""
    try:
        numbers = [float(cell) for cell in line.split(",")]
    except ValueError:
        return 0
    return numbers[0] if len(numbers) == len(header.split(",")) else 0


def read_record(path: str | Path) -> dict[str, list[float]]:
    """Columns of the file by name, ``step`` among them."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else ())}
