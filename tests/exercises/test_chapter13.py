"""The answers of chapter 13 are right by another road: the package's schedule, torchvision."""

import itertools
import math

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional
from torchvision.tv_tensors import BoundingBoxes

from roilearn import exercises, reference
from roilearn.exercises import chapter13
from roilearn.train import Settings, learning_rate


def test_the_rates_by_hand_are_the_package_s():
    settings = Settings(steps=1000, learning_rate=0.002, warmup_fraction=0.1)
    found = [learning_rate(step, settings) for step in (49, 775)]
    assert found == pytest.approx(chapter13.RATES.answer.tolist(), abs=1e-7)
    assert exercises.check("13.1", found)
    assert exercises.check("13.1", [0.001, 0.000293])


def test_the_first_losses_are_those_of_logits_of_0():
    found = reference.cross_entropy(np.zeros(21), 5) + 2 * reference.binary_cross_entropy(0.0, 1)
    assert found == pytest.approx(chapter13.FIRST_LOSS.answer)
    assert exercises.check("13.2", 4.43)
    assert exercises.check("13.2", 3.045 + 2 * 0.693)


@pytest.mark.parametrize("call", chapter13.FLIP.calls)
def test_mirrored_boxes_are_torchvision_s(call):
    boxes, height, width, left_right, up_down = call
    there = torch.tensor(boxes, dtype=torch.float64).reshape(-1, 4)
    wanted = BoundingBoxes(there, format="XYXY", canvas_size=(height, width))
    wanted = functional.horizontal_flip(wanted) if left_right else wanted
    wanted = functional.vertical_flip(wanted) if up_down else wanted
    found = np.reshape(chapter13.flip_boxes(*call), (-1, 4))
    np.testing.assert_allclose(found, wanted.numpy())


@pytest.mark.parametrize("call", chapter13.SCHEDULE.calls)
def test_the_schedule_is_the_package_s(call):
    step, steps, highest, warmup_steps = call
    fraction = (warmup_steps + 0.5) / steps if warmup_steps else 0.0
    settings = Settings(steps=steps, learning_rate=highest, warmup_fraction=fraction)
    assert math.isclose(chapter13.rate_at(*call), learning_rate(step, settings))


def test_the_charts_stand_in_the_order_of_the_notebook():
    four = ["boxes", "frozen", "learning rate", "positives"]
    order = np.random.RandomState(9).permutation(four)
    letters = {"boxes": "B", "frozen": "F", "learning rate": "L", "positives": "P"}
    assert "".join(letters[fault] for fault in order) == chapter13.DIAGNOSES.answer


def test_every_order_of_the_charts_is_told_something():
    for word in itertools.permutations("FPBL"):
        verdict = exercises.check("13.3", "".join(word))
        assert verdict or verdict.mistake
