"""Training faults: a healthy run and six with one fault each, their losses and their AP.

    python -m roilearn.bench.detectors.training_faults

The backbone begins with the weights of the model that comes with the package, and the rest with
random weights, as one begins with a backbone that was trained on photographs. All runs of a seed
begin with the same weights, but for the one whose fault they are, and see the same scenes in the
same order. A run that has been recorded is not trained again, and each is recorded as it is done.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from roilearn.bench.environment import machine, versions
from roilearn.bench.recorded.results import write
from roilearn.bench.recorded.training_faults import (
    CURVES,
    FAULTS,
    FILE,
    HEALTHY,
    LOSSES,
    STEPS,
    WINDOW,
    FaultLosses,
    FaultResult,
    format_training_faults,
    read_fault_losses,
    read_training_faults,
)
from roilearn.data import ShapeScenes
from roilearn.models import (
    BUILDERS,
    IMAGE_MEAN,
    IMAGE_STD,
    MaskRCNN,
    load_model,
    mask_rcnn_tiny,
)
from roilearn.train import Settings, evaluate, read_loss_log, train

Target = Mapping[str, Tensor]
CLASSES = 4  # background and three shapes
SIZE = 96
SCENES: dict[str, Any] = {"size": SIZE, "radii": (12.0, 32.0), "objects": (1, 3), "crowding": 0.0}
"""Options of the scenes: fewer and larger objects than by default, none put against another on
purpose, so that a short run finds most of them."""
BATCH_SIZE = 2
VALIDATION_IMAGES = 40
VALIDATION_SEED = 1_000_000
TOO_HIGH = 25
"""Factor of the learning rate that is too high."""


def shift_labels(target: Target) -> dict[str, Any]:
    """Raise every label by one; the last becomes the first."""
    return {**target, "labels": target["labels"] % (CLASSES - 1) + 1}


def swap_coordinates(target: Target) -> dict[str, Any]:
    """Write y1, x1, y2, x2 where x1, y1, x2, y2 are meant; the masks stay right."""
    return {**target, "boxes": target["boxes"][:, [1, 0, 3, 2]]}


def mark_as_crowds(target: Target) -> dict[str, Any]:
    """Mark every object as a crowd, which is neither an object nor background."""
    return {**target, "iscrowd": torch.ones_like(target["labels"])}


FAULTY_TARGETS: dict[str, Callable[[Target], dict[str, Any]]] = {
    "labels": shift_labels,
    "boxes": swap_coordinates,
    "positives": mark_as_crowds,
}
"""Faults of the targets, by name."""


class FaultyScenes(Dataset):
    """Scenes whose targets have a fault; those of the other faults are as they should be."""

    def __init__(self, scenes: ShapeScenes, fault: str) -> None:
        self.scenes, self.change = scenes, FAULTY_TARGETS.get(fault, dict)
        self.shapes = scenes.shapes

    def __len__(self) -> int:
        """Count the scenes."""
        return len(self.scenes)

    def __getitem__(self, index: int) -> tuple[Tensor, dict[str, Any]]:
        """Draw scene ``index``, and put the fault into its target."""
        image, target = self.scenes[index]
        return image, self.change(target)


def make_model(fault: str, seed: int) -> MaskRCNN:
    """Build the model of a run, with the initial weights of a seed and the backbone of SHAPES."""
    torch.manual_seed(seed)
    model = mask_rcnn_tiny(CLASSES, min_size=SIZE, max_size=SIZE)
    backbone = model.get_submodule("backbone")
    if fault == "frozen":
        backbone.requires_grad_(False)  # and its weights are not loaded
    else:
        trained = load_model("SHAPES")[0].get_submodule("backbone")
        backbone.load_state_dict(trained.state_dict())
    if fault == "normalisation":
        normalise(model, wanted=False)
    return model


def normalise(model: Any, wanted: bool) -> None:
    """Set whether a model normalises the colours of its images."""
    model.transform.image_mean = list(IMAGE_MEAN if wanted else (0.0, 0.0, 0.0))
    model.transform.image_std = list(IMAGE_STD if wanted else (1.0, 1.0, 1.0))


def settings_of(fault: str, seed: int, steps: int) -> Settings:
    """Choose the settings of a run."""
    given = BUILDERS["mask_rcnn_tiny"].training_settings
    settings = Settings(**{**given, "steps": steps, "batch_size": BATCH_SIZE, "seed": seed})
    if fault == "learning rate":
        settings = replace(settings, learning_rate=TOO_HIGH * settings.learning_rate)
    return settings


def train_and_evaluate(
    fault: str, seed: int, steps: int, command: str
) -> tuple[FaultResult, list[FaultLosses]]:
    """Train one model on one thread, and evaluate it without the fault and with it."""
    torch.set_num_threads(1)
    settings = settings_of(fault, seed, steps)
    scenes = ShapeScenes(steps * settings.batch_size, seed=seed, **SCENES)
    with TemporaryDirectory() as folder:
        model: Any = train(
            make_model(fault, seed), FaultyScenes(scenes, fault), settings, folder, progress=False
        )
        log = read_loss_log(Path(folder) / "losses.csv")
    model = getattr(model, "module", model)  # the moving average wraps the model
    held_out = ShapeScenes(
        VALIDATION_IMAGES, seed=VALIDATION_SEED, photographs="held out", **SCENES
    )
    own = measure(model, FaultyScenes(held_out, fault)) if own_differs(fault) else None
    normalise(model, wanted=True)
    found = measure(model, held_out)
    return FaultResult(
        fault,
        seed,
        steps,
        settings.batch_size,
        found["boxes"]["AP"],
        found["boxes"]["AP50"],
        found["masks"]["AP"],
        found["masks"]["AP50"],
        (own or found)["boxes"]["AP"],
        (own or found)["masks"]["AP"],
        VALIDATION_IMAGES,
        command,
        versions(),
        machine(),
    ), list(averaged(fault, seed, log))


def own_differs(fault: str) -> bool:
    """Whether a program with this fault would measure something else.

    If every object is a crowd there is nothing to measure.
    """
    return fault in {"labels", "boxes", "normalisation"}


def measure(model: Any, scenes: Any) -> Mapping[str, Mapping[str, float]]:
    """Evaluate on scenes: COCO's metrics of boxes and of masks."""
    return evaluate(model, scenes, batch_size=8, progress=False).metrics


