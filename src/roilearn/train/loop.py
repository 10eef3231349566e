"""The training loop: draw, compute losses, go down their gradient, note, and again."""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.nn.utils import clip_grad_norm_
from tqdm import tqdm

from roilearn.arguments import check_flag
from roilearn.train.checkpoint import State, load_checkpoint, save_checkpoint
from roilearn.train.curves import draw_curves
from roilearn.train.interrupt import Interrupt
from roilearn.train.optimizer import make_average, make_optimizer
from roilearn.train.processes import Processes, present_processes
from roilearn.train.record import Record
from roilearn.train.sampler import load_parts, seed_all
from roilearn.train.schedule import learning_rate
from roilearn.train.settings import Settings

CHECKPOINT, LOSSES, CURVES = "checkpoint.safetensors", "losses.csv", "curves.png"
"""Files of a run in its folder."""
Part = tuple[Sequence[Tensor], Sequence[Mapping[str, Any]]]
"""Images and targets."""


def train(
    model: nn.Module,
    dataset: Any,
    settings: Settings,
    folder: str | Path | None = None,
    *,
    resume: bool = True,
    progress: bool = True,
) -> nn.Module:
    """Train a model that gives losses.

    The random numbers of a step follow from the seed, the step and the share of the batch. So on a
    CPU a run that was interrupted, by Ctrl-C or by the loss of the machine, and begun again with
    the same folder ends with exactly the weights of one that was not; and several processes started
    by ``torchrun`` end with those of one that has the same ``shares``, up to the order of sums.

    Parameters
    ----------
    model : in ``train()`` mode takes lists of images and targets and gives a dictionary of losses.
        It is trained where it is: on the device that holds it, and the object itself.
    dataset : items are an image, (3, H, W), and a target; see ``roilearn.data``.
    settings : all else.
    folder : where checkpoints, ``losses.csv`` and ``curves.png`` go. None: nowhere.
    resume : go on from the checkpoint in the folder, if there is one.
    progress : show a bar with the losses and the time left.

    Returns
    -------
    The moving average of the models of all steps, or the model if ``settings.average`` is 0; in
    ``eval()`` mode.

    Raises
    ------
    ValueError: no data; shares that cannot be divided among the processes; precision float16
        elsewhere than on CUDA.
    CheckpointError: a checkpoint that cannot be read or is of another run, see ``load_checkpoint``.
    FloatingPointError: a loss or a gradient is no finite number any more. Weights are left as they
        were before that step.
    KeyboardInterrupt: after Ctrl-C, once the step is done and, with a folder, saved.
    """
    check_flag("resume", resume)
    if not len(dataset):
        raise ValueError("dataset must have at least one item; got none.")
    processes = present_processes()
    state = start(model, settings, len(dataset))
    if folder is not None:
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        if resume and (folder / CHECKPOINT).is_file():
            load_checkpoint(folder / CHECKPOINT, state)
    parts = load_parts(dataset, settings, state.step, processes)
    if state.step < settings.steps:
        go_on(state, iter(parts), processes, folder, progress)
    return (model if state.average is None else state.average.module).eval()


def start(model: nn.Module, settings: Settings, items: int) -> State:
    """State before the first step; the model's maps lie channels last, which is faster."""
    device = next(model.parameters()).device
    if settings.precision == "float16" and device.type != "cuda":
        raise ValueError(
            f"precision must be 'float32' or 'bfloat16' on {device.type}; got 'float16', which "
            "needs CUDA."
        )
    for each in model.parameters():
        if each.ndim == 4:
            each.data = each.data.contiguous(memory_format=torch.channels_last)
    model.train()
    return State(
        model,
        make_average(model, settings.average),
        make_optimizer(model, settings),
        GradScaler(device.type, enabled=settings.precision == "float16"),
        settings,
        items,
    )


