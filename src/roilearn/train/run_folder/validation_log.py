"""The validation log: average precision during a run, in a CSV file, and which step was best."""

import csv
from collections.abc import Mapping
from pathlib import Path

VALIDATION = "validation.csv"
"""Name of the file in the run folder."""


class ValidationLog:
    """A CSV file with a row for each evaluation during a run.

    A resumed run drops the rows of later steps, which it repeats.

    Parameters
    ----------
    path : path of the CSV file.
    step : number of steps that are done.

    Attributes
    ----------
    rows : for each evaluation its ``step`` and the metrics by name.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     log = ValidationLog(Path(folder) / "validation.csv", step=0)
    ...     first = log.add(200, {"AP boxes": 0.25})
    ...     second = log.add(400, {"AP boxes": 0.125})
    ...     again = ValidationLog(log.path, step=200)
    >>> first, second, again.rows
    (True, False, [{'step': 200.0, 'AP boxes': 0.25}])
    """

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        rows = read_validation_log(path) if path.is_file() else []
        self.rows = [row for row in rows if row["step"] <= step]

    def add(self, step: int, metrics: Mapping[str, float]) -> bool:
        """Add an evaluation; return whether its last metric is the best so far."""
        best = max((list(row.values())[-1] for row in self.rows), default=-1.0)
        row = {"step": float(step), **metrics}
        self.rows = [each for each in self.rows if each["step"] != step]
        self.rows.append(row)
        part = self.path.with_name(f"{self.path.name}.part")
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(row)
            writer.writerows([f"{value:.6g}" for value in each.values()] for each in self.rows)
        part.replace(self.path)
        return list(row.values())[-1] > best


def read_validation_log(path: str | Path) -> list[dict[str, float]]:
    """Read the rows of a ``validation.csv``: ``step`` and metrics by name."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