def averaged(fault: str, seed: int, log: Mapping[str, list[float]]) -> Iterator[FaultLosses]:
    """Average a loss log: the first step alone, then the steps up to each multiple of ``WINDOW``.

    Examples
    --------
    >>> log = {name: [4.0, 2.0, 6.0] for name in ("learning_rate", "grad_norm", *LOSSES)}
    >>> [(row.step, row.loss_mask) for row in averaged("labels", 0, log)]
    [(1, 4.0), (3, 4.0)]
    """
    steps = len(log["learning_rate"])
    ends = [1, *range(WINDOW, steps, WINDOW), steps]
    for start, end in zip([0, *ends], ends, strict=False):
        if end == start:
            continue
        means = {name: sum(log[name][start:end]) / (end - start) for name in ("grad_norm", *LOSSES)}
        yield FaultLosses(fault, seed, end, log["learning_rate"][end - 1], **means)


def runs_left(done: list[FaultResult], seeds: int, steps: int) -> Iterator[tuple[str, int]]:
    """Yield the runs that are not recorded, seed by seed, so that an interruption leaves seeds."""
    known = {(result.fault, result.seed, result.steps) for result in done}
    for seed in range(seeds):
        for fault in (HEALTHY, *FAULTS):
            if (fault, seed, steps) not in known:
                yield fault, seed


def main() -> None:
    """Train the models that are not recorded yet, one after another."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--seeds", type=int, default=2, help="number of seeds (default 2)")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"default {STEPS}")
    parser.add_argument("--output", type=Path, default=FILE, help="CSV file of the results")
    parser.add_argument("--curves", type=Path, default=CURVES, help="CSV file of the losses")
    options = parser.parse_args()
    command = f"python -m roilearn.bench.detectors.training_faults --steps {options.steps}"
    results, curves = read_training_faults(options.output), read_fault_losses(options.curves)
    for fault, seed in runs_left(results, options.seeds, options.steps):
        result, losses = train_and_evaluate(fault, seed, options.steps, command)
        curves = [row for row in curves if (row.fault, row.seed) != (fault, seed)] + losses
        write(curves, options.curves, FaultLosses)
        results.append(result)
        write(results, options.output, FaultResult)
        print(*format_training_faults([result]), sep="\n", flush=True)  # noqa: T201
    print(*format_training_faults(results), sep="\n")  # noqa: T201


if __name__ == "__main__":
    main()
