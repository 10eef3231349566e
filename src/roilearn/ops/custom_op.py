"""Operators whose sizes depend on values, as one node of a graph that is traced.

How many cells an adaptive bin reads is known when its box is. ``torch.compile`` and
``torch.export`` trace shapes and no values, so what is inside such an operator cannot be traced.
It becomes one node instead, which says what shape it returns and runs as it always does. Its
derivative is another node, which runs the operator again, recording.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import torch
from torch import Tensor


def opaque(operator: Callable[..., Tensor], options: str) -> Callable[..., Tensor]:
    """Make a node of an operator.

    Parameters
    ----------
    operator : called as ``operator(input, rois, bins, *options)``; ``input`` is a list of maps
        if its name says that it reads several.
    options : types and names of the options, as PyTorch writes them: ``"float spatial_scale"``.

    Returns
    -------
    Function of (maps, rois, bins, channels of the output, *options).
    """
    name = f"roilearn::{operator.__name__}_of_values"
    rest = f"Tensor rois, SymInt[] bins, SymInt channels, {options}"
    several = operator.__name__.startswith("multi_scale")

    def call(
        maps: Sequence[Tensor], rois: Tensor, bins: Sequence[int], values: Sequence[Any]
    ) -> Tensor:
        return operator(list(maps) if several else maps[0], rois, tuple(bins), *values)

    @torch.library.custom_op(name, mutates_args=(), schema=f"(Tensor[] maps, {rest}) -> Tensor")
    def forward(
        maps: Sequence[Tensor], rois: Tensor, bins: Sequence[int], channels: int, *values: Any
    ) -> Tensor:
        del channels
        return call(maps, rois, bins, values)

    @torch.library.custom_op(
        f"{name}_backward",
        mutates_args=(),
        schema=f"(Tensor gradient, Tensor[] maps, {rest}) -> Tensor[]",
    )
    def backward(
        gradient: Tensor,
        maps: Sequence[Tensor],
        rois: Tensor,
        bins: Sequence[int],
        channels: int,
        *values: Any,
    ) -> list[Tensor]:
        del channels
        run = partial(call, bins=bins, values=values)
        # Inside a node PyTorch records nothing, in this thread.
        with ThreadPoolExecutor(1) as recording:
            return recording.submit(slopes, run, maps, rois, gradient).result()

    def shape(
        maps: Sequence[Tensor], rois: Tensor, bins: Sequence[int], channels: int, *values: Any
    ) -> Tensor:
        del values
        return maps[0].new_empty(rois.shape[0], channels, *bins)

    def shapes(
        gradient: Tensor, maps: Sequence[Tensor], rois: Tensor, *others: Any
    ) -> list[Tensor]:
        del gradient, others
        return [each.new_empty(each.shape) for each in (*maps, rois)]

    def keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        del output
        maps, rois, *ctx.others = inputs
        ctx.save_for_backward(*maps, rois)

    def pay(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
        *maps, rois = ctx.saved_tensors
        *to_maps, to_rois = backward(gradient, maps, rois, *ctx.others)
        return to_maps, to_rois, *(None for _ in ctx.others)

    forward.register_fake(shape)
    backward.register_fake(shapes)
    forward.register_autograd(pay, setup_context=keep)
    return forward


def slopes(
    run: Callable[..., Tensor], maps: Sequence[Tensor], rois: Tensor, gradient: Tensor
) -> list[Tensor]:
    """Gradients to each map and, last, to the boxes; zeros where there is none."""
    inputs = [tensor.detach().requires_grad_() for tensor in (*maps, rois)]
    output = run(inputs[:-1], inputs[-1])
    found = torch.autograd.grad(output, inputs, gradient, allow_unused=True)
    return [
        torch.zeros_like(each) if slope is None else slope.contiguous()
        for each, slope in zip(inputs, found, strict=True)
    ]
