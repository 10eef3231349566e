"""Settings are refused where they are made."""

import math
from dataclasses import replace

import pytest
from toy_training import SETTINGS


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
        ({"max_grad_norm": -1}, "max_grad_norm must be above 0"),
        ({"weight_decay": -0.1}, "weight_decay must be finite, 0 or more"),
        ({"weight_decay": math.inf}, "weight_decay must be finite"),
        ({"warmup_fraction": 30}, "warmup_fraction must lie from 0 to 1"),
        ({"ema_decay": 1}, "ema_decay must be below 1"),
        ({"schedule": "linear"}, "schedule must be one of"),
        ({"optimizer": "adam"}, "optimizer must be one of"),
        ({"precision": "half"}, "precision must be one of"),
        ({"micro_batches": 3}, "micro_batches must divide batch_size"),
    ],
    ids=str,
)
def test_a_bad_setting_is_named(change, words):
    with pytest.raises((TypeError, ValueError), match=words):
        replace(SETTINGS, **change)
