"""Recorded mask IoU of an oracle mask head, which predicts every target exactly."""

from dataclasses import dataclass

from roilearn.bench.recorded.results import FOLDER, read_table

FILE = FOLDER / "oracle_masks.csv"


@dataclass(frozen=True)
class OracleIoU:
    """Mean mask IoU of an oracle head, for one kind of box and one range of sizes: a row."""

    boxes: str
    min_side: int  # of the objects, in pixels
    max_side: int
    target: str  # "torchvision" or "aligned": coordinates of the mask target
    paste: str  # the same, of pasting the head's mask into the image
    mask_iou: float
    objects: int
    versions: str


def read_oracle_masks() -> list[OracleIoU]:
    """Read ``oracle_masks.csv``; no rows if there is no such file."""
    return read_table(OracleIoU, FILE)
