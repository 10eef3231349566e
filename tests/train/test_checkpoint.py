"""A checkpoint is whole or refused, and holds all that a run needs."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from toy_training import SETTINGS, Noise, Toy

from roilearn.train import train as loud_train
from roilearn.train.loop import initial_state
from roilearn.train.run_folder.checkpoint import load_checkpoint, save_checkpoint
from roilearn.train.run_folder.checkpoint_header import (
    CheckpointError,
    completed_steps,
    dataset_metadata,
)

train = partial(loud_train, progress=False)
SHORT = replace(SETTINGS, steps=2)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    train(Toy(), Noise(), SHORT, folder)
    return (folder / "checkpoint.safetensors").read_bytes()


@pytest.fixture
def file(saved, tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(saved)
    return path


def fresh(model=None, settings=SHORT, **metadata):
    return initial_state(model or Toy(), settings, {**dataset_metadata(Noise()), **metadata})


def test_it_holds_the_model_its_average_and_what_the_optimizer_remembers(file):
    state = fresh()
    load_checkpoint(file, state)
    assert state.step == 2
    assert state.ema_model.n_averaged == 2
    held = load_file(file)
    for name, parameter in state.model.named_parameters():
        slots = state.optimizer.state[parameter]
        assert slots["step"] == 2
        assert torch.equal(slots["exp_avg"], held[f"optimizer.{name}.exp_avg"])
        assert slots["exp_avg"].stride() == parameter.stride()
        assert not torch.equal(parameter, held[f"ema_model.module.{name}"])


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_saved_again_it_holds_the_same(tmp_path, optimizer):
    settings = replace(SHORT, optimizer=optimizer)
    train(Toy(), Noise(), settings, tmp_path)
    first, again = tmp_path / "checkpoint.safetensors", tmp_path / "again.safetensors"
    state = fresh(settings=settings)
    load_checkpoint(first, state)
    save_checkpoint(again, state)
    with safe_open(first, "pt") as before, safe_open(again, "pt") as after:
        assert before.metadata() == after.metadata()
        assert list(before.keys()) == list(after.keys())
        for name in before.keys():  # noqa: SIM118
            assert torch.equal(before.get_tensor(name), after.get_tensor(name))


@pytest.mark.parametrize(
    "left", [0, 7, 500, -1], ids=["empty", "7 bytes", "half a header", "all but one"]
)
def test_a_torn_file_is_refused(file, left):
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(CheckpointError, match=r"cannot be read.*resume=False"):
        train(Toy(), Noise(), SHORT, file.parent)


def test_a_foreign_file_is_refused(file):
    save_file({"weight": torch.zeros(3)}, file)
    with pytest.raises(CheckpointError, match="must be one of a training run"):
        load_checkpoint(file, fresh())


def test_another_run_is_refused_and_named(file):
    other = replace(SHORT, learning_rate=0.5, workers=3, save_every=7)
    with pytest.raises(CheckpointError, match=r"learning_rate 0\.002 then and 0\.5 now\. To"):
        load_checkpoint(file, fresh(settings=other))
    with pytest.raises(CheckpointError, match="items of data 10 then and 11 now"):
        load_checkpoint(file, fresh(**{"items of data": 11}))


def test_other_data_and_another_beginning_are_refused_and_named(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    animals = Noise()
    animals.names, animals.seed = ["cat", "dog"], 3
    train(Toy(), animals, SHORT, tmp_path, metadata={"weights": "those of last week"})
    begun = {"weights": "those of last week"}
    train(Toy(), animals, SHORT, tmp_path, metadata=begun)
    assert completed_steps(path, SHORT, {**dataset_metadata(animals), **begun}) == 2
    with pytest.raises(CheckpointError, match="weights 'those of last week' then and 'missing'"):
        train(Toy(), animals, SHORT, tmp_path)
    animals.names, animals.seed = ["cat", "horse", "sheep"], 4
    said = (
        "class 2 'dog' then and 'horse' now, seed of data 3 then and 4 now, "
        "class 3 'missing' then and 'sheep' now"
    )
    with pytest.raises(CheckpointError, match=said):
        train(Toy(), animals, SHORT, tmp_path, metadata=begun)
    animals.names = list("abcdefgh")
    with pytest.raises(CheckpointError, match=r"and 4 more\. To start anew"):
        completed_steps(path, SHORT, {**dataset_metadata(animals), **begun})
    assert completed_steps(tmp_path / "nothing", SHORT, {}) == 0


def test_another_model_is_refused_and_nothing_changes(file):
    for change in (
        lambda model: model.layers.append(nn.Conv2d(1, 1, 1)),
        lambda model: setattr(model, "layers", model.layers[:4]),
        lambda model: model.layers.__setitem__(4, nn.Conv2d(4, 2, 3)),
    ):
        model = Toy()
        change(model)
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        state = fresh(model)
        with pytest.raises(CheckpointError, match=r"another model: \S*layers\.\d\S* is .* there"):
            load_checkpoint(file, state)
        assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
        assert not state.optimizer.state


def test_a_machine_that_stops_while_writing_leaves_the_file_of_before(file, saved, monkeypatch):
    state = fresh()
    load_checkpoint(file, state)
    state.step = 1

    def stop(*_):
        raise SystemExit

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(SystemExit):
        save_checkpoint(file, state)
    assert file.read_bytes() == saved
    monkeypatch.undo()
    save_checkpoint(file, state)
    load_checkpoint(file, again := fresh())
    assert again.step == 1
    assert [each.name for each in file.parent.iterdir()] == [file.name]


def test_its_header_says_what_the_settings_were(file):
    size = int.from_bytes(file.read_bytes()[:8], "little")
    header = json.loads(file.read_bytes()[8 : 8 + size])["__metadata__"]
    about = json.loads(header["about"])
    assert about["run"]["learning_rate"] == SHORT.learning_rate
    assert about["run"]["items of data"] == 10
    assert about["step"] == 2
