"""Recorded counts of objects found without a piece of one block (``missing_pieces.csv``)."""

from dataclasses import dataclass
from pathlib import Path

from roilearn.bench.recorded.results import FOLDER, read_table

FILE = FOLDER / "missing_pieces.csv"
PIECES = ("branch", "shortcut")


@dataclass(frozen=True)
class MissingPiece:
    """The SHAPES model without one piece: a row.

    An object is found if a detection of its class has a score and an IoU above 0.5.
    """

    block: str  # by its name in the body, or "none" for the whole model
    piece: str  # "branch" or "shortcut", or "none"
    found: int
    objects: int
    scenes: int
    versions: str


def read_missing_pieces(path: Path = FILE) -> list[MissingPiece]:
    """Read the recorded rows; none if there are none."""
    return read_table(MissingPiece, path)
