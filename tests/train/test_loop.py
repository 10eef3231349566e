"""Training goes on as if nothing had happened, and stops where it must."""

import math
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn
from toy_training import KILL, SETTINGS, TINY_SETTINGS, Noise, Toy, tiny

from roilearn.data import ShapeScenes
from roilearn.train import read_loss_log
from roilearn.train import train as loud_train

train = partial(loud_train, progress=False)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Model, average and table of a run that nobody interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    model = Toy()
    return model, train(model, Noise(), SETTINGS, folder), (folder / "losses.csv").read_bytes()


class Interrupted(Toy):
    """Presses Ctrl-C during a forward pass."""

    def __init__(self, call):
        super().__init__()
        self.call = call

    def forward(self, images, targets):
        if self.calls + 1 == self.call:
            signal.raise_signal(signal.SIGINT)
        return super().forward(images, targets)


def once(action):
    """Make a hook that acts when it is first called."""
    actions = iter([action])
    return lambda *_: next(actions, lambda: None)()


def assert_same(one, other):
    assert one.state_dict().keys() == other.state_dict().keys()
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


def assert_goes_on_to(whole, folder):
    model, average, table = whole
    mine = Toy()
    found = train(mine, Noise(), SETTINGS, folder)
    assert mine.calls < SETTINGS.steps  # it did not begin anew
    assert_same(mine, model)
    assert_same(found, average)
    assert (folder / "losses.csv").read_bytes() == table
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")


