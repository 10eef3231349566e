"""``roilearn train``: data, model, training, measurement, in this order."""

import argparse
import logging
import shlex
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from torch import nn

from roilearn import __version__
from roilearn.cli.device import check_device, default_device
from roilearn.cli.errors import as_typed
from roilearn.cli.run_arguments import Plan, make_plan
from roilearn.models.weights.model_files import save_model
from roilearn.train.distributed import Processes, joined_processes
from roilearn.train.evaluation.evaluate import evaluate
from roilearn.train.gradient_accumulation import DataError
from roilearn.train.loop import CHECKPOINT, train
from roilearn.train.run_folder.checkpoint_header import CheckpointError, done_steps
from roilearn.train.run_folder.run_lock import claimed

MODEL, EVALUATION, COMMAND = "model.safetensors", "evaluation.txt", "command.txt"
HELD_OUT = "held_out.txt"
FAILED, BAD_ARGUMENTS, INTERRUPTED = 1, 2, 130
"""Exit statuses."""
REFUSALS = (ImportError, OSError, OverflowError, RuntimeError, TypeError, ValueError)
"""What is raised where arguments are checked."""


def run(options: argparse.Namespace) -> int:
    """Do what the command line says; return the exit status."""
    logging.basicConfig(format="%(message)s")
    try:
        device = check_device(options.device or default_device())
    except ValueError as error:
        return tell(error, options, BAD_ARGUMENTS)
    try:
        with joined_processes(device) as processes:
            return run_in(processes, device, options)
    except KeyboardInterrupt as interrupt:
        return tell(interrupt, options, INTERRUPTED)
    except CheckpointError as error:
        return tell(error, options, BAD_ARGUMENTS)
    except (DataError, FloatingPointError, OSError) as error:
        return tell(error, options, FAILED)


def run_in(processes: Processes, device: torch.device, options: argparse.Namespace) -> int:
    """Train in one of the processes; the first of them measures and writes."""
    folder, plan, refused, done = options.folder, None, None, 0
    with ExitStack() as held:
        try:
            plan = make_plan(options, device, processes)
            if processes.first:
                held.enter_context(claimed(folder))
            if not options.again:
                done = done_steps(folder / CHECKPOINT, plan.settings, plan.about)
        except REFUSALS as error:
            refused = error
            tell(error, options, BAD_ARGUMENTS)
        any_refused = processes.mean(torch.tensor([float(refused is not None)], device=device))
        if plan is None or any_refused.item():
            return BAD_ARGUMENTS  # together: nobody waits for one that does not come
        if processes.first:
            begin(plan, folder, done, how_it_was_made(device, processes.count))
        start = time.monotonic()
        model = train(
            plan.model,
            plan.material.learn,
            plan.settings,
            folder,
            resume=not options.again,
            about=plan.about,
        )
        if not processes.first:
            return 0
        if done < plan.settings.steps:
            say(f"trained in {time.monotonic() - start:.0f} s")
        return conclude(plan, model, folder)


def begin(plan: Plan, folder: Path, done: int, made: str) -> None:
    """Write down what is to be done, and say it."""
    (folder / COMMAND).write_text(made, encoding="utf-8")
    say(str(plan.material))
    if plan.material.held_out:
        listed = "".join(f"{name}\n" for name in plan.material.held_out)
        (folder / HELD_OUT).write_text(listed, encoding="utf-8")
        say(f"{folder / HELD_OUT} lists the images held out")
    if plan.remark:
        say(plan.remark)
    if done == plan.settings.steps:
        say(f"nothing is left to learn, all {done} steps are done; measures again")
    elif done:
        say(f"goes on from step {done} of {plan.settings.steps}")


def conclude(plan: Plan, model: nn.Module, folder: Path) -> int:
    """Save the model and what it is worth."""
    save_model(model, folder / MODEL, plan.maker, plan.options, plan.material.names)
    found = measure(plan, model)
    print(found)  # noqa: T201
    if found.interrupted:
        say(f"interrupted; {folder / MODEL} holds the model, and this table is not kept")
        return INTERRUPTED
    (folder / EVALUATION).write_text(f"{found}\n", encoding="utf-8")
    print(f"{folder / MODEL} holds the model, {folder / EVALUATION} this table.")  # noqa: T201
    return 0


def measure(plan: Plan, model: nn.Module) -> Any:
    """Evaluate a model on what it has not learned from."""
    return evaluate(
        model,
        plan.material.measure,
        names=plan.material.names,
        batch_size=plan.settings.batch_size // plan.settings.shares,
        workers=plan.settings.workers,
    )


def how_it_was_made(device: torch.device, processes: int) -> str:
    """Command line and versions, for whoever wants the same again."""
    words = shlex.join(["roilearn", *sys.argv[1:]])
    where = f"{device}, processes: {processes}, threads in each: {torch.get_num_threads()}"
    return f"{words}\nroilearn {__version__}, torch {torch.__version__}, {where}\n"


def tell(error: BaseException, options: argparse.Namespace, status: int) -> int:
    """Say what went wrong, in the words of the command line; return the exit status."""
    *_, last = ["interrupted.", *as_typed(error, vars(options)).strip().splitlines()]
    traced = "Traceback (most recent call last)" in str(error)  # from a process that loads images
    text = last if traced else as_typed(error, vars(options)) or last
    say(text if status == INTERRUPTED else f"error: {text}")
    return status


def say(text: str) -> None:
    """Tell whoever sits at the terminal."""
    print(f"roilearn train: {text}", file=sys.stderr)  # noqa: T201
