"""Recorded profiles (``profiles.csv``): a row for each ATen operator of a profiled call."""

from dataclasses import dataclass
from pathlib import Path

from roilearn.bench.goals import AGAINST_ONNXRUNTIME, Key
from roilearn.bench.recorded.results import FOLDER, read_table


@dataclass(frozen=True)
class OpProfile:
    """Share of one ATen operator in the time of a call, time outside of them left out: a row."""

    operator: str
    workload: str
    direction: str
    implementation: str
    aten_op: str  # PyTorch's name, without "aten::"
    share: float  # of the self CPU time of all ATen operators
    calls: int  # of the ATen operator, in one call
    versions: str
    machine: str


def read_profiles(path: Path | None = None) -> list[OpProfile]:
    """Read profiles; by default ``profiles.csv``; no rows if there is no such file."""
    return read_table(OpProfile, path or FOLDER / "profiles.csv")


def profile_of(key: Key) -> list[OpProfile]:
    """Look up the profile of one implementation on one workload, or of the one behind a goal."""
    wanted = without_onnxruntime(key)
    return [
        part
        for part in read_profiles()
        if (part.operator, part.workload, part.direction, part.implementation) == wanted
    ]


def without_onnxruntime(key: Key) -> Key:
    """Name the implementation of roilearn whose time a goal is about."""
    *case, column = key
    operator, workload, direction = case
    return operator, workload, direction, column.removesuffix(AGAINST_ONNXRUNTIME)
