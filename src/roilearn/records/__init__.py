"""Reading the recorded results of torchvision's CUDA kernels; needs NumPy alone.

The record is the folder ``cuda`` beside this file, written by ``tests/cuda_record/record_cuda.py``.
``roilearn.cuda_record`` compares this package with it.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "cuda"
FORMAT = 1
UNIT = 64
"""Inputs are multiples of 1/64 and stored as integers."""


@dataclass(frozen=True)
class Case:
    """One recorded call. ``results`` holds ``forward`` and, where there is one, ``gradient``."""

    name: str
    operator: str
    group: str
    options: dict[str, Any]
    inputs: dict[str, np.ndarray]
    results: dict[str, np.ndarray]
    facts: dict[str, Any]


@dataclass(frozen=True)
class Record:
    """The machine that recorded, and every case."""

    machine: dict[str, Any]
    cases: tuple[Case, ...]

    def of(self, operator: str, group: str = "ordinary") -> list[Case]:
        """Return the cases of one operator and group: ordinary, pyramid, borderline or unsafe."""
        return [c for c in self.cases if (c.operator, c.group) == (operator, group)]

    @property
    def operators(self) -> tuple[str, ...]:
        """Names of the recorded operators."""
        return tuple(sorted({case.operator for case in self.cases}))


def read(folder: Path = FOLDER, device: str = "cuda") -> Record | None:
    """Read the record in ``folder``; None where nothing has been recorded.

    Raises
    ------
    ValueError: a record that is damaged or empty, of another format, or not of ``device``.
    """
    if not (folder / "manifest.json").exists():
        return None
    manifest = json.loads((folder / "manifest.json").read_text())
    found = manifest["machine"]["device"]
    if (manifest["format"], found) != (FORMAT, device):
        raise ValueError(
            f"the record in {folder} must have format {FORMAT} and device {device}; got format "
            f"{manifest['format']} and device {found}. Record it again."
        )
    file = folder / manifest["values"]["file"]
    if not file.exists() or _checksum(file) != manifest["values"]["sha256"]:
        raise ValueError(f"{file} must be the file that the manifest names. Record it again.")
    if not manifest["cases"]:
        raise ValueError(f"the record in {folder} must hold cases; got none. Record it again.")
    with np.load(file) as values:
        inputs, results = values["sixty_fourths"] / np.float32(UNIT), values["results"]
    return Record(
        manifest["machine"], tuple(_case(line, inputs, results) for line in manifest["cases"])
    )


def _checksum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _case(line: dict[str, Any], inputs: np.ndarray, results: np.ndarray) -> Case:
    return Case(
        line["name"],
        line["operator"],
        line["group"],
        line["options"],
        {name: _slice(inputs, place) for name, place in line.get("inputs", {}).items()},
        {name: _slice(results, place) for name, place in line.get("results", {}).items()},
        line,
    )


def _slice(flat: np.ndarray, place: dict[str, Any]) -> np.ndarray:
    size = int(np.prod(place["shape"]))
    return flat[place["at"] : place["at"] + size].reshape(place["shape"]).astype(np.float32)
