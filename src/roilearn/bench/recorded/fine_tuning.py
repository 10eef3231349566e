"""Recorded fine-tuning (``fine_tuning.csv``): few pictures of two classes, from several weights."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from roilearn.bench.recorded.ablation import format_by_variant
from roilearn.bench.recorded.results import FOLDER, read_table

FILE = FOLDER / "fine_tuning.csv"
RANDOM, ALL_TRAINED, BODY_FROZEN = "random weights", "SHAPES, all trained", "SHAPES, body frozen"
VARIANTS = (RANDOM, ALL_TRAINED, BODY_FROZEN)
"""Random initial weights; those of SHAPES, all of which are trained; those of SHAPES, of which the
body's keep their values."""
METRICS = ("AP_boxes", "AP50_boxes", "AP_masks", "AP50_masks")
STEPS = 120
"""Default number of optimizer steps of a training run."""
PICTURES = 24


@dataclass(frozen=True)
class FineTuningResult:
    """One trained model: a row."""

    variant: str  # one of VARIANTS
    seed: int
    steps: int  # optimizer steps
    pictures: int  # in the folder
    trained_parameters: int
    AP_boxes: float
    AP50_boxes: float
    AP_masks: float
    AP50_masks: float
    images: int  # of the validation set
    command: str
    versions: str
    machine: str


def read_fine_tuning(path: Path = FILE) -> list[FineTuningResult]:
    """Read the recorded rows; none if there is no such file."""
    return read_table(FineTuningResult, path)


def format_fine_tuning(results: Iterable[FineTuningResult]) -> Iterator[str]:
    """Write mean and standard deviation over the seeds, in hundredths: a line for each variant."""
    return format_by_variant(results, VARIANTS, METRICS)
