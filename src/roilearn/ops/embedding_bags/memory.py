"""How much is laid out at once: a few boxes at a time, so that memory does not grow with them."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Num
from torch import Tensor

from roilearn.arguments import check_tensor
from roilearn.ops.embedding_bags.bag import (
    Bag,
    allocate_output,
    concatenate_bags,
    weighted_sums,
    write_weighted_sums,
)
from roilearn.ops.embedding_bags.layout import is_channels_last
from roilearn.ops.tracing import is_tracing, may_read_values, records_gradients

MAX_ENTRIES = 2**22
"""Entries of bags that are built at one time, beside those of a single box.

An entry takes about 50 bytes while its bag is being built: 200 MB beside the features, their
table and the output. While gradients are recorded the finished bags of all boxes must stay, at 12
bytes an entry.
"""

MEMORY_FORMATS = (torch.contiguous_format, torch.channels_last)
"""How an output can lie in memory: map by map, or cell by cell."""


def pool_bags(
    make_bag: Callable[[Float[Tensor, "k R"]], Bag],
    maps: Sequence[Float[Tensor, "_ C _ _"]],
    rois: Float[Tensor, "K R"],
    entries: Num[Tensor, " K"],
    bins: tuple[int, int],
    out: Float[Tensor, "K C PH PW"] | None = None,
    memory_format: torch.memory_format = torch.contiguous_format,
) -> Float[Tensor, "K C PH PW"]:
    """Sum the bags of all boxes, built a few boxes at a time.

    Parameters
    ----------
    make_bag : builds the bags of the rows of ``rois`` that it is given.
    maps : what the bags read; one map, or the levels of a pyramid.
    entries : about how many entries each box needs.
    bins : (PH, PW).
    out, memory_format : as in ``roi_align``.
    """
    shape, pieces = (rois.shape[0], *bins), chunks_of_boxes(rois, entries)
    if records_gradients(*maps, rois) or is_tracing():
        check_unrecorded(out)
        bag = concatenate_bags([make_bag(piece) for piece in pieces])
        return weighted_sums(maps, bag, [shape], [memory_format])[0]
    output = (
        allocate_output(maps[0], shape, memory_format)
        if out is None
        else check_out(out, maps, shape)
    )
    if len(pieces) > 1:  # one table for all of them
        maps = [m.contiguous(memory_format=torch.channels_last) for m in maps]
    for piece, some in zip(pieces, output.split([len(piece) for piece in pieces]), strict=True):
        write_weighted_sums(maps, make_bag(piece), [some])
    return output


def pool_in_chunks(
    pool: Callable[[Float[Tensor, "N C H W"], Float[Tensor, "k R"]], Float[Tensor, "k C PH PW"]],
    input: Float[Tensor, "N C H W"],
    rois: Float[Tensor, "K R"],
    entries: Num[Tensor, " K"],
) -> Float[Tensor, "K C PH PW"]:
    """Pool all boxes with an operator that is no weighted sum, a few boxes at a time.

    Parameters
    ----------
    pool : pools the rows of ``rois`` that it is given.
    entries : about how many cells each box reads.
    """
    pieces = chunks_of_boxes(rois, entries)
    if len(pieces) == 1 or records_gradients(input, rois):
        return pool(input, rois)
    features = input.contiguous(memory_format=torch.channels_last)  # one table for all pieces
    return torch.cat([pool(features, piece) for piece in pieces])


def chunks_of_boxes(
    rois: Float[Tensor, "K R"], entries: Num[Tensor, " K"]
) -> Sequence[Float[Tensor, "_ R"]]:
    """Cut the boxes into runs of about ``MAX_ENTRIES`` entries; where values are read."""
    if not may_read_values(rois) or entries.sum() <= MAX_ENTRIES:
        return [rois]
    number = entries.cumsum(0) // MAX_ENTRIES  # [K] 0 0 0 1 1 2 ...: the piece of each box
    return rois.split(number.unique_consecutive(return_counts=True)[1].tolist())


def check_unrecorded(out: Tensor | None) -> None:
    """Raise if there is an ``out``: for calls whose result becomes part of a graph."""
    if out is not None:
        raise ValueError(
            "out must be None while gradients are recorded or a graph is traced; got a tensor. "
            "Call the operator under torch.inference_mode()."
        )


def check_out(
    out: Tensor, maps: Sequence[Float[Tensor, "_ C _ _"]], shape: tuple[int, int, int]
) -> Tensor:
    """Return ``out``; raise unless the result can be written there."""
    check_tensor("out", out)
    like = maps[0]
    wanted = (shape[0], like.shape[1], *shape[1:])
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
