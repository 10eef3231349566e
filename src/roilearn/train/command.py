"""``roilearn train``: data, model, training, measurement, in this order."""

import argparse
import logging
import shlex
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from roilearn import __version__
from roilearn.models.description import MAKERS, describe
from roilearn.models.files import TRAINED, read_tensors, save_model
from roilearn.models.weights import WEIGHT_NAMES
from roilearn.train.checkpoint import CheckpointError
from roilearn.train.evaluate import evaluate
from roilearn.train.held_out import Material, coco_material, scenes
from roilearn.train.loop import train
from roilearn.train.processes import Processes, joined_processes
from roilearn.train.recipes import FINE_TUNING, RECIPES
from roilearn.train.settings import Settings

MODEL, EVALUATION, COMMAND = "model.safetensors", "evaluation.txt", "command.txt"
BAD_ARGUMENTS, INTERRUPTED, DIVERGED = 2, 130, 1
"""Exit statuses."""


def run(options: argparse.Namespace) -> int:
    """Do what the command line says; return the exit status."""
    logging.basicConfig(format="%(message)s")
    try:
        device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
        with joined_processes(device) as processes:
            return run_in(processes, device, options)
    except KeyboardInterrupt as interrupt:
        say(str(interrupt) or "interrupted.")
        return INTERRUPTED
    except FloatingPointError as error:
        say(str(error))
        return DIVERGED


def run_in(processes: Processes, device: str, options: argparse.Namespace) -> int:
    """Train in one of the processes; the first of them measures and writes."""
    try:
        maker, weights, described = choose_model(options)
        settings = choose_settings(options, maker, processes)
        material = choose_material(options, settings.seed)
        described["num_classes"] = len(material.names) + 1
        torch.manual_seed(settings.seed)
        model: nn.Module = MAKERS[maker](**described, weights=weights).to(device)
        describe(model, maker, described, material.names)  # before the work, not after it
    except (ImportError, OSError, RuntimeError, TypeError, ValueError) as error:
        say(f"error: {error}")
        return BAD_ARGUMENTS
    folder = Path(options.folder)
    if processes.first:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / COMMAND).write_text(how_it_was_made(device, processes.count), encoding="utf-8")
    start = time.monotonic()
    try:
        model = train(model, material.learn, settings, folder, resume=not options.again)
    except CheckpointError as error:
        say(f"error: {error}")
        return BAD_ARGUMENTS
    if not processes.first:
        return 0
    say(f"trained in {time.monotonic() - start:.0f} s")
    save_model(model, folder / MODEL, maker, described, material.names)
    found = measure(model, material, settings)
    (folder / EVALUATION).write_text(f"{found}\n", encoding="utf-8")
    print(found, f"\n{folder / MODEL} holds the model, {folder / EVALUATION} this table.")  # noqa: T201
    return 0


def choose_model(options: argparse.Namespace) -> tuple[str, Any, dict[str, Any]]:
    """Maker, weights to begin with, and options of the model."""
    weights, described = options.weights, {}
    known = {"tiny": "mask_rcnn_tiny", "resnet50": "mask_rcnn_resnet50_fpn"}
    if weights in WEIGHT_NAMES:
        if options.model == "tiny":
            raise ValueError(f"--weights {weights} are for --model resnet50; got tiny.")
        maker, described = known["resnet50"], {"norm_eps": 0.0}
    elif weights in TRAINED or Path(weights or "").suffix == ".safetensors":
        header, weights = read_tensors(TRAINED.get(weights, Path(weights)))
        maker, described = header["maker"], dict(header["options"])
        if known.get(options.model, maker) != maker:
            raise ValueError(f"--weights must be of --model {options.model}; they are of {maker}.")
    else:
        maker = known[options.model or "tiny"]
    if weights and maker == known["resnet50"]:
        described |= {k: v for k, v in FINE_TUNING.items() if described.get(k) is None}
    return maker, weights, {**described, **options.model_options}


def choose_settings(options: argparse.Namespace, maker: str, processes: Processes) -> Settings:
    """Take settings of the command line, else of the model's recipe, else their defaults."""
    given = {k: v for k, v in vars(options).items() if k in Settings.__dataclass_fields__}
    given = {k: v for k, v in given.items() if v is not None}
    settings = Settings(**{"workers": 1, "shares": processes.count, **RECIPES[maker], **given})
    processes.own(settings.shares)
    return settings


def choose_material(options: argparse.Namespace, seed: int) -> Material:
    """Drawn scenes, or a folder in COCO's format."""
    if options.coco is None:
        return scenes(options.scenes, options.evaluate, seed)
    return coco_material(options.coco, options.validate, seed)


def measure(model: nn.Module, material: Material, settings: Settings) -> Any:
    """Evaluate a model on what it has not learned from."""
    return evaluate(
        model,
        material.measure,
        names=material.names,
        batch_size=settings.batch_size // settings.shares,
        workers=settings.workers,
    )


def how_it_was_made(device: str, processes: int) -> str:
    """Command line and versions, for whoever wants the same again."""
    words = shlex.join(["roilearn", *sys.argv[1:]])
    where = f"{device}, processes: {processes}, threads in each: {torch.get_num_threads()}"
    return f"{words}\nroilearn {__version__}, torch {torch.__version__}, {where}\n"


def say(text: str) -> None:
    """Tell whoever sits at the terminal."""
    print(f"roilearn train: {text}", file=sys.stderr)  # noqa: T201
