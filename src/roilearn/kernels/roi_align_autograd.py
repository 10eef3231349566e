"""Pooling by samples, and its place in autograd: what three operators share."""

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float, Int32
from torch import Tensor
from torch.autograd import Function

from roilearn.kernels.launch import check_place
from roilearn.kernels.roi_align_launches import (
    Options,
    average_samples,
    output_for,
    pay_boxes,
    pay_features,
)
from roilearn.ops.boxes.boxes import without_bad_rows
from roilearn.ops.embedding_bags.memory import check_out, check_unrecorded
from roilearn.ops.tracing import recording


def pool_samples(
    maps: Sequence[Float[Tensor, "N _ _ _"]],
    rois: Float[Tensor, "K 5"],
    which: Int32[Tensor, " K"] | None,
    options: Options,
    out: Float[Tensor, "K C PH PW"] | None = None,
    memory_format: torch.memory_format = torch.contiguous_format,
) -> Float[Tensor, "K C PH PW"]:
    """Average the samples of every bin.

    Parameters
    ----------
    maps : one map, or the levels of a pyramid.
    rois : batch index, x1, y1, x2, y2 in image pixels; bad rows give zeros.
    which : number of the map that each box reads; None: there is one.
    """
    check_place("input", maps[0])
    rois = rois.to(torch.float32)
    if recording(*maps, rois):
        check_unrecorded(out)
        return _Samples.apply(options, memory_format, rois, which, *maps)
    if out is None:
        out = output_for(maps, rois, options, memory_format)
    else:
        check_out(out, maps, (rois.shape[0], *options.bins))
    average_samples(maps, rois, which, options, out)
    return out


class _Samples(Function):
    """The mean of the samples of each bin; back to the features by gathering, and to the boxes."""

    @staticmethod
    def forward(
        options: Options,
        memory_format: torch.memory_format,
        rois: Tensor,
        which: Tensor | None,
        *maps: Tensor,
    ) -> Tensor:
        output = output_for(maps, rois, options, memory_format)
        average_samples(maps, rois, which, options, output)
        return output

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        del output
        ctx.options, _, rois, which, *maps = inputs
        ctx.save_for_backward(rois, which, *maps)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rois, which, *maps = ctx.saved_tensors
        to_rois, to_maps = None, [None] * len(maps)
        if torch.is_grad_enabled():  # the derivative will be differentiated
            to_rois, *to_maps = _by_bags(ctx.options, [rois, *maps], gradient)
        else:
            if any(ctx.needs_input_grad[4:]):
                to_maps = pay_features(maps, rois, which, ctx.options, gradient)
            if ctx.needs_input_grad[2]:
                to_rois = pay_boxes(maps, rois, which, ctx.options, gradient)
        return None, None, to_rois, None, *to_maps


def _by_bags(
    options: Options, inputs: Sequence[Tensor], gradient: Tensor
) -> Sequence[Tensor | None]:
    """Gradients to boxes and maps that can be differentiated again: by the PyTorch path."""
    rois, *maps = inputs
    output = options.by_bags(maps, without_bad_rows(rois, len(maps[0])))
    wanted = [each for each in inputs if each.requires_grad]
    found = iter(torch.autograd.grad(output, wanted, gradient, create_graph=True))
    return [next(found) if each.requires_grad else None for each in inputs]
