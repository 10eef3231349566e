"""Every kernel compiles for a GPU, in a process without the interpreter."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KERNELS = (
    "box_gradient feature_gradient_atomic feature_gradient_gathered find_overlapping_pairs "
    "list_boxes max_pool_backward max_pool_forward one_bin one_number roi_align_forward "
    "several_bins suppress"
)


@pytest.mark.parametrize("capability", [90])
def test_every_kernel_compiles_without_a_gpu(capability):
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("compile_all.py"), str(capability)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"TRITON_INTERPRET": "0"},
    )
    names, _, counts = done.stdout.partition("\n")
    assert names.split() == [str(capability), *KERNELS.split()], done.stderr[-3000:]
    one, one_bin, several, several_bins = counts.split()
    assert (one, several) == ("one_bin", "several_bins")
    assert float(several_bins) < float(one_bin) / 3  # shared positions
