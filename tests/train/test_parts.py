"""Settings, schedule, optimizer, sampler, table and picture, each by itself."""

import math
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from toy_training import SETTINGS, Noise, Toy

from roilearn.train import Settings, learning_rate, read_record
from roilearn.train.curves import draw_curves
from roilearn.train.optimizer import keeps, make_average, make_optimizer
from roilearn.train.processes import Processes
from roilearn.train.record import Record
from roilearn.train.sampler import Parts, draw_item, load_parts


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"steps": 0}, "steps must be at least 1"),
        ({"steps": 2.5}, "steps must be a whole number"),
        ({"batch_size": True}, "batch_size must be a whole number"),
        ({"seed": -1}, "seed must lie from 0"),
        ({"workers": -1}, "workers must lie from 0"),
        ({"learning_rate": 0}, "learning_rate must be above 0"),
        ({"learning_rate": math.nan}, "learning_rate must be above 0"),
        ({"learning_rate": math.inf}, "learning_rate must be finite"),
        ({"learning_rate": "0.1"}, "learning_rate must be a number"),
        ({"clip": -1}, "clip must be above 0"),
        ({"weight_decay": -0.1}, "weight_decay must be 0 or more"),
        ({"warm_up": 30}, "warm_up must lie from 0 to 1"),
        ({"average": 1}, "average must be below 1"),
        ({"schedule": "linear"}, "schedule must be one of"),
        ({"optimizer": "adam"}, "optimizer must be one of"),
        ({"precision": "half"}, "precision must be one of"),
        ({"shares": 3}, "shares must divide batch_size"),
    ],
    ids=str,
)
def test_a_bad_setting_is_named(change, words):
    with pytest.raises((TypeError, ValueError), match=words):
        replace(SETTINGS, **change)


def rates(**settings):
    settings = Settings(steps=90, learning_rate=2.0, **settings)
    return np.array([learning_rate(step, settings) for step in range(90)])


@pytest.mark.parametrize("schedule", ["cosine", "steps", "constant"])
def test_the_rate_rises_in_a_line_and_never_rises_again(schedule):
    found = rates(schedule=schedule, warm_up=0.1)
    assert np.allclose(np.diff(found[:9]), 2 / 9)
    assert found[8] == found[9] == found.max() == 2
    assert (np.diff(found[8:]) <= 0).all()


def test_each_schedule_falls_as_its_name_says():
    cosine, steps = rates(warm_up=0), rates(schedule="steps", warm_up=0)
    assert cosine[45] == pytest.approx(1)
    assert np.allclose(cosine[1:45] + cosine[:45:-1], 2)  # half a wave is odd about its middle
    assert 0 < cosine[-1] < 0.002
    assert steps[[59, 60, 79, 80]] == pytest.approx([2, 0.2, 0.2, 0.02])
    assert (rates(schedule="constant", warm_up=0) == 2).all()


def test_a_run_that_only_warms_up_reaches_its_rate_in_the_last_step():
    assert rates(warm_up=1)[-1] == 2


def test_weight_decay_is_for_tensors_of_more_than_one_dimension():
    model = Toy()
    model.layers[4].requires_grad_(False)
    decayed, other = make_optimizer(model, replace(SETTINGS, weight_decay=0.3)).param_groups
    assert [each.ndim for each in decayed["params"]] == [4]
    assert {each.ndim for each in other["params"]} == {1}
    assert len(other["params"]) == 3
    assert (decayed["weight_decay"], other["weight_decay"]) == (0.3, 0)


