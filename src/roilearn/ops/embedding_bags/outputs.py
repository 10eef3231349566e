"""Outputs of pooling operators: empty ones, and tensors that the caller gives for the result."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from roilearn.arguments import check_tensor
from roilearn.ops.embedding_bags.layout import Grid, is_channels_last
from roilearn.ops.tracing import is_tracing, records_gradients

MEMORY_FORMATS = (torch.contiguous_format, torch.channels_last)
"""Memory formats of an output."""


def is_empty(input: Float[Tensor, "N C H W"], rois: Float[Tensor, "K _"]) -> bool:
    """Whether a call has no boxes or no channels, so that its result is known from shapes.

    In a recorded graph the number of boxes comes later.
    """
    none = not is_tracing() and 0 in (rois.shape[0], input.shape[1])
    return none and not records_gradients(rois)


def empty_output(
    input: Float[Tensor, "N _ H W"], channels: int, shape: Grid, out: Tensor | None = None
) -> Float[Tensor, "K C PH PW"]:
    """Return the output of a call without boxes or channels, which passes on gradients of 0.

    Parameters
    ----------
    channels : number of channels of the output.
    shape : (K, PH, PW).
    out : as in ``roi_align``.
    """
    wanted = (shape[0], channels, *shape[1:])
    if out is None:
        return input[:0].reshape(wanted).clone()
    if records_gradients(input):
        check_unrecorded(out)
    return check_out(out, input, wanted)


def check_unrecorded(out: Tensor | None) -> None:
    """Raise if ``out`` is given: for calls whose result becomes part of a graph."""
    if out is not None:
        raise ValueError(
            "out must be None while gradients are recorded or a graph is traced; got a tensor. "
            "Call the operator under torch.inference_mode()."
        )


def check_out(out: Tensor, like: Tensor, wanted: Sequence[int]) -> Tensor:
    """Return ``out``; raise unless a result of this shape, and of this dtype, can be written to it.

    Parameters
    ----------
    like : tensor with the dtype and the device of the result.
    wanted : shape of the result.
    """
    check_tensor("out", out)
    if out.shape != wanted or out.dtype != like.dtype or out.device != like.device:
        raise ValueError(
            f"out must have shape {wanted}, {like.dtype} on {like.device}, as the result has; got "
            f"shape {tuple(out.shape)}, {out.dtype} on {out.device}."
        )
    if not (out.is_contiguous() or is_channels_last(out)):
        raise ValueError(
            f"out must be contiguous or channels last; got strides {out.stride()}. "
            "Make it with torch.empty."
        )
    if out.requires_grad:
        raise ValueError("out must not require gradients; got a tensor that does.")
    return out
