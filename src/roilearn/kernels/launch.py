"""What every launch needs: a device that Triton can use, blocks of sizes that it knows.

Kernels are compiled at their first launch, and again for other types, block sizes and options. With
``TRITON_INTERPRET=1`` in the environment before the first import of Triton, they run on the CPU
instead, one program after the other, in NumPy: slowly, but the same lines.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import triton
from torch import Tensor
from triton.runtime import JITFunction

EXACT: dict[str, Any] = {"enable_fp_fusion": False}
"""Options of a launch: a product is rounded before it is added, as in the other tellings."""


@triton.jit
def _probe() -> None:
    """Nothing: it only tells how Triton treats functions here."""


INTERPRETED = not isinstance(_probe, JITFunction)
"""Whether kernels run in Triton's interpreter."""


def launch(
    kernel: Any, grid: tuple[int, ...], on: Tensor, *arguments: Any, **constants: Any
) -> None:
    """Start a program of the kernel for each place of the grid, on the device of a tensor."""
    # A GPU has no words for an overflow, the interpreter's NumPy would have some.
    with torch.cuda.device_of(on), np.errstate(all="ignore"):
        kernel[grid](*arguments, **constants, **EXACT)


class Pyramid(NamedTuple):
    """Maps as a kernel takes them: tuples with a value, or four strides, for each level."""

    maps: tuple[Tensor, ...]
    heights: tuple[int, ...]
    widths: tuple[int, ...]
    scales: tuple[float, ...]
    strides: tuple[int, ...]


def pyramid(maps: Sequence[Tensor], scales: Sequence[float]) -> Pyramid:
    """Describe maps. Separate pointers: to pack maps into one buffer would copy all of them."""
    return Pyramid(
        tuple(m.detach() for m in maps),
        tuple(m.shape[2] for m in maps),
        tuple(m.shape[3] for m in maps),
        tuple(scales),
        tuple(stride for m in maps for stride in m.stride()),
    )


def channels_last(maps: Sequence[Tensor]) -> bool:
    """Whether the channels of a cell lie side by side, so that lanes should run along them."""
    return all(m.stride(1) == 1 for m in maps)


def block(number: int, most: int) -> int:
    """Smallest power of two that has room for ``number``, but at most ``most``."""
    return min(1 << (number - 1).bit_length(), most)


def blocks(maps: Sequence[Tensor], bins: int, channels: int) -> tuple[bool, tuple[int, int]]:
    """Whether lanes run along channels, and how many bins and channels a program takes."""
    if channels_last(maps):
        return True, (block(bins, 16), block(channels, 128))
    return False, (block(bins, 64), block(channels, 16))


def check_place(name: str, tensor: Tensor) -> None:
    """Raise unless a kernel can be launched on the tensor's device."""
    if tensor.device.type != "cuda" and not (INTERPRETED and tensor.device.type == "cpu"):
        raise ValueError(
            f"{name} must be on a GPU for Triton's kernels; got {tensor.device}. Use roilearn.ops, "
            "or set TRITON_INTERPRET=1 before the first import of Triton to try them on the CPU."
        )
