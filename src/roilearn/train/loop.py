"""The training loop: load a batch, accumulate gradients, update the weights, log, save."""

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.amp.grad_scaler import GradScaler
from torch.utils.data import DataLoader
from tqdm import tqdm

from roilearn.arguments import check_flag, check_items, check_type
from roilearn.train.data_loader import make_data_loader
from roilearn.train.distributed import ProcessGroup, current_process_group
from roilearn.train.ema import make_ema_model
from roilearn.train.interrupt import Interrupt, signals_as_interrupts
from roilearn.train.loading_processes import batches_of
from roilearn.train.optimizer import make_optimizer
from roilearn.train.run_folder.checkpoint import TrainingState, load_checkpoint
from roilearn.train.run_folder.checkpoint_header import dataset_metadata
from roilearn.train.run_folder.loss_log import progress_line
from roilearn.train.run_folder.run_files import CHECKPOINT, RunFiles
from roilearn.train.run_folder.run_lock import locked_run_folder
from roilearn.train.settings import Settings
from roilearn.train.step import take_step


def train(
    model: nn.Module,
    dataset: Any,
    settings: Settings,
    folder: str | Path | None = None,
    *,
    resume: bool = True,
    metadata: Mapping[str, Any] | None = None,
    evaluation: Callable[[nn.Module, int], Any] | None = None,
    progress: bool = True,
) -> nn.Module:
    """Train a model that returns losses.

    The random numbers of a step follow from the seed, the step and the number of the micro-batch.
    So on a CPU a run that was interrupted, by Ctrl-C or by a crash, and started again with the same
    folder ends with exactly the weights of an uninterrupted run. Several processes started by
    ``torchrun`` end with the weights of one process that has the same ``micro_batches``, up to
    rounding, since they sum gradients in another order.

    Parameters
    ----------
    model : in ``train()`` mode takes lists of images and targets and returns a dictionary of
        losses. It is trained in place, on the device that holds it.
    dataset : items are an image, (3, H, W), and a target; see ``roilearn.data``.
    settings : settings of the run.
    folder : run folder, where the checkpoint, ``losses.csv`` and ``curves.png`` are written. None:
        nothing is written.
    resume : go on from the checkpoint in the folder, if there is one.
    metadata : what else decides the trained weights besides settings and data, such as the initial
        weights; by name, as JSON can hold it. A checkpoint with other metadata is refused.
    evaluation : called with the moving average of the model, or the model, and the step, every
        ``settings.evaluate_every`` steps but the last, after a checkpoint. Of several processes the
        first calls it. It may not change the model. A signal to stop raises ``KeyboardInterrupt``
        in it, and the run stops after the next step.
    progress : show a progress bar with the losses and the time left.

    Returns
    -------
    The moving average (EMA) of the model, or the model itself if ``settings.ema_decay`` is 0; in
    ``eval()`` mode.

    Raises
    ------
    ValueError: an empty data set; micro-batches that cannot be divided among the processes;
        precision float16 elsewhere than on CUDA.
    CheckpointError: a checkpoint that cannot be read or is of another run, see ``load_checkpoint``.
    OSError: a folder that cannot be written, or that another run writes into.
    DataError: an item cannot be loaded. A checkpoint of the steps before it is saved.
    FloatingPointError: a loss or the gradient norm is not finite. The weights are left as they were
        before that step.
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
    check_type("model", model, nn.Module)
    check_type("settings", settings, Settings, "From a dictionary pass Settings(**settings).")
    check_items("dataset", dataset)
    processes = current_process_group()
    state = initial_state(model, settings, {**dataset_metadata(dataset), **(metadata or {})})
    folder = None if folder is None else Path(folder)
    with locked_run_folder(folder) if folder is not None and processes.is_main else nullcontext():
        if folder is not None and resume and (folder / CHECKPOINT).is_file():
            load_checkpoint(folder / CHECKPOINT, state)
        loader = make_data_loader(dataset, settings, state.step, processes)
        if state.step < settings.steps:
            run_steps(state, loader, processes, folder, evaluation, progress)
    return averaged_model(state).eval()


def run_evaluation(
    evaluation: Callable[[nn.Module, int], Any], state: TrainingState, interrupt: Interrupt
) -> None:
    """Evaluate during the run; a signal to stop ends the evaluation at once and then the run."""
    try:
        with signals_as_interrupts():
            found = evaluation(averaged_model(state), state.step)
    except KeyboardInterrupt:
        interrupt.requested = True
    else:
        interrupt.requested |= getattr(found, "interrupted", False)


def averaged_model(state: TrainingState) -> nn.Module:
    """Return the moving average of the model, or the model if there is none."""
    return state.model if state.ema_model is None else state.ema_model.module


def is_due(every: int, step: int) -> bool:
    """Whether something that is done every so many steps is done after this one; 0: never."""
    return every > 0 and step % every == 0


def initial_state(
    model: nn.Module, settings: Settings, metadata: Mapping[str, Any]
) -> TrainingState:
    """State before the first step. Kernels are stored channels-last, which is faster."""
    device = next(model.parameters()).device
    check_precision(settings.precision, device)
    for each in model.parameters():
        if each.ndim == 4:
            each.data = each.data.contiguous(memory_format=torch.channels_last)
    model.train()
    return TrainingState(
        model,
        make_ema_model(model, settings.ema_decay),
        make_optimizer(model, settings),
        GradScaler(device.type, enabled=settings.precision == "float16"),
        settings,
        json.loads(json.dumps(metadata)),
    )


def check_precision(precision: str, device: torch.device) -> None:
    """Raise unless a device can train in this data type."""
    if precision == "float16" and device.type != "cuda":
        raise ValueError(
            f"precision must be 'float32' or 'bfloat16' on {device.type}; got 'float16', which "
            "needs CUDA."
        )


def run_steps(
    state: TrainingState,
    loader: DataLoader,
    processes: ProcessGroup,
    folder: Path | None,
    evaluation: Callable[[nn.Module, int], Any] | None,
    progress: bool,
) -> None:
    """Run the remaining steps; log their losses and save checkpoints, also when one fails."""
    settings, wrapped = state.settings, processes.wrap(state.model)
    with ExitStack() as contexts:
        interrupt = contexts.enter_context(Interrupt(ignore_second=processes.world_size > 1))
        micro_batches = contexts.enter_context(batches_of(loader))
        files = RunFiles(folder if processes.is_main else None, state)
        contexts.enter_context(files)
        bar = contexts.enter_context(
            tqdm(
                desc="train",
                total=settings.steps,
                initial=state.step,
                unit="step",
                disable=not (progress and processes.is_main),
                dynamic_ncols=True,
            )
        )
        shown: dict[str, float] = {}
        while state.step < settings.steps:
            try:
                row, stop = take_step(state, wrapped, micro_batches, processes, interrupt)
            except FloatingPointError:
                raise  # an older checkpoint is further from the divergence
            except BaseException as error:
                files.save_after_error()
                if processes.is_main:
                    error.add_note(files.how_to_go_on())
                raise
            files.add(row)
            shown = {name: 0.9 * shown.get(name, row[name]) + 0.1 * row[name] for name in row}
            bar.set_postfix_str(progress_line(shown), refresh=False)
            bar.update()
            last = state.step == settings.steps
            evaluates = is_due(settings.evaluate_every, state.step) and not last
            if stop or last or evaluates or is_due(settings.save_every, state.step):
                files.save()
            if stop:
                raise KeyboardInterrupt(interrupt_message(state.step, files))
            if evaluation is not None and evaluates and processes.is_main:
                run_evaluation(evaluation, state, interrupt)


def interrupt_message(step: int, files: RunFiles) -> str:
    """Say after which step a run was interrupted, and whether it can be resumed."""
    if files.folder is not None and files.saved_step == step:
        return f"interrupted after step {step}, which is saved; the same call goes on from there."
    return f"interrupted after step {step}. {files.how_to_go_on()}"
