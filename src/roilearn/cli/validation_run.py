"""Evaluation on the validation split, during a run and at its end; the best model is kept."""

from pathlib import Path

from torch import nn

from roilearn.cli.run_arguments import RunArguments
from roilearn.models.weights.model_files import save_model
from roilearn.train.evaluation.evaluate import evaluate
from roilearn.train.evaluation.results import Evaluation
from roilearn.train.run_folder.loss_curves import draw_curves
from roilearn.train.run_folder.run_files import CURVES, LOSSES
from roilearn.train.run_folder.validation_log import VALIDATION, ValidationLog

BEST = "best.safetensors"
"""Name of the file of the model with the highest AP so far."""


class ValidationRun:
    """Evaluates models of a run and writes ``validation.csv`` and ``best.safetensors``.

    Parameters
    ----------
    run : what to evaluate on, and how to save a model.
    folder : run folder.
    step : number of steps that are done.

    Attributes
    ----------
    best, last : a line about the best model so far, and about the last one; "" if there is none.
    """

    def __init__(self, run: RunArguments, folder: Path, step: int) -> None:
        self.run, self.folder, self.best, self.last = run, folder, "", ""
        self.log = ValidationLog(folder / VALIDATION, step)

    def __call__(self, model: nn.Module, step: int) -> Evaluation:
        """Evaluate a model after a step; save it if it is the best so far."""
        found = evaluate(
            model,
            self.run.splits.validation,
            names=self.run.splits.class_names,
            batch_size=self.run.settings.batch_size // self.run.settings.micro_batches,
            workers=self.run.settings.workers,
        )
        if not found.interrupted:
            self.keep(found, model, step)
        return found

    def keep(self, found: Evaluation, model: nn.Module, step: int) -> None:
        """Write the metrics, and the model if it is the best so far."""
        metrics = {f"AP {name}": each["AP"] for name, each in found.metrics.items()}
        is_best = self.log.add(step, metrics)
        if is_best:
            splits, builder, options = self.run.splits, self.run.builder, self.run.options
            save_model(model, self.folder / BEST, builder, options, splits.class_names)
        if (self.folder / LOSSES).is_file():
            draw_curves(self.folder / LOSSES, self.folder / CURVES)
        name, value = list(metrics.items())[-1]
        best = max(self.log.rows, key=lambda row: row[name])
        self.best = f"{self.folder / BEST} holds the model with the best {name}, {best[name]:.3f}"
        self.best += f", of step {best['step']:.0f}"
        self.last = f"step {step}: {name} {value:.3f} on {found.images} images"
