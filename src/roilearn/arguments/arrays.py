"""Argument checks of arrays and tensors: dtype, device, number of rows."""

from typing import Any, NoReturn, TypeVar

from roilearn.arguments.lists import is_list

Array = TypeVar("Array", bound=Any)


def check_array(name: str, value: Any) -> None:
    """Raise unless ``value`` is an array or tensor."""
    if not (hasattr(value, "ndim") and hasattr(value, "dtype")):
        raise TypeError(
            f"{name} must be an array or tensor; got {type(value).__name__}. "
            "Convert it with numpy.array or torch.tensor."
        )


def check_tensor(name: str, value: Any) -> None:
    """Raise unless ``value`` is a dense PyTorch tensor; tensors alone have ``requires_grad``."""
    if not hasattr(value, "requires_grad"):
        raise TypeError(
            f"{name} must be a torch tensor; got {type(value).__name__}. Pass "
            f"torch.as_tensor({name}), or use roilearn.reference with arrays."
        )
    if type(value).__module__.startswith("torch.fx"):
        raise TypeError(
            f"{name} must be a torch tensor; got a symbol of torch.fx. Use the operator's module, "
            "such as RoIAlign, or call torch.fx.wrap with the name of the function: both become "
            "one node of the graph."
        )
    storage = tensor_storage(value)
    if storage != "strided":
        raise TypeError(
            f"{name} must be a dense tensor; got a {storage} one. Convert it with "
            f"{name}.{TO_DENSE.get(storage, 'to_dense()')}."
        )


TO_DENSE = {"quantized": "dequantize()", "nested": "to_padded_tensor(0)"}
"""The call that makes a dense tensor of one that is stored otherwise, if not ``to_dense()``."""


def tensor_storage(tensor: Any) -> str:
    """Return how a tensor is stored: strided, sparse_coo, sparse_csr, mkldnn, quantized, nested."""
    if tensor.is_quantized or tensor.is_nested:
        return "quantized" if tensor.is_quantized else "nested"
    return str(tensor.layout).removeprefix("torch.").strip("_")


def check_floating(name: str, value: Any) -> None:
    """Raise unless ``value`` holds floating-point numbers of 16 bits or more."""
    if _kind(value.dtype) not in ("float", "bfloat"):
        raise TypeError(
            f"{name} must be floating point; got {value.dtype}. Convert it to float32 first."
        )


def check_real(name: str, value: Any) -> None:
    """Raise unless ``value`` holds real numbers that can be subtracted and compared."""
    tensor = hasattr(value, "requires_grad")
    wide_bytes = tensor and "uint" in str(value.dtype) and value.element_size() > 1
    if _kind(value.dtype) not in ("float", "bfloat", "int", "uint") or wide_bytes:
        raise TypeError(
            f"{name} must hold real numbers that can be computed with; got {value.dtype}. "
            "Convert them to float32 or int64 first."
        )


def _kind(dtype: Any) -> str:
    """Name of a dtype without its bits: float, bfloat, int, uint, complex, bool."""
    return str(dtype).removeprefix("torch.").rstrip("0123456789")


def check_whole_numbers(name: str, values: Any) -> None:
    """Raise unless ``values`` holds integers."""
    if "int" not in str(values.dtype):
        raise TypeError(
            f"{name} must hold whole numbers; got {values.dtype}. Convert it to int64 first."
        )


def check_group_ids(name: str, values: Any) -> None:
    """Raise unless ``values`` hold real numbers or truth values; equal ones name the same group."""
    if _kind(values.dtype) not in ("float", "bfloat", "int", "uint", "bool"):
        raise TypeError(
            f"{name} must hold numbers that name the groups; got {values.dtype}. Convert it to "
            "int64 first."
        )


def check_not_empty(name: str, value: Array, dimensions: int) -> Array:
    """Return ``value``; raise unless its last ``dimensions`` axes exist and are not empty."""
    check_array(name, value)
    if dimensions == 1 and value.ndim != 1:
        raise ValueError(f"{name} must have 1 dimension; got shape {tuple(value.shape)}.")
    if value.ndim < dimensions or 0 in value.shape[-dimensions:]:
        raise ValueError(
            f"{name} must have {dimensions} dimensions that are not empty; "
            f"got shape {tuple(value.shape)}."
        )
    return value


def check_same_rows(name: str, boxes: Any, other: str, rows: int) -> None:
    """Raise unless ``boxes`` has as many rows as the argument called ``other``."""
    if tuple(boxes.shape[:1]) != (rows,):
        came = boxes.shape[0] if boxes.ndim else "no"
        raise ValueError(f"{name} must have a row for each of {other}; got {came} rows for {rows}.")


def check_one_per_box(name: str, values: Any, boxes: int) -> None:
    """Raise unless ``values`` has shape (boxes,): one number for each box."""
    check_array(name, values)
    if tuple(values.shape) != (boxes,):
        raise ValueError(
            f"{name} must have shape ({boxes},), a number for each of {boxes} boxes; "
            f"got shape {tuple(values.shape)}."
        )


def check_one_device(**arguments: Any) -> None:
    """Raise unless all tensors among ``arguments``, and in lists among them, are on one device."""
    tensors = [
        (name, tensor)
        for name, value in arguments.items()
        for tensor in (value if is_list(value) else [value])
        if hasattr(tensor, "requires_grad")
    ]
    for name, tensor in tensors[1:]:
        first, other = tensors[0]
        if tensor.device != other.device:
            raise ValueError(
                f"{name} must be on the device of {first}; got {tensor.device} and "
                f"{other.device}. Move one with {name}.to({other.device.type!r})."
            )


def raise_without_values(name: str, kind: str, advice: str) -> NoReturn:
    """Raise for a tensor of the given kind, which has a shape and no values, with what to do."""
    raise ValueError(
        f"{name} must have values, which decide the size of the result; got {kind}. {advice}."
    )


def first_row(mask: Any) -> int:
    """Return the number of the first row for which ``mask`` is true."""
    return int(mask.nonzero()[0][0])
