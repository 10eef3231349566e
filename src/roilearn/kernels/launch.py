"""Launching a kernel: the check of the device, the block sizes and the description of the maps.

Triton compiles a kernel at its first launch, and again for other types, block sizes and options.
With ``TRITON_INTERPRET=1`` in the environment before the first import of Triton, the same lines run
on the CPU, one program after the other, in NumPy. This is slow.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import triton
from torch import Tensor
from triton.runtime import JITFunction

NO_FMA: dict[str, Any] = {"enable_fp_fusion": False}
"""Launch option, no fused multiply-add: a product is rounded before it is added, as in ``ops``."""


@triton.jit
def _probe() -> None:
    """Do nothing: the type that the decorator gives tells whether Triton interprets."""


INTERPRETED = not isinstance(_probe, JITFunction)
"""Whether kernels run in Triton's interpreter, on the CPU."""


def launch(
    kernel: Any, grid: tuple[int, ...], on: Tensor, *arguments: Any, **constants: Any
) -> None:
    """Launch a kernel, one program for each point of the grid, on the device of a tensor."""
    # A GPU does not report an overflow; the interpreter's NumPy would warn.
    with torch.cuda.device_of(on), np.errstate(all="ignore"):
        kernel[grid](*arguments, **constants, **NO_FMA)


class Pyramid(NamedTuple):
    """Maps as a kernel takes them: tuples with one value, or four strides, for each level."""

    maps: tuple[Tensor, ...]
    heights: tuple[int, ...]
    widths: tuple[int, ...]
    scales: tuple[float, ...]
    strides: tuple[int, ...]

    @classmethod
    def of(cls, maps: Sequence[Tensor], scales: Sequence[float]) -> "Pyramid":
        """Describe maps, each by its own pointer: packing them into one buffer would copy them."""
        return cls(
            tuple(m.detach() for m in maps),
            tuple(m.shape[2] for m in maps),
            tuple(m.shape[3] for m in maps),
            tuple(scales),
            tuple(stride for m in maps for stride in m.stride()),
        )


def channels_last(maps: Sequence[Tensor]) -> bool:
    """Whether the channels of a cell are adjacent in memory, so that threads run along channels."""
    return all(m.stride(1) == 1 for m in maps)


def block_size(length: int, limit: int) -> int:
    """Return the smallest power of two that is at least ``length``, but at most ``limit``."""
    return min(1 << (length - 1).bit_length(), limit)


def block_sizes(maps: Sequence[Tensor], bins: int, channels: int) -> tuple[bool, tuple[int, int]]:
    """Return whether threads run along channels, and the bins and channels of one program."""
    if channels_last(maps):
        return True, (block_size(bins, 16), block_size(channels, 128))
    return False, (block_size(bins, 64), block_size(channels, 16))


def check_device(name: str, tensor: Tensor) -> None:
    """Raise unless a kernel can be launched on the tensor's device."""
    if tensor.device.type != "cuda" and not (INTERPRETED and tensor.device.type == "cpu"):
        raise ValueError(
            f"{name} must be on a GPU for Triton's kernels; got {tensor.device}. Use roilearn.ops, "
            "or set TRITON_INTERPRET=1 before the first import of Triton to try them on the CPU."
        )
