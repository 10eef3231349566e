"""Recorded results of one trained model with the half cell and without (``half_cell.csv``)."""

from dataclasses import dataclass

from roilearn.bench.recorded.results import FOLDER, read_table

FILE = FOLDER / "half_cell.csv"
METRICS = ("AP", "AP50", "AP75")


@dataclass(frozen=True)
class HalfCell:
    """AP of the model that comes with the package, pooled with one value of ``aligned``."""

    iou_type: str  # "boxes" or "masks"
    aligned: str  # "True", as in training, or "False"
    AP: float
    AP50: float
    AP75: float
    images: int
    versions: str


def read_half_cell() -> list[HalfCell]:
    """Read the recorded rows; none if there are none."""
    return read_table(HalfCell, FILE)
