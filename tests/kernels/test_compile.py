"""Every kernel compiles for the GPUs of today: a process without the interpreter tries."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

KERNELS = (
    "average gather keep_largest list_boxes mark_pairs one_bin one_number pay_winners pull_edges "
    "scatter settle several_bins"
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
    assert float(several_bins) < float(one_bin) / 3  # as the book's page on GPUs says
