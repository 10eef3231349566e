"""Memory bound: boxes are pooled in chunks, so that memory does not grow with their number."""

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
from roilearn.ops.tracing import (
    is_exporting_onnx,
    is_mapping,
    is_tracing,
    may_read_values,
    records_gradients,
)

MAX_ENTRIES = 2**22
"""Entries of bags that are built at one time, unless a single box needs more.

An entry takes about 50 bytes while its bag is being built: 200 MB in addition to the features,
their table and the output. While gradients are recorded the finished bags of all boxes are saved,
with 12 bytes per entry.
"""

MEMORY_FORMATS = (torch.contiguous_format, torch.channels_last)
"""Memory formats of an output."""


def pool_bags(
    make_bag: Callable[[Float[Tensor, "k R"]], Bag],
    maps: Sequence[Float[Tensor, "_ C _ _"]],
    rois: Float[Tensor, "K R"],
    entries: Num[Tensor, " K"],
    bins: tuple[int, int],
    out: Float[Tensor, "K C PH PW"] | None = None,
    memory_format: torch.memory_format = torch.contiguous_format,
) -> Float[Tensor, "K C PH PW"]:
    """Sum the bags of all boxes, built for a chunk of boxes at a time.

    Parameters
    ----------
    make_bag : builds the bags of some rows of ``rois``.
    maps : the maps that the bags read; one map, or the levels of a pyramid.
    entries : approximate number of entries of each box.
    bins : (PH, PW).
    out, memory_format : as in ``roi_align``.
    """
    if is_exporting_onnx():  # with a box more: the older exporter cannot reshape tensors of none
        check_unrecorded(out)
        bag = make_bag(torch.cat([rois, rois.new_zeros(1, rois.shape[1])]))
        return weighted_sums(maps, bag, [(0, *bins)], [memory_format])[0][:-1]
    shape, chunks = (rois.shape[0], *bins), chunks_of_boxes(rois, entries)
    if maps[0].shape[1] == 0:
        empty = maps[0].reshape(shape[0], 0, *bins).clone()
        return empty if out is None else check_out(out, maps, shape)
    if records_gradients(*maps, rois) or is_tracing() or is_mapping():
        check_unrecorded(out)
        bag = concatenate_bags([make_bag(chunk) for chunk in chunks])
        return weighted_sums(maps, bag, [shape], [memory_format])[0]
    output = (
        allocate_output(maps[0], shape, memory_format)
        if out is None
        else check_out(out, maps, shape)
    )
    if len(chunks) > 1:  # one table for all of them
        maps = [m.contiguous(memory_format=torch.channels_last) for m in maps]
    for chunk, some in zip(chunks, output.split([len(chunk) for chunk in chunks]), strict=True):
        write_weighted_sums(maps, make_bag(chunk), [some])
    return output


def pool_in_chunks(
    pool: Callable[[Float[Tensor, "N C H W"], Float[Tensor, "k R"]], Float[Tensor, "k C PH PW"]],
    input: Float[Tensor, "N C H W"],
    rois: Float[Tensor, "K R"],
    entries: Num[Tensor, " K"],
) -> Float[Tensor, "K C PH PW"]:
    """Pool all boxes with an operator that is not a weighted sum, a chunk of boxes at a time.

    Parameters
    ----------
    pool : pools some rows of ``rois``.
    entries : approximate number of cells that each box reads.
    """
    chunks = chunks_of_boxes(rois, entries)
    if len(chunks) == 1 or records_gradients(input, rois) or is_mapping():
        return pool(input, rois)
    features = input.contiguous(memory_format=torch.channels_last)  # one table for all chunks
    return torch.cat([pool(features, chunk) for chunk in chunks])


def chunks_of_boxes(
    rois: Float[Tensor, "K R"], entries: Num[Tensor, " K"]
) -> Sequence[Float[Tensor, "_ R"]]:
    """Split the boxes into chunks of about ``MAX_ENTRIES`` entries, where values may be read."""
    if not may_read_values(rois) or entries.sum() <= MAX_ENTRIES:
        return [rois]
    number = entries.cumsum(0) // MAX_ENTRIES  # [K] 0 0 0 1 1 2 ...: the chunk of each box
    return rois.split(number.unique_consecutive(return_counts=True)[1].tolist())


def check_unrecorded(out: Tensor | None) -> None:
    """Raise if ``out`` is given: for calls whose result becomes part of a graph."""
    if out is not None:
        raise ValueError(
            "out must be None while gradients are recorded or a graph is traced; got a tensor. "
            "Call the operator under torch.inference_mode()."
        )


def check_out(
    out: Tensor, maps: Sequence[Float[Tensor, "_ C _ _"]], shape: tuple[int, int, int]
) -> Tensor:
    """Return ``out``; raise unless the result can be written to it."""
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
