"""The moving average (EMA) of the weights."""

import pytest
from torch import nn

from roilearn.train.ema import ema_decay_at, make_ema_model


def test_the_moving_average_follows_the_weights_and_the_running_statistics():
    model = nn.BatchNorm1d(2)
    ema_model = make_ema_model(model, 0.4)
    wanted = None
    for updates, value in enumerate([5.0, -1.0, 2.0, 8.0, 0.0]):
        nn.init.constant_(model.weight, value)
        model.running_mean.fill_(10 * value)
        ema_model.update_parameters(model)
        decay = min(0.4, (1 + updates) / (10 + updates))
        wanted = value if wanted is None else decay * wanted + (1 - decay) * value
    assert ema_model.module.weight.tolist() == pytest.approx([wanted] * 2)
    assert ema_model.module.running_mean.tolist() == pytest.approx([10 * wanted] * 2)
    assert ema_decay_at(10**6, 0.4) == 0.4
    assert make_ema_model(model, 0) is None
