"""Reading a state dict from a file of safetensors or of ``torch.save``; no code in it is run."""

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read the tensors of a file, by name.

    Raises
    ------
    ImportError: the library that reads the file is not installed.
    ValueError: a damaged file, another kind of file, or one that holds more than tensors by name.
    """
    try:
        contents = _safetensors(path) if path.suffix == ".safetensors" else _pickled(path)
    except (ImportError, MemoryError):
        raise
    except Exception as error:  # readers of broken files raise what they like
        raise ValueError(
            f"weights must be a whole file of safetensors or a state dict that torch.save wrote, "
            f"as torchvision's are; {path} is not one ({type(error).__name__}). Files that would "
            "run code when they are opened are not read."
        ) from error
    if not isinstance(contents, dict) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in contents.items()
    ):
        raise ValueError(
            f"weights must be tensors by name, a state dict; {path} holds something else. If it "
            "is one part of the contents, save that part alone with torch.save."
        )
    return contents


def _pickled(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pickles that are no weights
        return torch.load(path, map_location="cpu", weights_only=True)


def _safetensors(path: Path) -> Any:
    try:
        from safetensors.torch import load_file  # noqa: PLC0415  only who reads one needs it
    except ImportError as error:
        raise ImportError(
            f"weights must be readable; got {str(path)!r}, which needs safetensors. "
            "Install it with: pip install 'roilearn[train]'"
        ) from error
    return load_file(path)