class Plain(nn.Module):
    """One weight, whose gradient is the mean of the values."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, _, targets):
        return {"loss": torch.stack([self.weight * target["value"] for target in targets]).mean()}


def test_shares_add_up_to_the_whole_batch():
    moved = []
    for micro_batches in (1, 2, 4):
        settings = replace(
            SETTINGS,
            steps=3,
            micro_batches=micro_batches,
            optimizer="sgd",
            max_grad_norm=math.inf,
            ema_decay=0,
        )
        moved.append(train(Plain(), Noise(), settings).weight.item())
    assert moved[0] != 0
    assert moved == pytest.approx([moved[0]] * 3, rel=1e-6)


def test_each_step_goes_at_its_own_rate():
    settings = replace(
        SETTINGS, steps=2, warmup_fraction=1, learning_rate=1.0, max_grad_norm=1e-3, ema_decay=0
    )
    model = train(Plain(), Noise(), replace(settings, optimizer="sgd", weight_decay=0))
    # half the rate, then the whole of it; SGD's second step has 0.9 of the first in it
    assert model.weight.item() == pytest.approx(-1e-3 * (0.5 + 1.9), rel=1e-3)


def test_after_its_first_step_the_average_is_the_model():
    model = Toy()
    assert_same(train(model, Noise(), replace(SETTINGS, steps=1)), model)


def test_every_share_of_every_step_draws_its_own_random_numbers():
    drawn = set()

    class Drawing(Toy):
        def forward(self, images, targets):
            drawn.add(torch.rand(()).item())
            return super().forward(images, targets)

    train(Drawing(), Noise(), replace(SETTINGS, steps=3, micro_batches=2))
    assert len(drawn) == 6


def test_the_gradient_is_scaled_down_to_the_maximum_norm():
    settings = replace(
        SETTINGS, steps=1, optimizer="sgd", learning_rate=1.0, warmup_fraction=0, ema_decay=0
    )
    for max_grad_norm in (1e-3, 1e-2):
        model = Toy()
        train(model, Noise(), replace(settings, max_grad_norm=max_grad_norm, weight_decay=0))
        pairs = zip(model.parameters(), Toy().parameters(), strict=True)
        moved = nn.utils.get_total_norm([now - before for now, before in pairs])
        assert moved.item() == pytest.approx(max_grad_norm, rel=1e-3)


@pytest.mark.parametrize("call", [1, 5, 8])
def test_after_ctrl_c_a_run_ends_with_the_same_weights(whole, tmp_path, call):
    with pytest.raises(KeyboardInterrupt, match=f"after step {call}, which is saved"):
        train(Interrupted(call), Noise(), SETTINGS, tmp_path)
    assert read_loss_log(tmp_path / "losses.csv")["step"] == list(range(1, call + 1))
    assert_goes_on_to(whole, tmp_path)


def test_a_second_ctrl_c_does_not_wait(tmp_path):
    class Impatient(Toy):
        def forward(self, images, targets):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            return super().forward(images, targets)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(Impatient(), Noise(), SETTINGS, tmp_path)
    assert signal.getsignal(signal.SIGINT) is before
    assert not (tmp_path / "checkpoint.safetensors").exists()


def test_neither_generators_nor_modes_before_the_run_matter(whole):
    model = Toy().eval()
    torch.manual_seed(99)
    assert_same(train(model, Noise(), SETTINGS), whole[1])


def test_seeds_and_shares_matter(whole):
    for change in ({"seed": 4}, {"micro_batches": 2}):
        found = train(Toy(), Noise(), replace(SETTINGS, **change))
        assert not torch.equal(found.layers[0].weight, whole[1].layers[0].weight)


def test_without_an_average_the_model_itself_comes_back():
    model = Toy()
    assert train(model, Noise(), replace(SETTINGS, steps=2, ema_decay=0)) is model


def test_a_finished_run_is_not_done_again(tmp_path):
    settings = replace(SETTINGS, steps=2)
    first = train(Toy(), Noise(), settings, tmp_path)
    again = Toy()
    assert_same(train(again, Noise(), settings, tmp_path), first)
    assert again.calls == 0
    train(again, Noise(), settings, tmp_path, resume=False)
    assert again.calls == 2
    assert len(read_loss_log(tmp_path / "losses.csv")["step"]) == 2


class Diverging(Toy):
    def forward(self, images, targets):
        losses = super().forward(images, targets)
        return losses if self.calls < 4 else {**losses, "loss_spread": losses["loss_spread"] / 0}


def test_a_loss_that_is_no_number_stops_the_run_and_spares_the_weights(tmp_path):
    model, short = Diverging(), Toy()
    with pytest.raises(FloatingPointError, match=r"step 4 .*spread inf.* lower learning_rate"):
        train(model, Noise(), replace(SETTINGS, schedule="constant", warmup_fraction=0), tmp_path)
    train(short, Noise(), replace(SETTINGS, schedule="constant", warmup_fraction=0, steps=3))
    for one, other in zip(model.parameters(), short.parameters(), strict=True):
        assert torch.equal(one, other)


def test_bfloat16_computes_in_bfloat16_and_keeps_weights_in_float32():
    class Watching(Toy):
        def forward(self, images, targets):
            losses = super().forward(images, targets)
            self.seen = self.layers(torch.stack(images)).dtype
            return losses

    model = Watching()
    found = train(model, Noise(), replace(SETTINGS, steps=2, precision="bfloat16"))
    assert model.seen == torch.bfloat16
    assert {each.dtype for each in found.parameters()} == {torch.float32}
    with pytest.raises(ValueError, match=r"float16.*needs CUDA"):
        train(Toy(), Noise(), replace(SETTINGS, precision="float16"))


def test_bad_arguments_are_refused_before_any_work(tmp_path):
    with pytest.raises(ValueError, match="at least one item"):
        train(Toy(), Noise(0), SETTINGS, tmp_path)
    with pytest.raises(TypeError, match="dataset must have a length and items by number"):
        train(Toy(), None, SETTINGS, tmp_path)
    with pytest.raises(TypeError, match="model must be a Module; got NoneType"):
        train(None, Noise(), SETTINGS, tmp_path)
    with pytest.raises(TypeError, match=r"settings must be a Settings; got dict.*\(\*\*settings\)"):
        train(Toy(), Noise(), {"steps": 1}, tmp_path)
    with pytest.raises(TypeError, match="resume"):
        train(Toy(), Noise(), SETTINGS, tmp_path, resume="no")
    with pytest.raises(ValueError, match="trainable parameters"):
        train(Toy().requires_grad_(False), Noise(), SETTINGS, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_bar_shows_losses(capsys):
    loud_train(Toy(), Noise(), replace(SETTINGS, steps=3))
    assert "square" in capsys.readouterr().err


def test_after_a_kill_a_run_ends_with_the_same_weights(whole, tmp_path):
    script = Path(__file__).parents[1] / "toy_training.py"
    done = subprocess.run([sys.executable, script, tmp_path, "--kill-at", "8"], check=False)
    assert done.returncode in (-KILL, KILL)
    assert (
        len(read_loss_log(tmp_path / "losses.csv")["step"]) == 7
    )  # two of them after the checkpoint of step 5
    assert_goes_on_to(whole, tmp_path)


@pytest.mark.parametrize(
    "change", [{"workers": 1}, {"save_every": 10}], ids=["workers", "save_every"]
)
def test_neither_workers_nor_checkpoints_change_the_weights(whole, tmp_path, change):
    found = train(Toy(), Noise(), replace(SETTINGS, **change), tmp_path)
    assert_same(found, whole[1])


def test_a_mask_rcnn_goes_on_as_well(tmp_path):
    scenes = ShapeScenes(20, size=64)
    whole = train(tiny(), scenes, TINY_SETTINGS)
    model = tiny()
    model.rpn.register_forward_hook(once(partial(signal.raise_signal, signal.SIGINT)))
    with pytest.raises(KeyboardInterrupt, match="after step 1"):
        train(model, scenes, TINY_SETTINGS, tmp_path)
    assert_same(train(tiny(), scenes, TINY_SETTINGS, tmp_path), whole)
    columns = read_loss_log(tmp_path / "losses.csv")
    losses = [columns[name] for name in columns if name.startswith("loss_")]
    assert len(losses) == 5
    assert [sum(row) for row in zip(*losses, strict=True)] == pytest.approx(
        columns["loss"], rel=1e-4
    )


def test_it_learns():
    settings = replace(SETTINGS, steps=150, learning_rate=0.02, ema_decay=0.9)
    model = train(Toy(), Noise(), settings)
    assert not model.training
    torch.manual_seed(0)
    items = [Noise()[index] for index in range(10)]
    losses = model([image for image, _ in items], [target for _, target in items])
    assert losses["loss_square"] < 0.02  # 0.08 for a guess of the middle


def test_evaluations_change_nothing_and_come_when_they_are_due(whole, tmp_path):
    steps = []

    def evaluation(model, step):
        model.eval()
        with torch.no_grad():
            torch.rand(3)
        steps.append(step)
        model.train()

    settings = replace(SETTINGS, evaluate_every=3)
    assert_same(train(Toy(), Noise(), settings, tmp_path, evaluation=evaluation), whole[1])
    assert steps == [3, 6, 9]
    steps.clear()
    train(Toy(), Noise(), replace(SETTINGS, steps=6, evaluate_every=3), evaluation=evaluation)
    assert steps == [3]  # what comes back is for whoever has called to evaluate


def test_a_signal_during_an_evaluation_ends_it_and_then_the_run(tmp_path):
    ended = []

    def evaluation(*_):
        signal.raise_signal(signal.SIGTERM)
        ended.append("not at once")

    settings = replace(SETTINGS, evaluate_every=3)
    with pytest.raises(KeyboardInterrupt, match="after step 4, which is saved"):
        train(Toy(), Noise(), settings, tmp_path, evaluation=evaluation)
    assert ended == []
