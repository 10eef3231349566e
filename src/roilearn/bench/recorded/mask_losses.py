"""Recorded mask losses (``mask_losses.csv``): models whose masks were trained in three ways."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from roilearn.bench.recorded.ablation import format_by_variant
from roilearn.bench.recorded.results import FOLDER, read_table

FILE = FOLDER / "mask_losses.csv"
SIGMOID, SOFTMAX, ONE_MAP = "sigmoid", "softmax", "one map"
CLASS_GIVEN = "softmax, class given"
MASK_LOSSES = (SIGMOID, SOFTMAX, CLASS_GIVEN, ONE_MAP)
"""A sigmoid for each class, as in Mask R-CNN; one softmax over the classes and background; the same
trained model, its softmax taken over the box's class and background alone; one map with a sigmoid
for all classes."""
METRICS = ("AP", "AP50", "AP75", "mask_iou", "AP_boxes")
STEPS = 600
"""Default number of optimizer steps of a training run."""


@dataclass(frozen=True)
class MaskLossResult:
    """One trained model: a row. AP, AP50 and AP75 are those of masks."""

    variant: str  # one of MASK_LOSSES
    seed: int
    steps: int  # optimizer steps
    batch_size: int  # scenes in each step
    AP: float
    AP50: float
    AP75: float
    mask_iou: float  # mean IoU of the masks that are predicted in the true boxes, of the true class
    AP_boxes: float
    images: int  # of the validation set
    command: str
    versions: str
    machine: str


def read_mask_losses(path: Path = FILE) -> list[MaskLossResult]:
    """Read the recorded rows; none if there is no such file."""
    return read_table(MaskLossResult, path)


def format_mask_losses(results: Iterable[MaskLossResult]) -> Iterator[str]:
    """Write mean and standard deviation over the seeds, in hundredths: a line for each variant."""
    return format_by_variant(results, MASK_LOSSES, METRICS)
