"""The next part of a batch, on the device of the model, or a word on what is missing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

Part = tuple[Sequence[Tensor], Sequence[Mapping[str, Any]]]
"""Images and targets."""


class DataError(RuntimeError):
    """An item that cannot be loaded, such as an image that was deleted during the run."""


def next_part(parts: Iterator[Part]) -> Part:
    """Load a part.

    Raises
    ------
    DataError: a dataset has raised something; in a word, without its traceback.
    """
    try:
        return next(parts)
    except Exception as error:
        *_, last = ["", *str(error).strip().splitlines()]  # a worker sends a whole traceback
        raise DataError(f"an item of the data cannot be loaded: {last}") from error


def to_device(part: Part, device: torch.device) -> Part:
    """Move the tensors of a part to where the model is."""
    images, targets = part
    moved = [
        {k: v.to(device) if isinstance(v, Tensor) else v for k, v in target.items()}
        for target in targets
    ]
    return [image.to(device) for image in images], moved
