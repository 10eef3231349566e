"""Devices: which of them PyTorch finds on this machine, and a check of ``--device``."""

import torch

BFLOAT16_QUESTIONS = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
"""Functions of ``torch.cpu`` that tell whether the CPU multiplies bfloat16; not all versions have
them."""


def available_devices() -> tuple[str, ...]:
    """List the names of the devices that PyTorch finds on this machine."""
    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    if found is None:
        return ("cpu",)
    numbered = (f"{found.type}:{number}" for number in range(torch.accelerator.device_count()))
    return ("cpu", *numbered, found.type)


def default_device() -> str:
    """Name of the device to train on by default: CUDA if there is any, otherwise the CPU."""
    return "cuda" if "cuda" in available_devices() else "cpu"


def check_device(name: str) -> torch.device:
    """Return the device of this name.

    Raises
    ------
    ValueError: PyTorch does not find it on this machine.

    Examples
    --------
    >>> check_device("cpu")
    device(type='cpu')
    """
    there = available_devices()
    if name not in there:
        raise ValueError(
            f"device must be one that PyTorch finds on this machine, {' or '.join(there)}; got "
            f"{name!r}."
        )
    return torch.device(name)


def bfloat16_remark(precision: str, device: torch.device) -> str | None:
    """Advise against bfloat16 on a CPU that has no instructions for it; None elsewhere."""
    if precision != "bfloat16" or device.type != "cpu":
        return None
    asked = (getattr(torch.cpu, name, None) for name in BFLOAT16_QUESTIONS)
    if any(question is not None and question() for question in asked):
        return None
    return (
        "this CPU has no instructions for bfloat16, with which a step mostly takes longer than "
        "with float32: leave --precision out"
    )
