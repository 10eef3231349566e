"""What is decayed, and how the average follows."""

from dataclasses import replace

import pytest
from torch import nn
from toy_training import SETTINGS, Toy

from roilearn.train.optimizer import keeps, make_average, make_optimizer


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
