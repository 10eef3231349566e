"""The loss log: the losses of every step, in a CSV file and on the progress line."""

import csv
import logging
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self, TextIO

LOG = logging.getLogger(__name__)
OLD_COLUMNS = {"gradient": "grad_norm"}
"""Names of columns up to version 0.2 and what they are called now. Old files are read as new."""


class LossLog:
    """A CSV file with a row for each step. A resumed run drops the rows of steps it will repeat.

    Parameters
    ----------
    path : path of the CSV file.
    step : number of steps that are done. Rows of later steps are dropped.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "losses.csv"
    ...     for first in (0, 1):
    ...         with LossLog(path, first) as log:
    ...             for step in (first + 1, first + 2):
    ...                 log.add({"step": step, "loss": 10 * first + step})
    ...     read_loss_log(path)
    {'step': [1.0, 2.0, 3.0], 'loss': [1.0, 12.0, 13.0]}
    """

    def __init__(self, path: Path, step: int) -> None:
        self.path, self.step = path, step
        self.file: TextIO | None = None
        self.waiting: list[str] = []
        self.failed = False

    def __enter__(self) -> Self:
        """Leave the file as it is until there is a row."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        if self.file:
            with suppress(OSError):  # a full disk, which add has named
                self.file.close()

    def add(self, row: Mapping[str, float]) -> None:
        """Add a row and flush it to the file. The first row names the columns.

        If the disk is full, a warning says so once, and the row is written with a later one.
        """
        self.waiting.append(",".join(f"{value:.6g}" for value in row.values()) + "\n")
        try:
            if self.file is None:
                self.file = self.opened(",".join(row))
            while self.waiting:
                self.file.write(self.waiting.pop(0))
            self.file.flush()
        except OSError as error:
            if not self.failed:
                LOG.warning("%s cannot be written: %s.", self.path, error)
            self.failed = True

    def opened(self, header: str) -> TextIO:
        """Write the header and the rows that are kept to a new file, and open it for more."""
        part = self.path.with_name(f"{self.path.name}.part")
        lines = [header, *self.kept_rows(header)]
        part.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="")
        part.replace(self.path)
        return self.path.open("a", encoding="utf-8", newline="")

    def kept_rows(self, header: str) -> list[str]:
        """Rows of the steps that are done; rows that cannot be read are left out with a warning."""
        if not (self.step and self.path.is_file()):
            return []
        lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        steps = [step_of_row(line, header) for line in lines[1:]]
        kept = [line for line, step in zip(lines[1:], steps, strict=True) if 0 < step <= self.step]
        if [",".join(map(current_column, line.split(","))) for line in lines[:1]] != [header]:
            kept = []
        if len(kept) < self.step:
            left = f"{len(kept)} of the rows of {self.step} steps can be read"
            LOG.warning("%s is damaged: %s, the others are left out.", self.path, left)
        return kept


def step_of_row(line: str, header: str) -> float:
    """Step of a row of the table; 0 for a line that is not a row."""
    try:
        numbers = [float(cell) for cell in line.split(",")]
    except ValueError:
        return 0
    return numbers[0] if len(numbers) == len(header.split(",")) else 0


def read_loss_log(path: str | Path) -> dict[str, list[float]]:
    """Read the columns of a ``losses.csv`` by name, ``step`` among them."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = rows[0] if rows else ()
    return {current_column(name): [float(row[name]) for row in rows] for name in names}


def current_column(name: str) -> str:
    """Return today's name of a column of an old file."""
    return OLD_COLUMNS.get(name, name)


def progress_line(row: Mapping[str, float]) -> str:
    """Losses of a row in one line, for the progress bar.

    Examples
    --------
    >>> progress_line({"step": 3, "grad_norm": 2.0, "loss": 1.5, "loss_mask": 0.5})
    'loss 1.5 mask 0.5'
    """
    losses = {name: value for name, value in row.items() if name.startswith("loss")}
    return " ".join(f"{name.removeprefix('loss_')} {value:.3g}" for name, value in losses.items())
