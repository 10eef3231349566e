"""Everything a run needs to go on, in one file that is either whole or not there.

Random generators are not in it: see ``sampler``.
"""

import json
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

from roilearn.train.run_folder.checkpoint_header import KIND, CheckpointError, opened, same_run
from roilearn.train.settings import Settings


@dataclass
class State:
    """What changes while a model learns.

    Attributes
    ----------
    model, average, optimizer, scaler : what holds tensors, or, the last one, a few numbers.
    settings : of the run.
    about : what else decides the weights, by name: of the data, of the weights at the beginning.
    step : steps that are done.
    """

    model: nn.Module
    average: AveragedModel | None
    optimizer: Optimizer
    scaler: GradScaler
    settings: Settings
    about: Mapping[str, Any]
    step: int = 0


def save_checkpoint(path: Path, state: State) -> None:
    """Write the state to a file beside ``path``, let the disk confirm it, and put it in place.

    Whenever the machine stops, ``path`` is the checkpoint from before or the new one.
    """
    tensors = {name: tensor.contiguous() for name, tensor in tensors_of(state)}
    about = {
        "run": {**state.settings.deciding(), **state.about},
        "step": state.step,
        "scaler": state.scaler.state_dict(),
    }
    written = path.with_name(path.name + ".part")
    save_file(tensors, written, {"kind": KIND, "about": json.dumps(about)})
    with written.open("r+b") as file:
        os.fsync(file.fileno())
    written.replace(path)


def load_checkpoint(path: Path, state: State) -> None:
    """Put the state of a file in the place of the present one.

    Raises
    ------
    CheckpointError: a file that is torn or no checkpoint; one of other settings, other data or
        another model. The state is as it was before.
    """
    with opened(path) as file:
        about = same_run(file, state.settings, state.about)
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    own = dict(tensors_of(state)) | dict(slots_of(state, tensors))
    check_same_tensors(own, tensors)
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(tensors[name])
    put_slots(state, own)
    state.scaler.load_state_dict(about["scaler"])
    state.step = about["step"]


def tensors_of(state: State) -> Iterator[tuple[str, Tensor]]:
    """Name every tensor of the model, the average and the optimizer."""
    yield from (("model." + name, tensor) for name, tensor in state.model.state_dict().items())
    if state.average is not None:
        named = state.average.state_dict().items()
        yield from (("average." + name, tensor) for name, tensor in named)
    for parameter_name, parameter in state.model.named_parameters():
        for slot, value in state.optimizer.state.get(parameter, {}).items():
            if isinstance(value, Tensor):
                yield f"optimizer.{parameter_name}.{slot}", value


def slots_of(state: State, tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Make room for what an optimizer has stored, which before its first step has none.

    A slot lies in memory as its parameter does, or sums would run in another order.
    """
    parameters = dict(state.model.named_parameters())
    for name, tensor in tensors.items():
        kind, _, rest = name.partition(".")
        parameter = parameters.get(rest.rpartition(".")[0])
        if kind == "optimizer" and parameter is not None:
            alike = tensor.shape == parameter.shape and tensor.ndim
            yield name, torch.empty_like(parameter if alike else tensor)


def put_slots(state: State, own: Mapping[str, Tensor]) -> None:
    """Hand the slots to the optimizer, and nothing besides."""
    state.optimizer.state.clear()
    for parameter_name, parameter in state.model.named_parameters():
        prefix = f"optimizer.{parameter_name}."
        slots = {n.removeprefix(prefix): t for n, t in own.items() if n.startswith(prefix)}
        if slots:
            state.optimizer.state[parameter] = slots


def check_same_tensors(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
    """Raise unless both have the same names and shapes."""
    for name in {**own, **tensors}:
        here, there = (
            tuple(each[name].shape) if name in each else "missing" for each in (own, tensors)
        )
        if here != there:
            raise CheckpointError(
                f"the checkpoint is of another model: {name} is {there} there and {here} here."
            )
