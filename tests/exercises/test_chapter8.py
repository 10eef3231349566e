"""The answers of chapter 8 are right by another road: the package's pyramid and its levels."""

import numpy as np
import pytest
import torch

from roilearn import exercises, models, ops, reference
from roilearn.exercises import chapter8


def test_the_cell_is_the_package_s():
    laterals = [np.ones((1, 4, 4)), np.array([[[2.0, 3], [4, 5]]]), np.array([[[10.0]]])]
    assert reference.top_down(laterals)[0][0, 1, 2] == chapter8.CELL.answer


def test_levels_by_hand_are_the_package_s():
    boxes = torch.tensor([[0.0, 0, 100, 400], [0, 0, 200 / 0.6, 200 / 0.6], [0, 0, 200, 200]])
    levels = ops.assign_levels(boxes).tolist()
    assert levels[:2] == [chapter8.LEVEL.answer, chapter8.RESIZED.answer]
    said = {mistake.name: mistake.answer for mistake in chapter8.RESIZED.mistakes}
    assert levels[2] == said["measured before"]


@pytest.mark.parametrize("call", chapter8.ASSIGN.calls)
def test_a_level_is_the_package_s(call):
    box, *options = call
    expected = ops.assign_levels(torch.tensor([box], dtype=torch.float64), *options)
    assert chapter8.assign_level(box, *options) == expected.item()


@pytest.mark.parametrize("call", chapter8.TOP_DOWN.calls)
def test_sums_are_the_package_s(call):
    (laterals,) = call
    expected = models.top_down([torch.tensor(level)[None, None] for level in laterals])
    np.testing.assert_array_equal(chapter8.top_down(laterals), expected[0][0, 0])


def test_a_vectorised_answer_passes():
    def vectorised(laterals):
        total = laterals[-1]
        for lateral in laterals[-2::-1]:
            above = total
            rows = np.arange(lateral.shape[0]) * above.shape[0] // lateral.shape[0]
            columns = np.arange(lateral.shape[1]) * above.shape[1] // lateral.shape[1]
            total = lateral + above[np.ix_(rows, columns)]
        return total

    assert exercises.check("8.5", vectorised)
