"""One optimizer step: gradients, their norm, the update. An error in it leaves the state whole."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_

from roilearn.train.distributed import ProcessGroup, named_peer_failures
from roilearn.train.gradient_accumulation import MicroBatch, accumulate_gradients
from roilearn.train.interrupt import Interrupt
from roilearn.train.run_folder.checkpoint import TrainingState
from roilearn.train.run_folder.loss_log import progress_line
from roilearn.train.schedule import learning_rate


def take_step(
    state: TrainingState,
    wrapped: nn.Module,
    micro_batches: Iterator[MicroBatch],
    processes: ProcessGroup,
    interrupt: Interrupt,
) -> tuple[dict[str, float], bool]:
    """Take one optimizer step.

    An error before the update leaves the state as the step before it had left it. An error within
    the update leaves ``state.updating`` true.

    Returns
    -------
    The step's row of the loss log, and whether to stop after it.
    """
    settings, step = state.settings, state.step
    state.optimizer.zero_grad(set_to_none=True)
    with restored_buffers(state.model), named_peer_failures(processes):
        names, values = accumulate_gradients(state, wrapped, micro_batches, processes)
        state.scaler.unscale_(state.optimizer)
        grad_norm = clip_grad_norm_(state.model.parameters(), settings.max_grad_norm, foreach=True)
        requested = values.new_tensor([float(interrupt.requested)])
        *losses, stop = processes.all_reduce_mean(torch.cat([values, requested])).tolist()
        row = {
            "step": step + 1,
            "learning_rate": learning_rate(step, settings),
            "grad_norm": float(grad_norm),
            "loss": sum(losses),
            **dict(zip(names, losses, strict=True)),
        }
        check_finite(row, scaled=state.scaler.is_enabled())
    update(state, row["learning_rate"])
    return row, stop > 0


@contextmanager
def restored_buffers(model: nn.Module) -> Iterator[None]:
    """Restore a model's buffers if the block raises: a forward pass changes running statistics."""
    before = [(each, each.clone()) for each in model.buffers()]
    try:
        yield
    except BaseException:
        with torch.no_grad():
            for buffer, value in before:
                buffer.copy_(value)
        raise


def update(state: TrainingState, rate: float) -> None:
    """Update the weights and their moving average, and count the step."""
    state.updating = True
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    state.scaler.step(state.optimizer)
    state.scaler.update()
    if state.ema_model is not None:
        state.ema_model.update_parameters(state.model)
    state.step += 1
    state.updating = False


def check_finite(row: Mapping[str, float], scaled: bool) -> None:
    """Raise unless loss and gradient norm are finite; scaled float16 gradients may overflow."""
    if not math.isfinite(row["loss"] + (0 if scaled else row["grad_norm"])):
        raise FloatingPointError(
            f"training has diverged: in step {row['step']} {progress_line(row)} gradient norm "
            f"{row['grad_norm']:.3g}. Start anew with a lower learning_rate, a longer "
            "warmup_fraction or a smaller max_grad_norm: resumed from the checkpoint with the same "
            "settings, it would diverge again."
        )