def go_on(
    state: State, parts: Iterator[Part], processes: Processes, folder: Path | None, progress: bool
) -> None:
    """Do the steps that are left; note and save them."""
    settings, wrapped = state.settings, processes.wrap(state.model)
    writing = folder if processes.first else None
    with ExitStack() as open_now:
        interrupt = open_now.enter_context(Interrupt(patient=processes.count > 1))
        record = Record(writing / LOSSES, state.step) if writing else nullcontext()
        record = open_now.enter_context(record)
        bar = open_now.enter_context(
            tqdm(
                desc="train",
                total=settings.steps,
                initial=state.step,
                unit="step",
                disable=not (progress and processes.first),
                dynamic_ncols=True,
            )
        )
        shown: dict[str, float] = {}
        while state.step < settings.steps:
            row, stop = take_step(state, wrapped, parts, processes, interrupt)
            if record:
                record.add(row)
            shown = {name: 0.9 * shown.get(name, row[name]) + 0.1 * row[name] for name in row}
            bar.set_postfix_str(as_text(shown), refresh=False)
            bar.update()
            last = state.step == settings.steps
            if writing and (stop or last or state.step % settings.save_every == 0):
                save_checkpoint(writing / CHECKPOINT, state)
                draw_curves(writing / LOSSES, writing / CURVES)
            if stop:
                raise KeyboardInterrupt(how_to_go_on(state.step, folder))


def take_step(
    state: State,
    wrapped: nn.Module,
    parts: Iterator[Part],
    processes: Processes,
    interrupt: Interrupt,
) -> tuple[dict[str, float], bool]:
    """Change the weights once. Return what is noted of the step, and whether to stop after it."""
    settings, step = state.settings, state.step
    state.optimizer.zero_grad(set_to_none=True)
    names, values = sum_gradients(state, wrapped, parts, processes)
    state.scaler.unscale_(state.optimizer)
    gradient = clip_grad_norm_(state.model.parameters(), settings.clip, foreach=True)
    asked = values.new_tensor([float(interrupt.asked)])
    *losses, stop = processes.mean(torch.cat([values, asked])).tolist()
    row = {
        "step": step + 1,
        "learning_rate": learning_rate(step, settings),
        "gradient": float(gradient),
        "loss": sum(losses),
        **dict(zip(names, losses, strict=True)),
    }
    check_finite_step(row, scaled=state.scaler.is_enabled())
    for group in state.optimizer.param_groups:
        group["lr"] = row["learning_rate"]
    state.scaler.step(state.optimizer)
    state.scaler.update()
    if state.average is not None:
        state.average.update_parameters(state.model)
    state.step += 1
    return row, stop > 0


def sum_gradients(
    state: State, wrapped: nn.Module, parts: Iterator[Part], processes: Processes
) -> tuple[list[str], Tensor]:
    """Go forward and back for each share of this process; return its mean losses by name."""
    settings, device = state.settings, next(state.model.parameters()).device
    own = processes.own(settings.shares)
    low = None if settings.precision == "float32" else getattr(torch, settings.precision)
    found = []
    for share in own:
        images, targets = to_device(next(parts), device)
        seed_all(settings.seed, state.step, share)
        with processes.alone(wrapped) if share != own[-1] else nullcontext():
            with torch.autocast(device.type, low, enabled=low is not None):
                losses = wrapped(images, targets)
            state.scaler.scale(torch.stack([*losses.values()]).sum() / len(own)).backward()
        found.append(torch.stack([each.detach().float() for each in losses.values()]))
    return list(losses), torch.stack(found).mean(0)


def to_device(part: Part, device: torch.device) -> Part:
    """Move the tensors of a part to where the model is."""
    images, targets = part
    moved = [
        {k: v.to(device) if isinstance(v, Tensor) else v for k, v in target.items()}
        for target in targets
    ]
    return [image.to(device) for image in images], moved


def check_finite_step(row: Mapping[str, float], scaled: bool) -> None:
    """Raise unless losses and gradient are numbers; gradients of float16 may overflow at times."""
    if not math.isfinite(row["loss"] + (0 if scaled else row["gradient"])):
        raise FloatingPointError(
            f"training has diverged: in step {row['step']} {as_text(row)} gradient "
            f"{row['gradient']:.3g}. Begin anew with a lower learning_rate, a longer warm_up or a "
            "smaller clip: from the checkpoint with the same settings it would go the same way."
        )


def as_text(row: Mapping[str, float]) -> str:
    """Losses of a row, short enough for a progress bar.

    Examples
    --------
    >>> as_text({"step": 3, "gradient": 2.0, "loss": 1.5, "loss_mask": 0.5})
    'loss 1.5 mask 0.5'
    """
    losses = {name: value for name, value in row.items() if name.startswith("loss")}
    return " ".join(f"{name.removeprefix('loss_')} {value:.3g}" for name, value in losses.items())


def how_to_go_on(step: int, folder: Path | None) -> str:
    """Say what an interrupt left behind."""
    if folder is None:
        return f"interrupted after step {step}; nothing was saved, since no folder was given."
    return f"interrupted after step {step}, which is saved; the same call goes on from there."
