"""However a run ends, what it has learned is saved and the same command goes on."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace

import pytest
import torch
from safetensors import safe_open
from torch.optim.optimizer import register_optimizer_step_post_hook
from toy_command import TINY
from toy_training import SETTINGS, Noise, Toy

from roilearn.train import DataError, read_loss_log, train
from roilearn.train.run_folder import run_files

SIGNALS = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]
TWO = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]


def command(folder, workers, steps=4000, launch=()):
    sizes = ["--steps", steps, "--batch-size", 2, "--scenes", 30, "--validation-scenes", 2]
    model = ["--ema-decay", 0.5, "--workers", workers, "--model-options", json.dumps(TINY)]
    words = [*launch, "-m", "roilearn", "train", folder, *sizes, *model]
    return [sys.executable, *map(str, words)]


def start(words):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        words, stderr=subprocess.PIPE, text=True, start_new_session=True, env=environment
    )


def wait_for_steps(run, folder, steps=3):
    while len(steps_of(folder)) < steps:
        assert run.poll() is None, run.stderr.read()
        time.sleep(0.05)


def steps_of(folder):
    file = folder / "losses.csv"
    return read_loss_log(file).get("step", []) if file.is_file() else []


def saved_step(folder):
    with safe_open(folder / "checkpoint.safetensors", "pt") as file:
        return json.loads(file.metadata()["about"])["step"]


@pytest.mark.parametrize(("number", "workers"), list(zip(SIGNALS, (2, 1, 0), strict=True)))
def test_a_signal_to_all_of_its_processes_saves_a_run(tmp_path, number, workers):
    run = start(command(tmp_path, workers))
    wait_for_steps(run, tmp_path)
    os.killpg(run.pid, number)
    said = run.communicate()[1]
    step = saved_step(tmp_path)
    assert f"interrupted after step {step}, which is saved; the same command goes on" in said
    assert (run.returncode, "Traceback" in said) == (130, False)
    assert steps_of(tmp_path) == list(range(1, step + 1))


def test_a_signal_saves_a_run_of_two_processes(tmp_path):
    run = start(command(tmp_path, 1, launch=TWO))
    wait_for_steps(run, tmp_path)
    os.killpg(run.pid, signal.SIGTERM)
    said = run.communicate()[1]
    assert f"interrupted after step {saved_step(tmp_path)}, which is saved" in said


def children_of(process):
    """Processes that one has started, as the system lists them."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], text=True, capture_output=True)  # noqa: PLW1510
    pairs = (map(int, line.split()) for line in listed.stdout.splitlines())
    return [pid for pid, parent in pairs if parent == process]


def test_a_process_that_loads_images_may_die(tmp_path):
    run = start(command(tmp_path, 2))
    wait_for_steps(run, tmp_path)
    os.kill(max(children_of(run.pid)), signal.SIGKILL)
    said = run.communicate()[1]
    assert "a process that loads images has ended by itself" in said
    assert "or --workers 0" in said
    step = saved_step(tmp_path)
    assert f"Step {step} is saved; the same command goes on from there." in said
    assert (run.returncode, "Traceback" in said, step > 1) == (1, False, True)


def test_the_first_process_saves_when_another_fails(tmp_path):
    run = start(command(tmp_path, 1, launch=TWO))
    wait_for_steps(run, tmp_path)
    (loading,) = children_of(max(children_of(run.pid)))  # of the second process
    os.kill(loading, signal.SIGKILL)
    said = run.communicate()[1]
    assert "a process that loads images has ended by itself" in said
    assert "another of the processes that train together has failed" in said
    assert f"Step {saved_step(tmp_path)} is saved; the same command goes on from there." in said
    assert saved_step(tmp_path) == steps_of(tmp_path)[-1]


class Failing(Toy):
    """Raises an error in the second micro-batch of a step, when running statistics have changed."""

    def forward(self, images, targets):
        losses = super().forward(images, targets)
        if self.calls == 8:
            raise RuntimeError("out of something")
        return losses


def quiet(*arguments):
    return train(*arguments, progress=False)


