"""Run the tests of the kernels in Triton's interpreter, or on a GPU (``make test-gpu``).

On a GPU there may be neither jaxtyping nor lazy-loader; ``stand_ins`` then stand in for them.
"""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).with_name("stand_ins")))  # last: what is installed comes first
collect_ignore = ["compile_all.py", "on_gpu.py", "stand_ins"]
INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
collect_ignore += (
    ["test_on_gpu.py"] if INTERPRETED else ["test_compile.py", "test_without_installing.py"]
)
if not find_spec("triton"):  # it exists for Linux alone
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def device():
    """Device of the tensors of a test."""
    return "cpu" if INTERPRETED else "cuda"