def test_the_average_follows_the_weights_and_the_running_statistics():
    model = nn.BatchNorm1d(2)
    average = make_average(model, 0.4)
    wanted = None
    for done, value in enumerate([5.0, -1.0, 2.0, 8.0, 0.0]):
        nn.init.constant_(model.weight, value)
        model.running_mean.fill_(10 * value)
        average.update_parameters(model)
        share = min(0.4, (1 + done) / (10 + done))
        wanted = value if wanted is None else share * wanted + (1 - share) * value
    assert average.module.weight.tolist() == pytest.approx([wanted] * 2)
    assert average.module.running_mean.tolist() == pytest.approx([10 * wanted] * 2)
    assert keeps(10**6, 0.4) == 0.4
    assert make_average(model, 0) is None


def test_every_epoch_goes_once_through_all_in_an_order_of_its_own():
    epochs = [[draw_item(draw, 30, 1) for draw in range(30 * e, 30 * e + 30)] for e in range(3)]
    assert all(sorted(epoch) == list(range(30)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]
    assert epochs[0] != [draw_item(draw, 30, 2) for draw in range(30)]


def test_a_resumed_run_draws_the_rest():
    settings = replace(SETTINGS, shares=2)
    all_of_it = list(Parts(10, settings, 0, Processes()))
    assert len(all_of_it) == len(Parts(10, settings, 0, Processes())) == 20
    assert list(Parts(10, settings, 5, Processes())) == all_of_it[10:]
    assert [draw for part in all_of_it for draw, _ in part] == list(range(40))


def test_processes_divide_the_parts_among_them():
    settings = replace(SETTINGS, shares=4)
    alone = list(Parts(10, settings, 3, Processes()))
    first, second = (list(Parts(10, settings, 3, Processes(rank, 2))) for rank in (0, 1))
    together = [part for k in range(0, 14, 2) for part in (*first[k : k + 2], *second[k : k + 2])]
    assert together == alone
    with pytest.raises(ValueError, match=r"shares must be a multiple.*4 for 3 processes"):
        Processes(0, 3).own(4)


def test_what_is_random_in_an_item_depends_on_the_draw():
    parts = list(load_parts(Noise(2), SETTINGS, 0, Processes()))
    later = list(load_parts(Noise(2), SETTINGS, 7, Processes()))
    for (images, _), (again, _) in zip(parts[7:], later, strict=True):
        assert all(map(torch.equal, images, again))
    noise = {tuple(image.flatten().tolist()) for images, _ in parts for image in images}
    assert len(noise) == SETTINGS.steps * SETTINGS.batch_size  # an item is never the same twice


def test_workers_can_be_started_afresh_as_on_windows_and_macos():
    loader = load_parts(Noise(), replace(SETTINGS, workers=1), 0, Processes())
    handed = (loader.dataset, loader.collate_fn, loader.worker_init_fn)
    dataset, collate, begin = pickle.loads(pickle.dumps(handed))  # noqa: S301  pickled here
    assert (collate, begin) == handed[1:]
    assert torch.equal(dataset[7, 3][0], loader.dataset[7, 3][0])


def test_a_table_that_was_cut_short_goes_on_in_the_right_row(tmp_path):
    path = tmp_path / "losses.csv"
    path.write_text("step,loss\n1,3\n2,2\n3,1\n4,0.", encoding="utf-8")
    with Record(path, 2) as record:
        record.add({"step": 3, "loss": 7.0})
    assert read_record(path) == {"step": [1, 2, 3], "loss": [3, 2, 7]}
    with Record(path, 0) as record:
        record.add({"step": 1, "loss": 9.0})
    assert read_record(path) == {"step": [1], "loss": [9]}


@pytest.mark.parametrize("rows", [1, 2, 45])
def test_curves_of_any_length_are_drawn(tmp_path, rows):
    with Record(tmp_path / "losses.csv", 0) as record:
        for step in range(1, rows + 1):
            numbers = {"learning_rate": 0.1, "gradient": 2.0, "loss": 1 / step, "loss_mask": 0.0}
            record.add({"step": step, **numbers})
    draw_curves(tmp_path / "losses.csv", tmp_path / "curves.svg")
    assert "<svg" in (tmp_path / "curves.svg").read_text(encoding="utf-8")
