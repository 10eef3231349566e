"""Where a command computes: a device that is there, checked before any work."""

import torch


def available_devices() -> tuple[str, ...]:
    """Names of devices on this machine."""
    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    if found is None:
        return ("cpu",)
    numbered = (f"{found.type}:{number}" for number in range(torch.accelerator.device_count()))
    return ("cpu", *numbered, found.type)


def default_device() -> str:
    """Name of the device to train on where nobody says: CUDA if there is any, never another."""
    return "cuda" if "cuda" in available_devices() else "cpu"


def check_device(name: str) -> torch.device:
    """Return the device of this name.

    Raises
    ------
    ValueError: PyTorch does not know it, or there is none on this machine.

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
