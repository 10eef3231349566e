"""Clamping to bounds, with one gradient at the bounds themselves in every version of PyTorch."""

from typing import Any

import torch
from jaxtyping import Num
from torch import Tensor

Bound = float | Tensor | None
"""A bound of all values, or one for each value; None: no bound."""


def clamp(values: Num[Tensor, "*P"], low: Bound = None, high: Bound = None) -> Num[Tensor, "*P"]:
    """Clamp ``values`` to [low, high]: a value inside gets gradient 1, at the bounds too.

    A value beyond a bound gets gradient 0. At a bound the slope jumps from one to the other, and
    ``Tensor.clamp`` takes 1 in PyTorch 2.12 and 0 in 2.14. Here the bounds belong to the inside, so
    that a position on the first cell has the slope to its right.

    Examples
    --------
    >>> position = torch.tensor([-1.0, 0.0, 1.5, 3.0, 4.0], requires_grad=True)
    >>> clamp(position, 0, 3).sum().backward()
    >>> position.grad
    tensor([0., 1., 1., 1., 0.])
    """
    if low is not None:
        values = torch.where(values < low, _like(values, low), values)
    return values if high is None else torch.where(values > high, _like(values, high), values)


def _like(values: Tensor, bound: Any) -> Any:
    """Return a bound; one that is a size in a recorded graph in the dtype of the values."""
    return bound.to(values) if isinstance(bound, Tensor) and bound.ndim == 0 else bound
