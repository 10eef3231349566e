"""When an operator may look at the values of a tensor."""

import torch
from torch import Tensor


def tracing() -> bool:
    """Whether a graph is being recorded, by torch.compile or an exporter, for values to come."""
    return torch.compiler.is_compiling() or torch.jit.is_tracing()  # pyright: ignore[reportPrivateImportUsage]


def reads_values(tensor: Tensor, validate: bool | None = None) -> bool:
    """Whether to check values, not only shapes: in eager mode on the CPU, unless told otherwise.

    Elsewhere a look at a value would wait for the GPU or break the graph that is being traced.

    Parameters
    ----------
    tensor : what would be read.
    validate : True: always; False: never; None: where it costs nothing.
    """
    if validate is not None:
        return validate
    return tensor.device.type == "cpu" and not tracing()
