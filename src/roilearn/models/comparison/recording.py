"""Inputs and outputs of the layers of a model, recorded by hooks that are removed again."""

import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

Tensors = list[Tensor]
ROOT = "(model)"
"""The name under which a model itself is listed, beside the names of its layers."""


class CallKey(NamedTuple):
    """A call of a layer: the layer's name, and how many calls of it were finished before."""

    name: str
    number: int

    def __str__(self) -> str:
        """Write the name; from the second call on with its number."""
        return self.name if self.number == 0 else f"{self.name}, call {self.number + 1}"


@dataclass
class LayerCalls:
    """Every call of the layers of a model, in the order in which they returned.

    Parameters
    ----------
    kept : the copies, by the identity of a tensor, with the tensor's version at that time; so that
        the output of a layer that is the input of the next is kept once.
    """

    inputs: dict[CallKey, Tensors] = field(default_factory=dict)
    outputs: dict[CallKey, Tensors] = field(default_factory=dict)
    kept: dict[int, tuple[Any, int, Tensor]] = field(default_factory=dict)

    def copies(self, tensors: Tensors) -> Tensors:
        """Copy tensors, because a later layer may write into them."""
        return [self.copy(tensor) for tensor in tensors]

    def copy(self, tensor: Tensor) -> Tensor:
        """Copy a tensor, or return the copy that was made when it had the same values."""
        now = tensor._version  # noqa: SLF001 - the count of writes, as PyTorch documents it
        reference, version, copied = self.kept.get(id(tensor), (lambda: None, -1, tensor))
        if reference() is not tensor or version != now:
            copied = tensor.detach().clone()
            self.kept[id(tensor)] = (weakref.ref(tensor), now, copied)
        return copied


def record_calls(model: nn.Module, images: Any) -> LayerCalls:
    """Run a model and keep copies of what goes into each layer and comes out of it."""
    calls = LayerCalls()

    def before(key: CallKey, tensors: Tensors) -> None:
        calls.inputs[key] = calls.copies(tensors)

    def after(key: CallKey, tensors: Tensors) -> None:
        calls.outputs[key] = calls.copies(tensors)

    run_watched(model, images, before, after)
    calls.kept.clear()
    return calls


def run_watched(
    model: nn.Module,
    images: Any,
    before: Callable[[CallKey, Tensors], None],
    after: Callable[[CallKey, Tensors], None],
) -> None:
    """Run a model without gradients; tell of every call of a layer before it and after it.

    The hooks are removed at the end, also if the model raises an error, and PyTorch's random
    numbers go on as if the model had not been run.
    """
    started: Counter[str] = Counter()
    running: dict[str, list[CallKey]] = {}

    def enter(name: str, arguments: tuple, named: Mapping[str, Any]) -> None:
        key = CallKey(name, started[name])
        started[name] += 1
        running.setdefault(name, []).append(key)
        before(key, tensors_in([arguments, named]))

    def leave(name: str, output: Any) -> None:
        after(running[name].pop(), tensors_in(output))

    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng())
        stack.enter_context(torch.no_grad())
        for name, layer in model.named_modules():
            stack.enter_context(hooked(layer, name or ROOT, enter, leave))
        model(copied_inputs(images))


@contextmanager
def hooked(
    layer: nn.Module, name: str, enter: Callable[..., None], leave: Callable[..., None]
) -> Iterator[None]:
    """Hang two hooks on a layer, and take them off again."""
    handles = [
        layer.register_forward_pre_hook(
            lambda _, arguments, named: enter(name, arguments, named), with_kwargs=True
        ),
        layer.register_forward_hook(lambda _, __, output: leave(name, output)),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def tensors_in(value: Any) -> Tensors:
    """Collect the tensors in lists, tuples, dictionaries and batches of images, in their order.

    Examples
    --------
    >>> len(tensors_in({"maps": [torch.zeros(2), torch.ones(3)], "name": "P2"}))
    2
    """
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, Mapping):
        value = value.values()
    elif isinstance(getattr(value, "tensors", None), Tensor):
        value = [value.tensors]  # a batch of images, ours or torchvision's
    elif not isinstance(value, list | tuple):
        return []
    return [tensor for each in value for tensor in tensors_in(each)]


def copied_inputs(value: Any) -> Any:
    """Copy the tensors in lists, tuples and dictionaries, so that no model changes them."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, Mapping):
        return {key: copied_inputs(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(copied_inputs(each) for each in value)
    return value
