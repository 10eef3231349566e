"""Devices: which of them PyTorch finds on this machine, and a check of ``--device``."""

import torch


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
