"""Rules of ``torch.vmap``: how functions that it cannot look into take many tensors at once.

Batched gradients (``is_grads_batched``, ``jacobian(vectorize=True)``) need them as well.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function

from roilearn.ops.tracing import is_batched_gradient

ADD_AXIS: Any = torch._add_batch_dim  # noqa: SLF001  # pyright: ignore[reportPrivateImportUsage]
REMOVE_AXIS: Any = torch._remove_batch_dim  # noqa: SLF001  # pyright: ignore[reportPrivateImportUsage]
"""What ``is_grads_batched`` itself calls; they have no public names."""


def call_for_each(
    function: Callable[..., Any], info: Any, in_dims: tuple[Any, ...], *arguments: Any
) -> tuple[Any, Any]:
    """Call ``function`` for each of the tensors that are mapped over, and stack the results.

    Parameters
    ----------
    info : holds ``batch_size``, the number of tensors that are mapped over.
    in_dims : for each argument the axis that is mapped over, or None.

    Returns
    -------
    (stacked outputs, the axis of each that is mapped over): a tensor and 0, or sequences of them.
    """
    results = [
        function(*(select(*each, number) for each in zip(arguments, in_dims, strict=True)))
        for number in range(info.batch_size)
    ]
    if isinstance(results[0], Tensor):
        return torch.stack(results), 0
    kind = type(results[0])
    stacked = kind(torch.stack(parts) for parts in zip(*results, strict=True))
    return stacked, kind(0 for _ in stacked)


def select(argument: Any, axis: Any, number: int) -> Any:
    """Return one of the tensors of an argument that is mapped over; any other as it is."""
    if isinstance(argument, Tensor):
        return argument if axis is None else argument.select(axis, number)
    if isinstance(argument, list) and isinstance(axis, (list, tuple)):
        return [select(*each, number) for each in zip(argument, axis, strict=True)]
    return argument


def as_channels(
    maps: Float[Tensor, "..."], axis: int | None, number: int
) -> Float[Tensor, "N B*C H W"]:
    """Write ``number`` tensors of maps, which lie along ``axis``, as more channels of one."""
    if axis is None:
        maps, axis = maps.expand(number, *maps.shape), 0
    return maps.movedim(axis, 1).flatten(1, 2)


def from_channels(maps: Float[Tensor, "N B*C H W"], number: int) -> Float[Tensor, "B N C H W"]:
    """Undo ``as_channels``, with the axis that is mapped over first."""
    return maps.unflatten(1, (number, maps.shape[1] // number)).movedim(1, 0)


def apply(function: type[Function], *arguments: Any) -> Any:
    """Call ``function.apply``, also with batched gradients among the arguments.

    ``is_grads_batched`` maps by an older mechanism than ``torch.vmap``. It passes its tensors on to
    an autograd function as they are, so that they are taken apart here, by the function's own rule.
    """
    tensors = [isinstance(each, Tensor) and is_batched_gradient(each) for each in arguments]
    if not any(tensors):
        return function.apply(*arguments)
    level = torch._C._vmapmode_increment_nesting() - 1  # noqa: SLF001
    torch._C._vmapmode_decrement_nesting()  # noqa: SLF001
    plain = [
        REMOVE_AXIS(each, level, 1, 0) if batched else each
        for each, batched in zip(arguments, tensors, strict=True)
    ]
    info = SimpleNamespace(batch_size=plain[tensors.index(True)].shape[0])
    in_dims = tuple(0 if batched else None for batched in tensors)
    outputs, axes = function.vmap(info, in_dims, *plain)
    if isinstance(outputs, Tensor):
        return ADD_AXIS(outputs, axes, level)
    pairs = zip(outputs, axes, strict=True)
    return tuple(ADD_AXIS(*each, level) for each in pairs)
