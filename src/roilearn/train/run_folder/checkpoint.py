"""Checkpoints: everything that a run needs to be resumed, in one file that is never half written.

The state of random generators is not in it, because none is carried from step to step: see
``data_loader``.
"""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel

from roilearn.train.run_folder.checkpoint_header import (
    KIND,
    CheckpointError,
    check_same_run,
    open_checkpoint,
)
from roilearn.train.settings import Settings

LOG = logging.getLogger(__name__)
OLD_EMA_PREFIX = "average."
"""How the names of the moving average's tensors begin in the old format."""


@dataclass
class TrainingState:
    """Everything that changes during training, and what identifies the run.

    Attributes
    ----------
    model, ema_model, optimizer, scaler : hold tensors, or, the last one, a few numbers.
    settings : settings of the run.
    metadata : what else decides the trained weights, by name: data set and initial weights.
    step : number of steps that are done.
    updating : whether the update of a step has begun and not ended, so that weights, moments and
        average are not of one step.
    """

    model: nn.Module
    ema_model: AveragedModel | None
    optimizer: Optimizer
    scaler: GradScaler
    settings: Settings
    metadata: Mapping[str, Any]
    step: int = 0
    updating: bool = False


def save_checkpoint(path: Path, state: TrainingState) -> None:
    """Write the state to a file beside ``path``, flush it to the disk, and move it to ``path``.

    Whenever the machine stops, ``path`` holds either the previous checkpoint or the new one.

    Raises
    ------
    OSError, SafetensorError: the file cannot be written, mostly because the disk is full.
    """
    tensors = {name: tensor.contiguous() for name, tensor in named_tensors(state)}
    about = {
        "run": {**state.settings.affecting_weights(), **state.metadata},
        "step": state.step,
        "scaler": state.scaler.state_dict(),
    }
    written = path.with_name(path.name + ".part")
    try:
        save_file(tensors, written, {"kind": KIND, "about": json.dumps(about)})
        with written.open("r+b") as file:
            os.fsync(file.fileno())
        written.replace(path)
    finally:
        written.unlink(missing_ok=True)  # of no use where the disk was full


def load_checkpoint(path: Path, state: TrainingState) -> None:
    """Replace the state by that of a checkpoint. A warning says if the run is made longer.

    Raises
    ------
    CheckpointError: a file that is truncated or not a checkpoint; one of other settings, another
        data set or another model. The state is then unchanged.
    """
    with open_checkpoint(path) as file:
        header = check_same_run(file, state.settings, state.metadata)
        loaded = {current_tensor_name(name): file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    present = dict(named_tensors(state)) | dict(empty_optimizer_state(state, loaded))
    check_same_tensors(present, loaded)
    with torch.no_grad():
        for name, tensor in present.items():
            tensor.copy_(loaded[name])
    set_optimizer_state(state, present)
    state.scaler.load_state_dict(header["scaler"])
    state.step = header["step"]
    begun, now = header["run"].get("steps"), state.settings.steps
    if begun != now:
        LOG.warning(
            "the run is made longer, from %s to %d steps: from step %d on the learning rate follows"
            " the schedule of %d steps, which it did not before.",
            begun,
            now,
            state.step + 1,
            now,
        )


def current_tensor_name(name: str) -> str:
    """Return today's name of a tensor in a checkpoint of the old format."""
    if name.startswith(OLD_EMA_PREFIX):
        return f"ema_model.{name.removeprefix(OLD_EMA_PREFIX)}"
    return name


def named_tensors(state: TrainingState) -> Iterator[tuple[str, Tensor]]:
    """Name every tensor of the model, its moving average and the optimizer."""
    yield from (("model." + name, tensor) for name, tensor in state.model.state_dict().items())
    if state.ema_model is not None:
        named = state.ema_model.state_dict().items()
        yield from (("ema_model." + name, tensor) for name, tensor in named)
    for parameter_name, parameter in state.model.named_parameters():
        for slot, value in state.optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor):
                yield f"optimizer.{parameter_name}.{slot}", value


def empty_optimizer_state(
    state: TrainingState, loaded: Mapping[str, Tensor]
) -> Iterator[tuple[str, Tensor]]:
    """Allocate the optimizer's tensors, which it does not have before its first step.

    Each has the memory format of its parameter, because otherwise sums would run in another order.
    """
    parameters = dict(state.model.named_parameters())
    for name, tensor in loaded.items():
        kind, _, rest = name.partition(".")
        parameter = parameters.get(rest.rpartition(".")[0])
        if kind == "optimizer" and parameter is not None:
            alike = tensor.shape == parameter.shape and tensor.ndim
            yield name, torch.empty_like(parameter if alike else tensor)


def set_optimizer_state(state: TrainingState, tensors: Mapping[str, Tensor]) -> None:
    """Give the optimizer its tensors, and no others."""
    state.optimizer.state.clear()
    for parameter_name, parameter in state.model.named_parameters():
        prefix = f"optimizer.{parameter_name}."
        slots = {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
        if slots:
            state.optimizer.state[parameter] = slots


def check_same_tensors(present: Mapping[str, Tensor], loaded: Mapping[str, Tensor]) -> None:
    """Raise unless model and checkpoint have tensors of the same names and shapes."""
    for name in {**present, **loaded}:
        here, there = (
            tuple(each[name].shape) if name in each else "missing" for each in (present, loaded)
        )
        if here != there:
            raise CheckpointError(
                f"the checkpoint is of another model: {name} is {there} there and {here} here."
            )
