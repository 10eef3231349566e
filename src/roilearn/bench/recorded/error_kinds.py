"""Recorded kinds of detection errors of one trained model (``error_kinds.csv``)."""

from dataclasses import dataclass
from pathlib import Path

from roilearn.bench.recorded.results import FOLDER, read_table

FILE = FOLDER / "error_kinds.csv"
RIGHT = "right"
SURE = 0.5
"""The score from which on a detection counts as sure."""


@dataclass(frozen=True)
class ErrorCount:
    """Detections of one kind, and the average precision without that kind of error: a row."""

    aligned: str  # of the poolers: "True", as in training, or "False"
    metric: str  # "AP50" or "AP75"; its threshold says which detections are right
    kind: str  # "right", or one of ``roilearn.reference.ERROR_KINDS``
    count: int  # detections; objects where the kind is "missed"
    sure: int  # those with a score of 0.5 or more; for "missed" the same as ``count``
    mask_ap: float  # the metric of masks without the kind; as it is where the kind is "right"
    objects: int
    images: int
    versions: str


def read_error_kinds(path: Path = FILE) -> list[ErrorCount]:
    """Read the recorded rows; none if there is no such file."""
    return read_table(ErrorCount, path)
