"""The training loop: draw, compute losses, go down their gradient, note, and again."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.nn.utils import clip_grad_norm_
from tqdm import tqdm

from roilearn.arguments import check_flag, check_items, check_kind
from roilearn.train.data_loader import load_parts, seed_all
from roilearn.train.distributed import Processes, present_processes
from roilearn.train.gradient_accumulation import DataError, Part, next_part, to_device
from roilearn.train.interrupt import Interrupt
from roilearn.train.messages import as_text, check_finite_step, how_to_go_on
from roilearn.train.optimizer import make_average, make_optimizer
from roilearn.train.run_folder.checkpoint import State, load_checkpoint, save_checkpoint
from roilearn.train.run_folder.checkpoint_header import about_data
from roilearn.train.run_folder.loss_curves import draw_curves
from roilearn.train.run_folder.loss_log import Record
from roilearn.train.run_folder.run_lock import claimed
from roilearn.train.schedule import learning_rate
from roilearn.train.settings import Settings

CHECKPOINT, LOSSES, CURVES = "checkpoint.safetensors", "losses.csv", "curves.png"
"""Files of a run in its folder."""


def train(
    model: nn.Module,
    dataset: Any,
    settings: Settings,
    folder: str | Path | None = None,
    *,
    resume: bool = True,
    about: Mapping[str, Any] | None = None,
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
    about : what else decides the weights and neither settings nor data say, such as where they
        begin; by name, as JSON can hold it. A checkpoint of another is refused.
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
    OSError: a folder that cannot be written, or that another run writes into.
    DataError: an item cannot be loaded. What was learned before is saved.
    FloatingPointError: a loss or a gradient is no finite number any more. Weights are left as they
        were before that step.
    KeyboardInterrupt: after Ctrl-C, once the step is done and, with a folder, saved.

    Examples
    --------
    >>> from roilearn.data import ShapeScenes
    >>> from roilearn.models import mask_rcnn_tiny
    >>> model = mask_rcnn_tiny(4, widths=(8, 16, 16), channels=16)
    >>> settings = Settings(steps=1, batch_size=2)
    >>> trained = train(model, ShapeScenes(4, size=64), settings, progress=False)
    >>> trained.training
    False
    """
    check_flag("resume", resume)
    check_kind("model", model, nn.Module)
    check_kind("settings", settings, Settings, "From a dictionary pass Settings(**settings).")
    check_items("dataset", dataset)
    processes = present_processes()
    state = start(model, settings, {**about_data(dataset), **(about or {})})
    folder = None if folder is None else Path(folder)
    with claimed(folder) if folder is not None and processes.first else nullcontext():
        if folder is not None and resume and (folder / CHECKPOINT).is_file():
            load_checkpoint(folder / CHECKPOINT, state)
        parts = load_parts(dataset, settings, state.step, processes)
        if state.step < settings.steps:
            go_on(state, iter(parts), processes, folder, progress)
    return (model if state.average is None else state.average.module).eval()


def start(model: nn.Module, settings: Settings, about: Mapping[str, Any]) -> State:
    """State before the first step; the model's maps lie channels last, which is faster."""
    device = next(model.parameters()).device
    check_precision(settings.precision, device)
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
        json.loads(json.dumps(about)),
    )


def check_precision(precision: str, device: torch.device) -> None:
    """Raise unless a device can train in this type."""
    if precision == "float16" and device.type != "cuda":
        raise ValueError(
            f"precision must be 'float32' or 'bfloat16' on {device.type}; got 'float16', which "
            "needs CUDA."
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
            try:
                row, stop = take_step(state, wrapped, parts, processes, interrupt)
            except DataError:
                if writing and state.step:
                    save_checkpoint(writing / CHECKPOINT, state)
                raise
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
        images, targets = to_device(next_part(parts), device)
        seed_all(settings.seed, state.step, share)
        with processes.alone(wrapped) if share != own[-1] else nullcontext():
            with torch.autocast(device.type, low, enabled=low is not None):
                losses = wrapped(images, targets)
            state.scaler.scale(torch.stack([*losses.values()]).sum() / len(own)).backward()
        found.append(torch.stack([each.detach().float() for each in losses.values()]))
    return list(losses), torch.stack(found).mean(0)
