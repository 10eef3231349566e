"""Recorded training faults (``training_faults.csv`` and ``training_fault_curves.csv``)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from roilearn.bench.recorded.results import FOLDER, read_table

FILE = FOLDER / "training_faults.csv"
CURVES = FOLDER / "training_fault_curves.csv"
HEALTHY = "healthy"
FAULTS = ("learning rate", "labels", "boxes", "normalisation", "positives", "frozen")
"""The learning rate is 25 times too high; every label is one too high, and the last is the first;
x and y of the boxes are swapped; images are not normalised in training but are in prediction; every
object is marked as a crowd, so that no box is positive; the backbone's trained weights are not
loaded, and it is frozen at random ones."""
LOSSES = (
    "loss_objectness",
    "loss_rpn_box_reg",
    "loss_classifier",
    "loss_box_reg",
    "loss_mask",
)
"""The five losses, in the order in which an image meets them."""
METRICS = ("AP_boxes", "AP50_boxes", "AP_masks", "AP50_masks")
STEPS = 140
"""Default number of optimizer steps of a training run."""
WINDOW = 5
"""Number of steps over which a recorded loss is averaged."""


@dataclass(frozen=True)
class FaultResult:
    """One trained model: a row.

    The AP is that on held-out scenes without the fault; ``AP_boxes_own`` and ``AP_masks_own`` are
    what a program measures that prepares these scenes with the same fault as those to train on.
    """

    fault: str  # HEALTHY or one of FAULTS
    seed: int
    steps: int  # optimizer steps
    batch_size: int  # scenes in each step
    AP_boxes: float
    AP50_boxes: float
    AP_masks: float
    AP50_masks: float
    AP_boxes_own: float
    AP_masks_own: float
    images: int  # of the validation set
    command: str
    versions: str
    machine: str


@dataclass(frozen=True)
class FaultLosses:
    """Losses of a run up to a step, averaged over the steps since the row before: a row."""

    fault: str
    seed: int
    step: int  # the last of those that are averaged, counted from 1
    learning_rate: float  # of that step
    grad_norm: float
    loss_objectness: float
    loss_rpn_box_reg: float
    loss_classifier: float
    loss_box_reg: float
    loss_mask: float

    @property
    def loss(self) -> float:
        """Sum of the five."""
        return sum(getattr(self, name) for name in LOSSES)


def read_training_faults(path: Path = FILE) -> list[FaultResult]:
    """Read a row for each trained model; none if there is no such file."""
    return read_table(FaultResult, path)


def read_fault_losses(path: Path = CURVES) -> list[FaultLosses]:
    """Read the losses of all runs; none if there is no such file."""
    return read_table(FaultLosses, path)


def curve_of(rows: Iterable[FaultLosses], fault: str, seed: int = 0) -> list[FaultLosses]:
    """Select the rows of one run, in the order of the steps."""
    found = [row for row in rows if (row.fault, row.seed) == (fault, seed)]
    return sorted(found, key=lambda row: row.step)


def format_training_faults(results: Iterable[FaultResult]) -> Iterator[str]:
    """Write the metrics of each run in hundredths: a line each."""
    for one in results:
        cells = [f"{name} {100 * getattr(one, name):4.1f}" for name in METRICS]
        own = f"own AP boxes {100 * one.AP_boxes_own:4.1f} masks {100 * one.AP_masks_own:4.1f}"
        yield f"{one.fault:14} seed {one.seed}  {'  '.join(cells)}  {own}"
