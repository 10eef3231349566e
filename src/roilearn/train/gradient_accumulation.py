"""Gradient accumulation: the gradients of one step, summed over its micro-batches.

``data_loader`` splits a batch into micro-batches; here they are moved to the device and run.

Gradients add up over the micro-batches that a process computes, and are averaged over processes
with the last of them, so a step is the same however its batch is split, up to rounding.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from roilearn.train.data_loader import seed_all
from roilearn.train.distributed import ProcessGroup
from roilearn.train.loading_processes import LoadingError
from roilearn.train.run_folder.checkpoint import TrainingState

MicroBatch = tuple[Sequence[Tensor], Sequence[Mapping[str, Any]]]
"""Images and targets."""


class DataError(RuntimeError):
    """An item that cannot be loaded, such as an image that was deleted during the run."""


def accumulate_gradients(
    state: TrainingState,
    wrapped: nn.Module,
    micro_batches: Iterator[MicroBatch],
    processes: ProcessGroup,
) -> tuple[list[str], Tensor]:
    """Run forward and backward passes of each micro-batch of this process.

    Returns
    -------
    Names of the losses, and the mean of each over the micro-batches.
    """
    settings, device = state.settings, next(state.model.parameters()).device
    own = processes.micro_batches_of_rank(settings.micro_batches)
    low = None if settings.precision == "float32" else getattr(torch, settings.precision)
    found = []
    for number in own:
        images, targets = to_device(next_micro_batch(micro_batches), device)
        seed_all(settings.seed, state.step, number)
        with processes.no_sync(wrapped) if number != own[-1] else nullcontext():
            with torch.autocast(device.type, low, enabled=low is not None):
                losses = wrapped(images, targets)
            state.scaler.scale(torch.stack([*losses.values()]).sum() / len(own)).backward()
        found.append(torch.stack([each.detach().float() for each in losses.values()]))
    return list(losses), torch.stack(found).mean(0)


def next_micro_batch(micro_batches: Iterator[MicroBatch]) -> MicroBatch:
    """Load the next micro-batch.

    Raises
    ------
    DataError: the data set has raised an error, whose last line it repeats; or a process that
        loads images has died.
    """
    try:
        return next(micro_batches)
    except LoadingError as error:
        raise DataError(str(error)) from error
    except Exception as error:
        *_, last = ["", *str(error).strip().splitlines()]  # a worker sends a whole traceback
        raise DataError(f"an item of the data set cannot be loaded: {last}") from error


def to_device(micro_batch: MicroBatch, device: torch.device) -> MicroBatch:
    """Move the tensors of a micro-batch to a device."""
    images, targets = micro_batch
    moved = [
        {k: v.to(device) if isinstance(v, Tensor) else v for k, v in target.items()}
        for target in targets
    ]
    return [image.to(device) for image in images], moved
