"""Implementations under test: calls without arguments that all compute the same, by name."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Implementations = dict[str, Callable[[], object]]
Pool = Callable[..., Tensor]
BASELINE = "torchvision"
OURS = "roilearn"
CHANNELS_LAST = "roilearn, channels last"
CHANNELS_LAST_BOTH = "roilearn, channels last in and out"
REUSED = "roilearn, reused output"


def timed_call(pool: Pool, features: Sequence[Tensor], *, backward: bool) -> Callable[[], object]:
    """Make the call that is timed, of an operator whose other arguments are already bound.

    Parameters
    ----------
    pool : the operator; each map of the features is an argument.
    backward : compute the gradients with respect to the features too.
    """
    call = forward_and_backward if backward else forward
    return lambda: call(pool, features)


def forward(pool: Pool, features: Sequence[Tensor]) -> Tensor:
    """Run the operator once in inference mode."""
    with torch.inference_mode():
        return pool(*features)


def forward_and_backward(pool: Pool, features: Sequence[Tensor]) -> list[Tensor | None]:
    """Run the operator once; return the gradient of the output's sum with respect to each map."""
    leaves = [each.detach().requires_grad_() for each in features]
    output = pool(*leaves)
    output.backward(torch.ones_like(output))
    return [leaf.grad for leaf in leaves]


def channels_last(features: Sequence[Tensor]) -> list[Tensor]:
    """Convert features to the memory format channels last."""
    return [each.to(memory_format=torch.channels_last) for each in features]
