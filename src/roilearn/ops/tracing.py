"""Tracing checks: whether a graph is being recorded, and whether values of a tensor may be read."""

from typing import Any

import torch
from torch import Tensor

from roilearn.arguments import check_flag


def is_tracing() -> bool:
    """Whether torch.compile or an exporter is recording a graph, for values that come later."""
    return torch.compiler.is_compiling() or torch.jit.is_tracing()  # pyright: ignore[reportPrivateImportUsage]


def is_exporting_onnx() -> bool:
    """Whether an ONNX exporter is recording a graph, the older or the newer one."""
    return is_tracing() and torch.onnx.is_in_onnx_export()


def is_exporting_graph() -> bool:
    """Whether ``torch.export``, or the newer ONNX exporter through it, is recording a graph."""
    exporting = getattr(torch.compiler, "is_exporting", None)  # from torch 2.7 on
    return exporting is not None and exporting()


def smallest(*numbers: Any) -> Any:
    """Return the smallest number; of sizes in a recorded graph the one that is smallest later."""
    if not any(isinstance(each, Tensor) for each in numbers):
        return min(numbers)
    return torch.stack([torch.as_tensor(each) for each in numbers]).amin()


def largest(*numbers: Any) -> Any:
    """Return the largest number; see ``smallest``."""
    return -smallest(*(-each for each in numbers))


def records_gradients(*tensors: Tensor) -> bool:
    """Whether autograd records what is done to the tensors."""
    return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)


def may_read_values(tensor: Tensor, validate: bool | None = None) -> bool:
    """Whether to check values and not only shapes: by default in eager mode on the CPU.

    Elsewhere, reading a value would wait for the GPU or break the graph that is being traced.

    Parameters
    ----------
    tensor : the tensor whose values would be read.
    validate : True: always; False: never; None: only where reading costs nothing.
    """
    if validate is not None:
        check_flag("validate", validate)
        return validate
    return tensor.device.type == "cpu" and not is_tracing()
