"""Recorded mask AP of one trained model by the size of the objects (``ap_by_size.csv``)."""

from dataclasses import dataclass
from pathlib import Path

from roilearn.bench.recorded.results import FOLDER, read_table

FILE = FOLDER / "ap_by_size.csv"
SIZES = (8, 16, 24, 32, 48, 80)
"""Ends of the ranges of sizes in image pixels; a size is the root of the visible area."""


@dataclass(frozen=True)
class SizeResult:
    """Mask AP of the objects in one range of sizes: a row."""

    aligned: str  # of the poolers: "True", as in training, or "False"
    smallest: int  # root of the visible area in image pixels
    largest: int
    objects: int
    AP: float
    AP50: float
    AP75: float
    images: int
    versions: str


def read_ap_by_size(path: Path = FILE) -> list[SizeResult]:
    """Read the recorded rows; none if there is no such file."""
    return read_table(SizeResult, path)
