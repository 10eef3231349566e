"""When the kernels answer for the PyTorch telling: on a GPU, where Triton is and covers the call.

The kernels have the same names and signatures. They are found by name and imported at the first
call that needs them: without a GPU nobody loads Triton.
"""

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import torch
from torch import Tensor

from roilearn.ops import onnx
from roilearn.ops.tracing import tracing

DTYPES = (torch.float32, torch.float16, torch.bfloat16)
"""Dtypes of features that the kernels cover. Sums and boxes are float32 there."""
LARGEST_RATIO = 32
"""Largest sampling ratio that they cover: they go through all samples of a bin."""
MOST_BOXES = 2**15
"""Boxes that their ``nms`` takes, with a bit for every pair: 128 MB."""
MOST_LEVELS = 5
"""Maps of a pyramid that one launch reads."""


def kernels_for(
    maps: Sequence[Tensor], boxes: Tensor | Sequence[Tensor], sampling_ratio: int = -1
) -> ModuleType | None:
    """Return the module ``roilearn.kernels`` if it answers for these arguments.

    Parameters
    ----------
    maps : what is pooled from; for ``nms`` the boxes.
    boxes : in either form.
    """
    if tracing() or onnx.exporting() or not has_triton():
        return None
    every = [boxes] if isinstance(boxes, Tensor) else list(boxes)
    if not all(isinstance(each, Tensor) for each in every):
        return None  # for the checks that follow to name
    devices = {tensor.device.type for tensor in (*maps, *every)}
    dtypes, box_dtypes = ({tensor.dtype for tensor in tensors} for tensors in (maps, every))
    if not covered(devices, dtypes, box_dtypes, len(maps), sampling_ratio):
        return None
    return import_module("roilearn.kernels")


def covered(
    devices: set[str],
    dtypes: set[torch.dtype],
    box_dtypes: set[torch.dtype],
    levels: int = 1,
    sampling_ratio: int = -1,
) -> bool:
    """Whether kernels exist for tensors of such devices and dtypes, and such options."""
    return (
        devices == {"cuda"}
        and len(dtypes) == 1
        and dtypes | box_dtypes <= set(DTYPES)
        and levels <= MOST_LEVELS
        and sampling_ratio <= LARGEST_RATIO
    )


@cache
def has_triton() -> bool:
    """Whether Triton is installed; it exists for Linux alone."""
    return find_spec("triton") is not None
