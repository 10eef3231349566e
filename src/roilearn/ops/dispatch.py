"""Dispatch: which way a pooling operator is computed; whether it runs as Triton kernels.

``choose_way`` decides for all pooling operators, and every way gives the same result. Kernels run
on a GPU, where Triton is installed, and only for arguments that they support. They have the names
and signatures of the operators. The package is found by name and imported at the first call that
needs it, so that Triton is not loaded without a GPU.
"""

from collections.abc import Sequence
from enum import Enum
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import torch
from torch import Tensor

from roilearn.ops.tracing import has_values, is_exporting_onnx, is_tracing

KERNEL_DTYPES = (torch.float32, torch.float16, torch.bfloat16)
"""Dtypes of features that the kernels support. Their sums and boxes are float32."""
MAX_SAMPLING_RATIO = 32
"""Largest sampling ratio that the kernels support: they loop over all samples of a bin."""
MAX_NMS_BOXES = 2**15
"""Largest number of boxes for the ``nms`` kernel, which keeps a bit for every pair: 128 MB."""
MAX_LEVELS = 5
"""Largest number of feature maps of a pyramid that one launch reads."""


class Way(Enum):
    """A way through a pooling operator."""

    KERNEL = "Triton kernels"
    ONNX = "a node of ONNX"
    NODE = "a custom operator, one node of a traced graph"
    BAGS = "weighted sums of cells in PyTorch, or the maxima of bins"


def choose_way(
    maps: Sequence[Tensor],
    boxes: Tensor | Sequence[Tensor],
    sampling_ratio: int = -1,
    *,
    sizes_follow_from_shapes: bool,
    has_kernel: bool = True,
    is_in_onnx: bool = True,
) -> Way:
    """Choose how these arguments are pooled.

    Parameters
    ----------
    maps, boxes, sampling_ratio : as in ``kernels_for``.
    sizes_follow_from_shapes : whether the number of cells that are read depends on shapes alone, so
        that the operator can be traced.
    has_kernel, is_in_onnx : whether there is a kernel, and a node of ONNX, for these options.
    """
    no_channels = maps[0].shape[1:2] == (0,)
    if has_kernel and not no_channels and kernels_for(maps, boxes, sampling_ratio) is not None:
        return Way.KERNEL
    if is_in_onnx and is_exporting_onnx():
        return Way.ONNX
    return Way.BAGS if sizes_follow_from_shapes or values_are_known(boxes) else Way.NODE


def values_are_known(boxes: Tensor | Sequence[Tensor]) -> bool:
    """Whether the values of boxes can be read: no graph is recorded, and all tensors have some."""
    every = boxes if isinstance(boxes, Sequence) else [boxes]
    return not is_tracing() and has_values(*(each for each in every if isinstance(each, Tensor)))


def load_kernels() -> ModuleType:
    """Import the package ``roilearn.kernels``, which loads Triton."""
    return import_module("roilearn.kernels")


def kernels_for(
    maps: Sequence[Tensor], boxes: Tensor | Sequence[Tensor], sampling_ratio: int = -1
) -> ModuleType | None:
    """Return the package ``roilearn.kernels`` if these arguments run as kernels, else None.

    Parameters
    ----------
    maps : the feature maps; for ``nms`` the boxes.
    boxes : one tensor, or a list with a tensor for each image; for ``nms`` the scores.
    """
    if is_tracing() or not has_triton():
        return None
    every = [boxes] if isinstance(boxes, Tensor) else list(boxes)
    if not all(isinstance(each, Tensor) for each in every):
        return None  # the argument checks that follow raise
    if not has_values(*maps, *every):
        return None
    devices = {tensor.device.type for tensor in (*maps, *every)}
    dtypes, box_dtypes = ({tensor.dtype for tensor in tensors} for tensors in (maps, every))
    if not kernels_support(devices, dtypes, box_dtypes, len(maps), sampling_ratio):
        return None
    return load_kernels()


def kernels_support(
    devices: set[str],
    dtypes: set[torch.dtype],
    box_dtypes: set[torch.dtype],
    levels: int = 1,
    sampling_ratio: int = -1,
) -> bool:
    """Whether the kernels support tensors of these devices and dtypes, and these options."""
    return (
        devices == {"cuda"}
        and len(dtypes) == 1
        and dtypes | box_dtypes <= set(KERNEL_DTYPES)
        and levels <= MAX_LEVELS
        and sampling_ratio <= MAX_SAMPLING_RATIO
    )


@cache
def has_triton() -> bool:
    """Whether Triton is installed; it exists for Linux only."""
    return find_spec("triton") is not None
