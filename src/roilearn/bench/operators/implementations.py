"""What takes part: functions of no arguments that all compute the same, by name."""

import importlib.util
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Contestants = dict[str, Callable[[], object]]
Pool = Callable[..., Tensor]
BASELINE = "torchvision"
OURS = "roilearn"
CHANNELS_LAST = "roilearn, channels last"
CHANNELS_LAST_BOTH = "roilearn, channels last in and out"
REUSED = "roilearn, reused output"


def contestant(pool: Pool, features: Sequence[Tensor], *, backward: bool) -> Callable[[], object]:
    """Make a contestant of an operator whose other arguments are already in place.

    Parameters
    ----------
    pool : called with the features, one argument a map.
    backward : take the gradients to the features as well.
    """
    call = forward_and_backward if backward else forward
    return lambda: call(pool, features)


def forward(pool: Pool, features: Sequence[Tensor]) -> Tensor:
    """Run the operator once, recording nothing for gradients."""
    with torch.inference_mode():
        return pool(*features)


def forward_and_backward(pool: Pool, features: Sequence[Tensor]) -> list[Tensor | None]:
    """Run the operator once; return the gradient of the output's sum to each map."""
    leaves = [each.detach().requires_grad_() for each in features]
    output = pool(*leaves)
    output.backward(torch.ones_like(output))
    return [leaf.grad for leaf in leaves]


def channels_last(features: Sequence[Tensor]) -> list[Tensor]:
    """Lay the same features out cell by cell."""
    return [each.to(memory_format=torch.channels_last) for each in features]


def installed(name: str) -> bool:
    """Whether a package that may be missing is there."""
    return importlib.util.find_spec(name) is not None
