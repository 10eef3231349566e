"""RoIAlign's autograd function, shared by the three operators that average samples."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int32
from torch import Tensor
from torch.autograd import Function

from roilearn.kernels.launch import check_device
from roilearn.kernels.roi_align_launches import (
    PoolingOptions,
    box_gradients,
    empty_output,
    feature_gradients,
    pool_forward,
)
from roilearn.ops.boxes.rois import without_bad_rows
from roilearn.ops.embedding_bags.outputs import check_out, check_unrecorded
from roilearn.ops.tracing import records_gradients


def pool_samples(
    maps: Sequence[Float[Tensor, "N _ _ _"]],
    rois: Float[Tensor, "K 5"],
    levels: Int32[Tensor, " K"] | None,
    options: PoolingOptions,
    out: Float[Tensor, "K C PH PW"] | None = None,
    memory_format: torch.memory_format = torch.contiguous_format,
) -> Float[Tensor, "K C PH PW"]:
    """Average the samples of every bin, on a GPU.

    Parameters
    ----------
    maps : one map, or the levels of a pyramid.
    rois : batch index, x1, y1, x2, y2 in image pixels; bad rows give zeros.
    levels : number of the map that each box reads; None: there is one map.
    out : tensor to write to, if no gradient is recorded.
    """
    check_device("input", maps[0])
    rois = rois.to(torch.float32)
    if records_gradients(*maps, rois):
        check_unrecorded(out)
        return _RoIAlign.apply(options, memory_format, rois, levels, *maps)
    if out is None:
        out = empty_output(maps, rois, options, memory_format)
    else:
        check_out(out, maps[0], (rois.shape[0], maps[0].shape[1], *options.bins))
    pool_forward(maps, rois, levels, options, out)
    return out


class _RoIAlign(Function):
    """The mean of the samples of each bin, with gradients of the features and of the boxes."""

    @staticmethod
    def forward(
        options: PoolingOptions,
        memory_format: torch.memory_format,
        rois: Tensor,
        levels: Tensor | None,
        *maps: Tensor,
    ) -> Tensor:
        output = empty_output(maps, rois, options, memory_format)
        pool_forward(maps, rois, levels, options, output)
        return output

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        del output
        ctx.options, _, rois, levels, *maps = inputs
        ctx.save_for_backward(rois, levels, *maps)

    @staticmethod
    def backward(ctx: Any, grad_output: Tensor) -> tuple[Tensor | None, ...]:
        rois, levels, *maps = ctx.saved_tensors
        grad_rois, grad_maps = None, [None] * len(maps)
        if torch.is_grad_enabled():  # the gradient will be differentiated again
            grad_rois, *grad_maps = _differentiable_gradients(
                ctx.options, [rois, *maps], grad_output
            )
        else:
            if any(ctx.needs_input_grad[4:]):
                grad_maps = feature_gradients(maps, rois, levels, ctx.options, grad_output)
            if ctx.needs_input_grad[2]:
                grad_rois = box_gradients(maps, rois, levels, ctx.options, grad_output)
        return None, None, grad_rois, None, *grad_maps


def _differentiable_gradients(
    options: PoolingOptions, inputs: Sequence[Tensor], grad_output: Tensor
) -> Sequence[Tensor | None]:
    """Return gradients of boxes and maps that can be differentiated again, by ``roilearn.ops``."""
    rois, *maps = inputs
    output = options.fallback(maps, without_bad_rows(rois, len(maps[0])))
    wanted = [each for each in inputs if each.requires_grad]
    found = iter(torch.autograd.grad(output, wanted, grad_output, create_graph=True))
    return [next(found) if each.requires_grad else None for each in inputs]
