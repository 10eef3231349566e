"""Tracing checks: whether a graph is being recorded, and whether values of a tensor may be read."""

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Num
from torch import Tensor
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

from roilearn.arguments import check_flag, raise_without_values

_functorch: Any = torch._C._functorch  # noqa: SLF001  # pyright: ignore[reportAttributeAccessIssue]
TRACING_MODES = ("FakeTensorMode", "ProxyTorchDispatchMode")
"""Modes of PyTorch in which operators are recorded (``make_fx``) or shapes alone are computed."""


def is_tracing() -> bool:
    """Whether operators are recorded for values that come later, or run for shapes alone."""
    return (
        torch.compiler.is_compiling()
        or torch.jit.is_tracing()  # pyright: ignore[reportPrivateImportUsage]
        or (
            torch._C._len_torch_dispatch_stack() > 0  # noqa: SLF001
            and any(type(m).__name__ in TRACING_MODES for m in _get_current_dispatch_mode_stack())
        )
    )


def is_mapping() -> bool:
    """Whether the call is made inside ``torch.vmap``, where some tensors hold many at once."""
    if torch.compiler.is_compiling():  # torch.compile cannot look into these questions
        return False
    transforms = _functorch.get_interpreter_stack() or ()
    return any(each.key() == _functorch.TransformType.Vmap for each in transforms)


def is_mapped(tensor: Tensor) -> bool:
    """Whether ``torch.vmap`` maps over the tensor, so that no value of it is a single number."""
    if torch.compiler.is_compiling():
        return False
    while _functorch.is_functorch_wrapped_tensor(tensor):
        if _functorch.is_batchedtensor(tensor):
            return True
        tensor = _functorch.get_unwrapped(tensor)
    return is_batched_gradient(tensor)


def is_batched_gradient(tensor: Tensor) -> bool:
    """Whether the tensor stands for many gradients at once (``is_grads_batched``)."""
    return not torch.compiler.is_compiling() and _functorch.is_legacy_batchedtensor(tensor)


def is_fake(tensor: Tensor) -> bool:
    """Whether the tensor is one of PyTorch's ``FakeTensor``, which have shapes alone."""
    return type(tensor).__name__ == "FakeTensor"


def has_values(*tensors: Tensor) -> bool:
    """Whether every tensor has values: none is on the meta device, fake or mapped over."""
    return not any(each.is_meta or is_fake(each) or is_mapped(each) for each in tensors)


def values_of(tensor: Num[Tensor, "*P"]) -> Any:
    """Values of a tensor, to be checked: as an array, whose functions take less time, if it can be.

    On a few numbers NumPy's functions take a third of the time of PyTorch's.
    """
    plain = type(tensor) is Tensor and not _functorch.is_functorch_wrapped_tensor(tensor)
    on_cpu = tensor.device.type == "cpu" and not tensor.is_neg()
    return tensor.detach().numpy() if plain and on_cpu else tensor


def require_values(name: str, tensor: Tensor) -> None:
    """Raise if ``tensor`` has no values, for results whose size depends on them."""
    if is_mapped(tensor):
        raise_without_values(name, "a tensor that torch.vmap maps over", "Loop over its tensors")
    if is_fake(tensor):
        raise_without_values(name, "a fake tensor", "Pass a real one")
    if tensor.is_meta:
        raise_without_values(name, "a tensor on the meta device", "Move it to another device")


def is_exporting_onnx() -> bool:
    """Whether an ONNX exporter is recording a graph, the older or the newer one."""
    return is_tracing() and torch.onnx.is_in_onnx_export()


def is_exporting_graph() -> bool:
    """Whether ``torch.export``, or the newer ONNX exporter through it, is recording a graph."""
    return torch.compiler.is_exporting()


def smallest(*numbers: Any) -> Any:
    """Return the smallest number; of sizes in a recorded graph the one that is smallest later."""
    if not any(isinstance(each, Tensor) for each in numbers):
        return min(numbers)
    return torch.stack([torch.as_tensor(each) for each in numbers]).amin()


def largest(*numbers: Any) -> Any:
    """Return the largest number; see ``smallest``."""
    return -smallest(*(-each for each in numbers))


def as_constants(sizes: Sequence[Any]) -> list[int]:
    """Return sizes as numbers that are constants of a graph which ``torch.jit.trace`` records.

    For decisions that hold for every size; PyTorch's warning of constants would be untrue.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # pyright: ignore[reportPrivateImportUsage]
        return [int(each) for each in sizes]


def table_of_sizes(
    rows: Sequence[Sequence[Any]], dtype: torch.dtype, device: torch.device
) -> Num[Tensor, "n m"]:
    """Return rows of sizes as a tensor; those of a recorded graph stay what they will be later."""
    if not any(isinstance(each, Tensor) for row in rows for each in row):
        return torch.tensor(rows, dtype=dtype, device=device)
    table = [torch.stack([torch.as_tensor(each) for each in row]) for row in rows]
    return torch.stack(table).to(device, dtype)


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
    return tensor.device.type == "cpu" and not is_tracing() and has_values(tensor)
