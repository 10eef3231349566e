"""Recorded ceilings: the mask IoU that a perfect mask head reaches (``last_rounding.csv``)."""

from dataclasses import dataclass

from roilearn.bench.recorded.results import FOLDER, read_as

FILE = FOLDER / "last_rounding.csv"


@dataclass(frozen=True)
class Ceiling:
    """Mean mask IoU that a perfect head reaches, for one kind of box and one range of sizes."""

    boxes: str
    smallest: int
    largest: int
    target: str  # "torchvision" or "aligned": how the target is cut out of the mask
    paste: str  # the same: how the answer is pasted into the image
    mask_iou: float
    shapes: int
    versions: str


def read_ceilings() -> list[Ceiling]:
    """Read the recorded rows; none if there are none."""
    return read_as(Ceiling, FILE)
