"""A run of version 0.2.0 that was interrupted after two of four steps can be resumed.

Its folder lies beside this file, with the command line that made it and a model file of that
version.
"""

import shlex
from pathlib import Path
from shutil import copytree

import pytest
import torch
from safetensors.torch import load_file

from roilearn.cli import main
from roilearn.models import load_model
from roilearn.train import read_loss_log

OLD_RUN = Path(__file__).with_name("run_of_version_0_2")
COMMAND = shlex.split((OLD_RUN / "command.txt").read_text(encoding="utf-8").splitlines()[0])[1:]
RENAMED = {
    "--shares": "--micro-batches",
    "--clip": "--max-grad-norm",
    "--average": "--ema-decay",
    "--warm-up": "--warmup-fraction",
    "--evaluate": "--validation-scenes",
}


def in_folder(folder):
    """Arguments of the old command, for another folder."""
    return [str(folder) if word == "run" else word for word in COMMAND]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Folder of the same run, made now and not interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    assert main(in_folder(folder)) == 0
    return folder


def test_the_old_command_resumes_it_and_ends_as_a_run_of_today(tmp_path, capsys, whole):
    capsys.readouterr()
    folder = copytree(OLD_RUN, tmp_path / "run")
    assert main(in_folder(folder)) == 0
    said = capsys.readouterr().err
    assert "resumes from step 2 of 4" in said
    for old, new in RENAMED.items():
        assert f"roilearn train: {old} is now called {new}" in said
    log, expected = (read_loss_log(each / "losses.csv") for each in (folder, whole))
    assert log.keys() == expected.keys()
    for name, values in log.items():
        assert values == pytest.approx(expected[name], rel=1e-3), name
    found, wanted = (load_file(each / "model.safetensors") for each in (folder, whole))
    assert all(torch.allclose(found[name], wanted[name], atol=1e-4) for name in wanted)


def test_its_loss_log_is_read_with_the_columns_of_today():
    assert "grad_norm" in read_loss_log(OLD_RUN / "losses.csv")


def test_other_settings_are_refused_under_their_new_names(tmp_path, capsys):
    folder = copytree(OLD_RUN, tmp_path / "run")
    assert main([*in_folder(folder), "--ema-decay", "0.75", "--micro-batches", "1"]) == 2
    said = capsys.readouterr().err
    assert "--ema-decay 0.5 then and 0.75 now" in said
    assert "--micro-batches 2 then and 1 now" in said


def test_a_model_file_of_that_version_is_loaded():
    model, names = load_model(OLD_RUN / "model.safetensors")
    assert names == ("disc", "square", "triangle")
    assert model.roi_heads.options.positive_fraction == 0.5
    assert model.roi_heads.options.batch_size_per_image == 16
