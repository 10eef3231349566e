"""Two processes started by torchrun train as one does."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from toy_training import TINY_SETTINGS, tiny

from roilearn.data import ShapeScenes
from roilearn.train import process_group, read_loss_log, train

SCRIPT = Path(__file__).parents[1] / "toy_training.py"


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """Folder and output of two processes that have trained the tiny model."""
    folder = tmp_path_factory.mktemp("together")
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [sys.executable, *launch, SCRIPT, folder, "--tiny"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder, done.stderr


def test_they_end_with_the_weights_of_one_process(together, tmp_path):
    folder, _ = together
    torch.set_num_threads(1)
    train(tiny(), ShapeScenes(20, size=64), TINY_SETTINGS, tmp_path, progress=False)
    one, two = (load_file(each / "checkpoint.safetensors") for each in (tmp_path, folder))
    assert one.keys() == two.keys()
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=0, atol=1e-6, msg=name)
    columns = [read_loss_log(each / "losses.csv") for each in (tmp_path, folder)]
    for name, values in columns[0].items():
        assert columns[1][name] == pytest.approx(values, rel=1e-4), name


def test_only_the_first_writes_and_prints(together):
    folder, printed = together
    assert printed.count("| 0/3 ") == 1
    assert {each.name for each in folder.iterdir()} - {".lock"} == {
        "checkpoint.safetensors",
        "curves.png",
        "losses.csv",
    }


def test_one_that_fails_says_why_and_the_other_does_not_wait_for_it(tmp_path):
    done = subprocess.run(
        [sys.executable, SCRIPT, tmp_path, "--fail-together"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["1", "1"], done.stderr
    assert "OSError: the image is broken" in done.stderr


def test_without_torchrun_there_is_one():
    with process_group() as processes:
        assert (processes.rank, processes.world_size, processes.is_main) == (0, 1, True)
