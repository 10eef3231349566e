"""Clamping: values beyond a bound get no gradient, and values on it get all of it."""

import pytest
import torch

from roilearn.ops.clamping import clamp


@pytest.mark.parametrize("as_bound", [float, torch.tensor], ids=["number", "tensor"])
def test_values_on_the_bounds_get_gradient_and_values_beyond_get_none(as_bound):
    values = torch.tensor([-1.0, 0.0, 1.5, 3.0, 4.0], requires_grad=True)
    clamped = clamp(values, as_bound(0.0), as_bound(3.0))
    clamped.sum().backward()
    assert clamped.tolist() == [0.0, 0.0, 1.5, 3.0, 3.0]
    assert values.grad.tolist() == [0.0, 1.0, 1.0, 1.0, 0.0]


def test_one_bound_leaves_the_other_side_alone():
    values = torch.tensor([-1.0, 4.0], requires_grad=True)
    (clamp(values, low=0.0) + clamp(values, high=3.0)).sum().backward()
    assert values.grad.tolist() == [1.0, 1.0]
