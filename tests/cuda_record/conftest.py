"""A record of the CPU kernels for the session, made as the CUDA record is made on a GPU."""

import importlib
import sys
from pathlib import Path

import pytest

from roilearn import records

sys.path.insert(0, str(Path(__file__).parent))
record_cuda = importlib.import_module("record_cuda")  # a script: of no package


@pytest.fixture(scope="session")
def safe_cases():
    return [case for case in record_cuda.every_case() if case.group != "unsafe"]


@pytest.fixture(scope="session")
def cpu_folder(tmp_path_factory, safe_cases):
    """Folder of a record of every case but the unsafe ones, by torchvision's CPU kernels."""
    folder = tmp_path_factory.mktemp("record")
    runner = record_cuda.Runner(
        Path(record_cuda.__file__), "cpu", tmp_path_factory.mktemp("workers")
    )
    assert record_cuda.record(folder, safe_cases, runner) == 0
    return folder


@pytest.fixture(scope="session")
def cpu_record(cpu_folder):
    return records.read(cpu_folder, device="cpu")
