"""Dispatch: whether an operator runs as Triton kernels or in PyTorch.

Kernels run on a GPU, where Triton is installed, and only for arguments that they support. They have
the names and signatures of the operators. The package is found by name and imported at the first
call that needs it, so that Triton is not loaded without a GPU.
"""

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import torch
from torch import Tensor

from roilearn.ops.tracing import is_tracing

KERNEL_DTYPES = (torch.float32, torch.float16, torch.bfloat16)
"""Dtypes of features that the kernels support. Their sums and boxes are float32."""
MAX_SAMPLING_RATIO = 32
"""Largest sampling ratio that the kernels support: they loop over all samples of a bin."""
MAX_NMS_BOXES = 2**15
"""Largest number of boxes for the ``nms`` kernel, which keeps a bit for every pair: 128 MB."""
MAX_LEVELS = 5
"""Largest number of feature maps of a pyramid that one launch reads."""


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
    devices = {tensor.device.type for tensor in (*maps, *every)}
    dtypes, box_dtypes = ({tensor.dtype for tensor in tensors} for tensors in (maps, every))
    if not kernels_support(devices, dtypes, box_dtypes, len(maps), sampling_ratio):
        return None
    return import_module("roilearn.kernels")


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
