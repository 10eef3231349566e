"""``roilearn train``: prepare data and model, train, save the model, evaluate it."""

import argparse
import logging
import shlex
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import nn

from roilearn import __version__
from roilearn.cli.device import check_device, default_device
from roilearn.cli.errors import as_command_error
from roilearn.cli.run_arguments import RunArguments, prepare_run
from roilearn.cli.validation_run import ValidationRun
from roilearn.models.weights.model_files import save_model
from roilearn.train.distributed import PeerError, ProcessGroup, leave_at_once, process_group
from roilearn.train.gradient_accumulation import DataError
from roilearn.train.held_out import VALIDATION_IMAGES
from roilearn.train.interrupt import signals_as_interrupts
from roilearn.train.loop import CHECKPOINT, train
from roilearn.train.run_folder.checkpoint_header import CheckpointError, completed_steps
from roilearn.train.run_folder.run_lock import locked_run_folder

MODEL, EVALUATION, COMMAND = "model.safetensors", "evaluation.txt", "command.txt"
"""Names of the files that the command writes into the run folder."""
FAILED, BAD_ARGUMENTS, INTERRUPTED = 1, 2, 130
"""Exit statuses."""
ARGUMENT_ERRORS = (ImportError, OSError, OverflowError, RuntimeError, TypeError, ValueError)
"""Exceptions that bad arguments raise."""
FAILURES = (
    DataError,
    FloatingPointError,
    MemoryError,
    OSError,
    PeerError,
    SafetensorError,
    torch.OutOfMemoryError,
)
"""Exceptions that end a run and are told in a line; any other is told with its traceback."""


def run(options: argparse.Namespace) -> int:
    """Run ``roilearn train``; return the exit status."""
    logging.basicConfig(format="%(message)s")
    try:
        device = check_device(options.device or default_device())
    except ValueError as error:
        return report_error(error, options, BAD_ARGUMENTS)
    with process_group(device) as processes, signals_as_interrupts():
        if not processes.is_main:
            logging.getLogger().setLevel(logging.ERROR)  # warnings are said once
        try:
            return run_in_group(processes, device, options)
        except KeyboardInterrupt as interrupt:
            return report_error(interrupt, options, INTERRUPTED)
        except CheckpointError as error:
            status = report_error(error, options, BAD_ARGUMENTS)
        except FAILURES as error:
            status = report_error(error, options, FAILED)
        if processes.world_size > 1:
            leave_at_once(status)
        return status


def run_in_group(processes: ProcessGroup, device: torch.device, options: argparse.Namespace) -> int:
    """Train in one of the processes; the one of rank 0 evaluates and writes."""
    folder, run, failed, done = options.folder, None, False, 0
    with ExitStack() as locks:
        try:
            run = prepare_run(options, device, processes)
            if processes.is_main:
                locks.enter_context(locked_run_folder(folder))
            if not options.restart:
                done = completed_steps(folder / CHECKPOINT, run.settings, run.metadata)
        except ARGUMENT_ERRORS as error:
            failed = True
            report_error(error, options, BAD_ARGUMENTS)
        any_failed = processes.all_reduce_mean(torch.tensor([float(failed)], device=device))
        if run is None or any_failed.item():
            return BAD_ARGUMENTS  # all processes return, so none waits for another
        if processes.is_main:
            write_start(run, folder, done, command_and_versions(device, processes.world_size))
        start = time.monotonic()
        validation = ValidationRun(run, folder, done) if processes.is_main else None
        model = train(
            run.model,
            run.splits.train,
            run.settings,
            folder,
            resume=not options.restart,
            metadata=run.metadata,
            evaluation=validation,
        )
        if validation is None:
            return 0
        if done < run.settings.steps:
            report(f"trained in {time.monotonic() - start:.0f} s")
        return save_and_evaluate(run, model, folder, validation)


def write_start(run: RunArguments, folder: Path, done: int, command: str) -> None:
    """Write and report what the run is about to do."""
    conditions = other_conditions(folder / COMMAND, command) if done else None
    (folder / COMMAND).write_text(command, encoding="utf-8")
    for line in str(run.splits).splitlines():
        report(line)
    if run.splits.validation_images:
        listed = "".join(f"{name}\n" for name in run.splits.validation_images)
        (folder / VALIDATION_IMAGES).write_text(listed, encoding="utf-8")
        report(f"{folder / VALIDATION_IMAGES} lists the images to validate on")
    else:  # the list of an earlier run in this folder
        (folder / VALIDATION_IMAGES).unlink(missing_ok=True)
    for remark in run.remarks:
        report(remark)
    if done == run.settings.steps:
        report(f"all {done} steps are done, so only the evaluation is repeated")
    elif done:
        report(f"resumes from step {done} of {run.settings.steps}")
    if conditions and done < run.settings.steps:
        report(conditions)


def save_and_evaluate(
    run: RunArguments, model: nn.Module, folder: Path, validation: ValidationRun
) -> int:
    """Save the model, evaluate it on the validation split, and save the table."""
    save_model(model, folder / MODEL, run.builder, run.options, run.splits.class_names)
    found = validation(model, run.settings.steps)
    print(found)  # noqa: T201
    if found.interrupted:
        report(f"interrupted; {folder / MODEL} holds the model, and this table is not saved")
        return INTERRUPTED
    (folder / EVALUATION).write_text(f"{found}\n", encoding="utf-8")
    print(f"{folder / MODEL} holds the model, {folder / EVALUATION} this table.")  # noqa: T201
    print(f"{validation.best}.")  # noqa: T201
    return 0


def command_and_versions(device: torch.device, processes: int) -> str:
    """Command line and versions, for whoever wants to reproduce the run."""
    words = shlex.join(["roilearn", *sys.argv[1:]])
    where = f"{device}, processes: {processes}, threads in each: {torch.get_num_threads()}"
    return f"{words}\nroilearn {__version__}, torch {torch.__version__}, {where}\n"


def other_conditions(file: Path, command: str) -> str | None:
    """Say that a run goes on with other versions, or threads, than it had; None if it does not.

    Parameters
    ----------
    file : the file of the run so far that ``command_and_versions`` was written to.
    command : ``command_and_versions`` of this one.
    """
    if not file.is_file():
        return None
    before, now = (text.strip().rpartition("\n")[2] for text in (file.read_text("utf-8"), command))
    if before == now:
        return None
    return (
        f"it was {before}, and is now {now}: sums may be rounded otherwise, so the weights at the "
        "end may differ from those of a run without an interruption"
    )


def report_error(error: BaseException, options: argparse.Namespace, status: int) -> int:
    """Report an error, naming command-line options; return the exit status."""
    *_, last = ["interrupted.", *as_command_error(error, vars(options)).strip().splitlines()]
    traced = "Traceback (most recent call last)" in str(error)  # from a process that loads images
    text = last if traced else as_command_error(error, vars(options)) or last
    for note in getattr(error, "__notes__", ()):
        text += " " + as_command_error(Exception(note), vars(options))
    report(text if status == INTERRUPTED else f"error: {text}")
    return status


def report(text: str) -> None:
    """Write a line to stderr."""
    print(f"roilearn train: {text}", file=sys.stderr)  # noqa: T201
