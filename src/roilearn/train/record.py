"""Losses of every step: a table that grows with the run, and its picture."""

import csv
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO


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

    def __enter__(self) -> Self:
        """Open the file at the row of the next step."""
        kept = []
        if self.step and self.path.is_file():
            lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = lines[: 1 + self.step]
        self.file: TextIO = self.path.open("w", encoding="utf-8", newline="")
        self.file.writelines(kept)
        self.empty = not kept
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.file.close()

    def add(self, row: Mapping[str, float]) -> None:
        """Add a row; the first one names the columns. What was added outlives the process."""
        writer = csv.writer(self.file, lineterminator="\n")
        if self.empty:
            writer.writerow(row)
            self.empty = False
        writer.writerow(f"{value:.6g}" for value in row.values())
        self.file.flush()


def read_record(path: str | Path) -> dict[str, list[float]]:
    """Columns of the file by name, ``step`` among them."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else ())}
