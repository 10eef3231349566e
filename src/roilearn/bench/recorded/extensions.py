"""Recorded effects of ideas that plug into a detector (``extensions.csv``): short paired runs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

from roilearn.bench.recorded.results import FOLDER, read_table

FILE = FOLDER / "extensions.csv"


@dataclass(frozen=True)
class ExtensionResult:
    """One number of one run: a row."""

    idea: str  # such as "cascade"
    variant: str  # such as "three stages"
    seed: int
    steps: int  # optimizer steps; 0: nothing was trained
    metric: str  # such as "AP75"
    value: float
    command: str
    versions: str
    machine: str


def read_extensions(idea: str | None = None, path: Path = FILE) -> list[ExtensionResult]:
    """Read the recorded rows, of one idea or of all; none if there is no such file."""
    rows = read_table(ExtensionResult, path)
    return [row for row in rows if idea in {None, row.idea}]


def values_by_seed(rows: Iterable[ExtensionResult], variant: str, metric: str) -> list[float]:
    """Values of one metric and variant, in the order of the seeds.

    Examples
    --------
    >>> row = ExtensionResult("cascade", "one stage", 1, 9, "AP75", 0.5, "", "", "")
    >>> values_by_seed([row], "one stage", "AP75")
    [0.5]
    """
    found = [row for row in rows if (row.variant, row.metric) == (variant, metric)]
    return [row.value for row in sorted(found, key=lambda row: row.seed)]


def format_extensions(
    rows: Iterable[ExtensionResult], metrics: Iterable[str] | None = None, factor: float = 100
) -> Iterator[str]:
    """Lay out the rows of one idea: a line for each variant, a column for each metric.

    A cell holds the mean over the seeds and, after ``+-``, their standard deviation, where there
    are several.

    Parameters
    ----------
    metrics : names of the columns, in their order; None: all, as they come.
    factor : of every value; 100 gives AP in hundredths.
    """
    rows = list(rows)
    names = list(metrics or dict.fromkeys(row.metric for row in rows))
    variants = list(dict.fromkeys(row.variant for row in rows if row.metric in names))
    wide = max((len(variant) for variant in variants), default=0)
    widths = [max(14, len(name) + 3) for name in names]
    columns = list(zip(names, widths, strict=True))
    yield " " * wide + "".join(f"{name:>{width}}" for name, width in columns)
    for variant in variants:
        cells = [_cell(values_by_seed(rows, variant, name), factor) for name in names]
        yield variant.ljust(wide) + "".join(
            f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)
        )


def _cell(values: Sequence[float], factor: float) -> str:
    """Write a mean, and the standard deviation of several values; nothing for none."""
    if not values:
        return ""
    spread = f" +-{factor * stdev(values):4.1f}" if len(values) > 1 else ""
    return f"{factor * mean(values):.1f}{spread}"


def differences_by_seed(
    rows: Iterable[ExtensionResult], variant: str, other: str, metric: str
) -> list[float]:
    """How much larger a metric is for one variant than for another, in the order of the seeds.

    Examples
    --------
    >>> row = ExtensionResult("cascade", "one stage", 0, 9, "AP75", 0.5, "", "", "")
    >>> three = ExtensionResult("cascade", "three stages", 0, 9, "AP75", 0.75, "", "", "")
    >>> differences_by_seed([row, three], "three stages", "one stage", "AP75")
    [0.25]
    """
    rows = list(rows)
    pairs = zip(
        values_by_seed(rows, variant, metric), values_by_seed(rows, other, metric), strict=True
    )
    return [one - two for one, two in pairs]
