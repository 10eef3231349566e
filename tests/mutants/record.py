"""Which test caught which variant last time (``caught.csv``), and which variants to try today."""

import csv
import hashlib
from dataclasses import astuple, dataclass
from datetime import date
from pathlib import Path

from variant import Variant

COLUMNS = ("file", "variant", "test", "place", "code", "tests")
Record = dict[tuple[str, str], "Caught"]  # by file and name of the variant


@dataclass(frozen=True)
class Caught:
    """The test that caught a variant, where it stands, and hashes of what it was then.

    ``place`` is "near" or "far", as the search calls it; ``code`` is of the module and the
    variant's two texts, ``tests`` of the test's file.
    """

    test: str
    place: str
    code: str
    tests: str

    @property
    def file(self) -> str:
        """File of the test, relative to the root of the repository."""
        return self.test.partition("::")[0]


def digest(*texts: str) -> str:
    """Twelve hexadecimal digits that tell these texts from others."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def caught(package: Path, root: Path, variant: Variant, test: str, place: str) -> Caught:
    """Make the row of a variant that ``test`` has caught."""
    module = (package / variant.file).read_text()
    tests = (root / test.partition("::")[0]).read_text()
    return Caught(test, place, digest(module, variant.old, variant.new), digest(tests))


def read(path: Path) -> Record:
    """Rows of a file, or none if there is no such file."""
    if not path.is_file():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        return {(row[0], row[1]): Caught(*row[2:]) for row in list(csv.reader(file))[1:]}


def write(path: Path, record: Record) -> None:
    """Write the rows, sorted: a file that moves or a test that changes is one line each."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows((*key, *astuple(record[key])) for key in sorted(record))


def as_recorded(record: Record, package: Path, root: Path, variant: Variant) -> bool:
    """Whether the variant, its module and the file of its test are what they were."""
    row = record.get((variant.file, variant.name))
    if row is None or not (package / variant.file).is_file() or not (root / row.file).is_file():
        return False
    return row == caught(package, root, variant, row.test, row.place)


def is_of_the_day(variant: Variant, day: date, one_in: int) -> bool:
    """Whether it is this variant's turn: each has one day of every ``one_in``."""
    number = int(digest(variant.file, variant.name), 16)
    return (number + day.toordinal()) % one_in == 0


def relatives(record: Record, variant: Variant) -> set[str]:
    """Near tests that caught other variants of the same module."""
    rows = (row for (file, _), row in record.items() if file == variant.file)
    return {row.test for row in rows if row.place == "near"}
