"""The commands for a GPU: they install nothing, and say so where there is none."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BARE = """
import sys
sys.path[:0] = [{stand_ins!r}, {source!r}]
import jaxtyping, lazy_loader
assert "stand_ins" in jaxtyping.__file__ and "stand_ins" in lazy_loader.__file__
import torch
import roilearn
from roilearn.bench.gpu import operators
from roilearn.kernels import launch
boxes = torch.tensor([[0.0, 1, 1, 5, 5]])
features = torch.ones(1, 1, 6, 6)
for implementation in (roilearn.kernels, roilearn.ops, operators.kernels):
    print(implementation.roi_align(features, boxes, 1, 1.0, 1).item(), callable(implementation.nms))
"""


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


def test_stand_ins_are_enough_for_the_operators_the_kernels_and_their_measurement():
    text = BARE.format(stand_ins=str(HERE / "stand_ins"), source=str(ROOT / "src"))
    done = run("-c", text, TRITON_INTERPRET="1")
    assert done.stdout.split() == ["1.0", "True"] * 3, done.stderr[-2000:]


def test_without_a_gpu_nothing_is_run():
    done = run(HERE / "on_gpu.py", "test", CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 0
    assert "Skipped, nothing has been run: torch finds no CUDA device." in done.stdout
