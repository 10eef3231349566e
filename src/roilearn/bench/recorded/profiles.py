"""Recorded profiles (``profiles.csv``): a row for each ATen operator of a profiled call."""

from dataclasses import dataclass
from pathlib import Path

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


def profile_of(
    operator: str, workload: str, direction: str, implementation: str
) -> list[OpProfile]:
    """Look up the profile of one implementation on one workload; empty if there is none.

    Examples
    --------
    >>> profile_of("roi_align", "no such workload", "forward", "roilearn")
    []
    """
    wanted = (operator, workload, direction, implementation)
    return [
        part
        for part in read_profiles()
        if (part.operator, part.workload, part.direction, part.implementation) == wanted
    ]