@pytest.mark.parametrize("error", ["in the step", "in the data"])
def test_an_error_within_a_step_leaves_the_steps_before_it(tmp_path, error):
    settings = replace(SETTINGS, micro_batches=2, workers=0)
    items = Noise()
    model = Failing() if error == "in the step" else Toy()
    if error == "in the data":
        items.__class__ = type("Missing", (Noise,), {"__getitem__": missing_after(14)})
    with pytest.raises((RuntimeError, DataError)) as caught:
        quiet(model, items, settings, tmp_path)
    assert caught.value.__notes__ == ["Step 3 is saved; the same call goes on from there."]
    found, whole = Toy(), Toy()
    quiet(found, Noise(), settings, tmp_path)
    quiet(whole, Noise(), settings)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(found.state_dict()[name], tensor), name


def missing_after(count):
    """Make the access to a data set whose items are gone after so many."""
    left = iter(range(count))

    def item(self, index):
        if next(left, None) is None:
            raise FileNotFoundError("image.png")
        return Noise.__getitem__(self, index)

    return item


def test_an_error_within_the_update_leaves_the_older_checkpoint(tmp_path):
    calls = iter(range(7))

    def interrupting(*_):
        if next(calls, None) is None:
            raise KeyboardInterrupt

    hook = register_optimizer_step_post_hook(interrupting)
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            quiet(Toy(), Noise(), SETTINGS, tmp_path)
    finally:
        hook.remove()
    assert caught.value.__notes__ == ["Step 5 of 7 is saved; the same call goes on from there."]
    assert saved_step(tmp_path) == 5


def test_a_full_disk_does_not_end_a_run(tmp_path, caplog):
    """Checkpoints of 5 and 10 steps do not fit; then there is room again."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    settings = replace(SETTINGS, steps=12, save_every=5)

    class Filling(Toy):
        def forward(self, images, targets):
            limit = 300 if self.calls < 11 else before[0]
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
            return super().forward(images, targets)

    try:
        quiet(Filling(), Noise(), settings, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    said = caplog.text
    assert said.count("is not saved") == 2
    assert "the checkpoint of step 10 is not saved: " in said
    assert said.count("losses.csv cannot be written") == 1
    assert saved_step(tmp_path) == 12
    assert steps_of(tmp_path) == list(range(1, 13))
    assert not list(tmp_path.glob("*.part"))


def test_an_interrupt_on_a_full_disk_says_which_step_is_saved(tmp_path, monkeypatch):
    class Interrupted(Toy):
        def forward(self, images, targets):
            if self.calls == 6:
                monkeypatch.setattr(run_files, "save_checkpoint", full)
                signal.raise_signal(signal.SIGTERM)
            return super().forward(images, targets)

    def full(*_):
        raise OSError(28, "No space left on device")

    with pytest.raises(KeyboardInterrupt, match=r"after step 7\. Step 5 of 7 is saved; the same"):
        quiet(Interrupted(), Noise(), SETTINGS, tmp_path)


def test_a_run_can_be_made_longer(tmp_path, caplog):
    short, long = replace(SETTINGS, steps=4), replace(SETTINGS, steps=9)
    quiet(Toy(), Noise(), short, tmp_path)
    model = Toy()
    quiet(model, Noise(), long, tmp_path)
    assert model.calls == 5
    assert "made longer, from 4 to 9 steps: from step 5 on the learning rate" in caplog.text
    rates = read_loss_log(tmp_path / "losses.csv")["learning_rate"]
    quiet(Toy(), Noise(), long, tmp_path / "whole")
    assert rates[4:] == read_loss_log(tmp_path / "whole" / "losses.csv")["learning_rate"][4:]
    with pytest.raises(ValueError, match="steps 9 then and 4 now"):
        quiet(Toy(), Noise(), short, tmp_path)


def test_a_signal_that_is_ignored_stays_so(tmp_path):
    """``nohup`` ignores SIGHUP, so that a run outlives the terminal."""

    class Closed(Toy):
        def forward(self, images, targets):
            signal.raise_signal(signal.SIGHUP)
            return super().forward(images, targets)

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with suppress(KeyboardInterrupt):  # which would leave one step, and end pytest
            quiet(Closed(), Noise(), replace(SETTINGS, steps=2), tmp_path)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert saved_step(tmp_path) == 2
