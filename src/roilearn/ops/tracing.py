"""When an operator may look at the values of a tensor."""

import torch
from torch import Tensor

from roilearn.arguments import check_flag


def tracing() -> bool:
    """Whether a graph is being recorded, by torch.compile or an exporter, for values to come."""
    return torch.compiler.is_compiling() or torch.jit.is_tracing()  # pyright: ignore[reportPrivateImportUsage]


def recording(*tensors: Tensor) -> bool:
    """Whether what is done to the tensors is recorded for gradients."""
    return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)


def reads_values(tensor: Tensor, validate: bool | None = None) -> bool:
    """Whether to check values, not only shapes: in eager mode on the CPU, unless told otherwise.

    Elsewhere a look at a value would wait for the GPU or break the graph that is being traced.

    Parameters
    ----------
    tensor : what would be read.
    validate : True: always; False: never; None: where it costs nothing.
    """
    if validate is not None:
        check_flag("validate", validate)
        return validate
    return tensor.device.type == "cpu" and not tracing()
