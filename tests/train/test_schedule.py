"""The learning rate: up in a line, down as the schedule says."""

import numpy as np
import pytest

from roilearn.train import Settings, learning_rate


def rates(**settings):
    settings = Settings(steps=90, learning_rate=2.0, **settings)
    return np.array([learning_rate(step, settings) for step in range(90)])


@pytest.mark.parametrize("schedule", ["cosine", "steps", "constant"])
def test_the_rate_rises_in_a_line_and_never_rises_again(schedule):
    found = rates(schedule=schedule, warmup_fraction=0.1)
    assert np.allclose(np.diff(found[:9]), 2 / 9)
    assert found[8] == found[9] == found.max() == 2
    assert (np.diff(found[8:]) <= 0).all()


def test_each_schedule_falls_as_its_name_says():
    cosine, steps = rates(warmup_fraction=0), rates(schedule="steps", warmup_fraction=0)
    assert cosine[45] == pytest.approx(1)
    assert np.allclose(cosine[1:45] + cosine[:45:-1], 2)  # half a wave is odd about its middle
    assert 0 < cosine[-1] < 0.002
    assert steps[[59, 60, 79, 80]] == pytest.approx([2, 0.2, 0.2, 0.02])
    assert (rates(schedule="constant", warmup_fraction=0) == 2).all()


def test_a_run_that_only_warms_up_reaches_its_rate_in_the_last_step():
    assert rates(warmup_fraction=1)[-1] == 2


@pytest.mark.parametrize("step", [-1, 1])
def test_a_step_that_the_run_does_not_have_is_refused(step):
    with pytest.raises(ValueError, match=f"step must lie from 0 to 0; got {step}"):
        learning_rate(step, Settings(steps=1))
