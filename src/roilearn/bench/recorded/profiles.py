"""Recorded profiles, a row for each kernel: ``profiles.csv``."""

from dataclasses import dataclass
from pathlib import Path

from roilearn.bench.goals import AGAINST_ONNXRUNTIME, Key
from roilearn.bench.recorded.results import FOLDER, read_as


@dataclass(frozen=True)
class Part:
    """One kernel's share of a call. Time outside kernels is nobody's."""

    operator: str
    shape: str
    direction: str
    contestant: str
    kernel: str  # PyTorch's name, without "aten::"
    share: float  # of the time in all kernels
    calls: int  # of the kernel, in one call of the operator
    versions: str
    machine: str


def read_parts(path: Path | None = None) -> list[Part]:
    """Read recorded profiles; by default those of the CPU, none if there are none."""
    return read_as(Part, path or FOLDER / "profiles.csv")


def profile_of(key: Key) -> list[Part]:
    """Look up the parts of one contestant on one workload, or of the one behind a goal."""
    wanted = without_onnxruntime(key)
    return [
        part
        for part in read_parts()
        if (part.operator, part.shape, part.direction, part.contestant) == wanted
    ]


def without_onnxruntime(key: Key) -> Key:
    """Name the contestant of ours whose time stands behind a goal."""
    *workload, column = key
    operator, shape, direction = workload
    return operator, shape, direction, column.removesuffix(AGAINST_ONNXRUNTIME)
