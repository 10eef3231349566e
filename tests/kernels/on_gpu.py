"""Test or measure the kernels on a GPU, with any Python that has torch, torchvision and Triton.

    python tests/kernels/on_gpu.py test      also needs pytest
    python tests/kernels/on_gpu.py bench     writes benchmarks/results/gpu.csv

Nothing is installed. Without a GPU it says so and does nothing.
"""

import importlib
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def find_gpu():
    """What is missing, in words; nothing if all is there."""
    for name in ("torch", "torchvision", "triton", "numpy"):
        try:
            importlib.import_module(name)
        except ImportError as error:
            return f"{name} cannot be imported by {sys.executable} ({error})"
    return "" if sys.modules["torch"].cuda.is_available() else "torch finds no CUDA device"


def main(task):
    os.environ["TRITON_INTERPRET"] = "0"
    sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]
    sys.path.append(str(HERE / "stand_ins"))  # last: what is installed comes first
    if missing := find_gpu():
        print(f"Skipped, nothing has been run: {missing}.")
        return 0
    if task == "bench":
        importlib.import_module("roilearn.bench.gpu.operators").main()
        return 0
    options = ["-c", HERE / "gpu.ini", "--rootdir", HERE, "--confcutdir", HERE, "-p"]
    options += ["no:cacheprovider", "--import-mode=importlib", "-q", HERE]
    return int(importlib.import_module("pytest").main([str(option) for option in options]))


if __name__ == "__main__":
    if sys.argv[1:] not in (["test"], ["bench"]):
        raise SystemExit(__doc__)
    raise SystemExit(main(sys.argv[1]))
