"""Linear interpolation in PyTorch: equal to the reference, and adjoint to its gradient."""

import numpy as np
import pytest
import torch

from roilearn import ops, reference

STATE = np.random.RandomState(11)
VALUES = STATE.randn(7)
POSITIONS = np.concatenate([STATE.uniform(-2, 8, 40), np.arange(-1, 9.0)])


def test_value_and_slope_are_those_of_the_loop():
    values, positions = torch.tensor(VALUES), torch.tensor(POSITIONS)
    read = [reference.linear(VALUES, p) for p in POSITIONS]
    slope = [reference.linear_gradient(VALUES, p) for p in POSITIONS]
    torch.testing.assert_close(ops.linear(values, positions), torch.tensor(np.array(read)))
    torch.testing.assert_close(
        ops.linear_gradient(values, positions), torch.tensor(np.array(slope))
    )


def test_adjoint_adds_up_what_the_loop_spreads():
    gradient = STATE.randn(len(POSITIONS))
    spread = ops.linear_adjoint(torch.tensor(gradient), torch.tensor(POSITIONS), len(VALUES))
    each = [
        reference.linear_adjoint(g, p, len(VALUES))
        for g, p in zip(gradient, POSITIONS, strict=True)
    ]
    torch.testing.assert_close(spread, torch.tensor(np.sum(each, axis=0)))


@pytest.mark.parametrize("position", [torch.tensor([0.5, torch.nan]), float("inf")])
def test_a_position_that_is_nowhere_is_named(position):
    with pytest.raises(ValueError, match="position must be finite"):
        ops.linear(torch.tensor(VALUES), position)
