"""Custom operators: a value-dependent operator as one node of a graph that is traced.

How many cells an adaptive bin reads depends on the values of its box. ``torch.compile`` and
``torch.export`` trace shapes and no values, so the inside of such an operator cannot be traced. It
becomes one node of the graph instead, which says what shape it returns and runs as in eager mode.
Its derivative is another node, which runs the operator again and lets autograd record it.
``import roilearn.ops.custom_ops`` registers all of them, for programs that load a saved graph.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import torch
from torch import Tensor

from roilearn.arguments import raise_not_in_onnx
from roilearn.ops.batching import call_for_each


def as_custom_op(
    operator: Callable[..., Tensor], options: str, not_in_onnx: str = ""
) -> Callable[..., Tensor]:
    """Register an operator, and its derivative, as custom operators of PyTorch.

    Parameters
    ----------
    operator : called as ``operator(input, rois, bins, *options)``; ``input`` is a list of maps
        if the operator's name begins with multi_scale.
    options : types and names of the options, as in a schema of PyTorch: ``"float spatial_scale"``.
    not_in_onnx : what to do where the node is wanted in an ONNX file, which cannot hold it.

    Returns
    -------
    Function of (maps, rois, bins, channels of the output, *options).
    """
    # Exported programs hold this name: it stays.
    name = f"roilearn::{operator.__name__}_of_values"
    rest = f"Tensor rois, SymInt[] bins, SymInt channels, {options}"
    several_maps = operator.__name__.startswith("multi_scale")

    def run(
        maps: Sequence[Tensor], rois: Tensor, bins: Sequence[int], values: Sequence[Any]
    ) -> Tensor:
        return operator(list(maps) if several_maps else maps[0], rois, tuple(bins), *values)

    @torch.library.custom_op(name, mutates_args=(), schema=f"(Tensor[] maps, {rest}) -> Tensor")
    def forward_op(
        maps: Sequence[Tensor], rois: Tensor, bins: Sequence[int], channels: int, *values: Any
    ) -> Tensor:
        del channels
        return run(maps, rois, bins, values)

    @torch.library.custom_op(
        f"{name}_backward",
        mutates_args=(),
        schema=f"(Tensor gradient, Tensor[] maps, {rest}) -> Tensor[]",
    )
    def backward_op(
        gradient: Tensor,
        maps: Sequence[Tensor],
        rois: Tensor,
        bins: Sequence[int],
        channels: int,
        *values: Any,
    ) -> list[Tensor]:
        del channels
        forward = partial(run, bins=bins, values=values)
        # Inside a custom operator autograd records nothing in the thread that runs it.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(gradients_of, forward, maps, rois, gradient).result()

    def fake_forward(
        maps: Sequence[Tensor], rois: Tensor, bins: Sequence[int], channels: int, *values: Any
    ) -> Tensor:
        del values
        check_not_exporting(operator.__name__, not_in_onnx)  # nothing else is run by one exporter
        return maps[0].new_empty(rois.shape[0], channels, *bins)

    def fake_backward(
        gradient: Tensor, maps: Sequence[Tensor], rois: Tensor, *others: Any
    ) -> list[Tensor]:
        del gradient, others
        return [each.new_empty(each.shape) for each in (*maps, rois)]

    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        del output
        maps, rois, *ctx.others = inputs
        ctx.save_for_backward(*maps, rois)

    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
        *maps, rois = ctx.saved_tensors
        *map_gradients, roi_gradient = backward_op(gradient, maps, rois, *ctx.others)
        return map_gradients, roi_gradient, *(None for _ in ctx.others)

    forward_op.register_fake(fake_forward)
    backward_op.register_fake(fake_backward)
    forward_op.register_autograd(backward, setup_context=setup_context)
    forward_op.register_vmap(partial(call_for_each, forward_op))
    backward_op.register_vmap(partial(call_for_each, backward_op))
    return partial(call_unless_exporting, forward_op, operator.__name__, not_in_onnx)


def check_not_exporting(name: str, advice: str) -> None:
    """Raise while a model is exported to ONNX, which does not know the node."""
    if torch.onnx.is_in_onnx_export():
        raise_not_in_onnx(name, advice)


def call_unless_exporting(
    forward_op: Callable[..., Tensor], name: str, advice: str, *arguments: Any
) -> Tensor:
    """Record the node ``forward_op``, or raise while a model is exported to ONNX."""
    check_not_exporting(name, advice)
    return forward_op(*arguments)


def gradients_of(
    forward: Callable[..., Tensor], maps: Sequence[Tensor], rois: Tensor, gradient: Tensor
) -> list[Tensor]:
    """Gradients to each map and, last, to the boxes; zeros where there is no gradient."""
    inputs = [tensor.detach().requires_grad_() for tensor in (*maps, rois)]
    output = forward(inputs[:-1], inputs[-1])
    found = torch.autograd.grad(output, inputs, gradient, allow_unused=True)
    return [
        torch.zeros_like(each) if slope is None else slope.contiguous()
        for each, slope in zip(inputs, found, strict=True)
    ]
