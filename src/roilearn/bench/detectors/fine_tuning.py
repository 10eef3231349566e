"""Fine-tuning: a folder of 24 pictures with two new classes, from three kinds of initial weights.

    python -m roilearn.bench.detectors.fine_tuning

The classes are ring and cross, which the model SHAPES has never seen. The pictures are exported in
COCO's format and read again, as pictures of one's own would be, and half of them are mirrored at
random. Runs of a seed see the same pictures in the same order. A run that has been recorded is not
trained again, and each is recorded as it is done.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torchvision.transforms import v2

from roilearn.bench.environment import machine, versions
from roilearn.bench.recorded.fine_tuning import (
    BODY_FROZEN,
    FILE,
    PICTURES,
    RANDOM,
    STEPS,
    VARIANTS,
    FineTuningResult,
    format_fine_tuning,
    read_fine_tuning,
)
from roilearn.bench.recorded.results import write
from roilearn.data import CocoFolder, ShapeScenes, Transformed, export_coco
from roilearn.models import BUILDERS, MaskRCNN, load_model, mask_rcnn_tiny
from roilearn.train import Settings, evaluate, train

SHAPES = ("ring", "cross")
SIZE = 96
BATCH_SIZE = 2
VALIDATION_IMAGES = 40
VALIDATION_SEED = 1_000_000


def make_model(variant: str, seed: int) -> MaskRCNN:
    """Build the model of a run; layers whose shape depends on the classes begin at random."""
    torch.manual_seed(seed)
    weights = None if variant == RANDOM else load_model("SHAPES")[0].state_dict()
    trainable_layers = 0 if variant == BODY_FROZEN else None
    body: dict[str, Any] = {"trainable_layers": trainable_layers}
    sizes: dict[str, Any] = {"min_size": SIZE, "max_size": SIZE}
    return mask_rcnn_tiny(1 + len(SHAPES), weights=weights, backbone_options=body, **sizes)


def count_trained(model: MaskRCNN) -> int:
    """Count the parameters that are trained."""
    return sum(one.numel() for one in model.parameters() if one.requires_grad)


def train_and_evaluate(variant: str, seed: int, steps: int, command: str) -> FineTuningResult:
    """Train one model on one thread, and evaluate it on pictures of other photographs."""
    torch.set_num_threads(1)
    given = BUILDERS["mask_rcnn_tiny"].training_settings
    settings = Settings(**{**given, "steps": steps, "batch_size": BATCH_SIZE, "seed": seed})
    model = make_model(variant, seed)
    trained_parameters = count_trained(model)
    with TemporaryDirectory() as folder:
        file = export_coco(ShapeScenes(PICTURES, SIZE, seed, shapes=SHAPES), folder)
        pictures = Transformed(CocoFolder(None, file), v2.RandomHorizontalFlip(0.5))
        trained = train(model, pictures, settings, progress=False)
    held_out = ShapeScenes(
        VALIDATION_IMAGES, SIZE, VALIDATION_SEED, photographs="held out", shapes=SHAPES
    )
    found = evaluate(trained, held_out, batch_size=8, progress=False).metrics
    return FineTuningResult(
        variant,
        seed,
        steps,
        PICTURES,
        trained_parameters,
        found["boxes"]["AP"],
        found["boxes"]["AP50"],
        found["masks"]["AP"],
        found["masks"]["AP50"],
        VALIDATION_IMAGES,
        command,
        versions(),
        machine(),
    )


def runs_left(done: list[FineTuningResult], seeds: int, steps: int) -> Iterator[tuple[str, int]]:
    """Yield the runs that are not recorded, seed by seed, so that an interruption leaves seeds."""
    known = {(result.variant, result.seed, result.steps) for result in done}
    for seed in range(seeds):
        for variant in VARIANTS:
            if (variant, seed, steps) not in known:
                yield variant, seed


def main() -> None:
    """Train the models that are not recorded yet, one after another."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds (default 3)")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"default {STEPS}")
    parser.add_argument("--output", type=Path, default=FILE, help="CSV file of the results")
    options = parser.parse_args()
    command = f"python -m roilearn.bench.detectors.fine_tuning --steps {options.steps}"
    results = read_fine_tuning(options.output)
    for variant, seed in runs_left(results, options.seeds, options.steps):
        results.append(train_and_evaluate(variant, seed, options.steps, command))
        write(results, options.output, FineTuningResult)
        print(*format_fine_tuning(results[-1:]), sep="\n", flush=True)  # noqa: T201
    print(*format_fine_tuning(results), sep="\n")  # noqa: T201


if __name__ == "__main__":
    main()
