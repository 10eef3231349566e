"""Pre-training without labels: the backbone learns a pretext task first, then all few labels.

Both tasks see crops of the training photographs, without any shape. They are measured on crops of
the held-out photographs, and rotations on new crops of the training photographs as well.
"""

from typing import Any

import numpy as np
import torch

from roilearn.bench.detectors.extensions.runs import (
    LARGE,
    SIZE,
    box_metrics,
    held_out,
    small_model,
    train_quietly,
)
from roilearn.data import ShapeScenes
from roilearn.data.shape_scenes.photographs import crop_photograph
from roilearn.models.extensions.cut_paste_pretext import CutPastePretext, paste_from_next
from roilearn.models.extensions.rotation_pretext import RotationPretext

RANDOM, ROTATIONS, PASTED = "random weights", "rotations", "pasted rectangles"
VARIANTS = (RANDOM, ROTATIONS, PASTED)
STEPS = 300
LABELLED, UNLABELLED, TESTED = 40, 500, 64
"""Number of scenes whose labels are used, of crops to pre-train on, and of crops to measure on."""
PRETEXT_STEPS = 400
PRETEXT_SETTINGS: dict[str, Any] = {"batch_size": 16, "learning_rate": 3e-3}
SETTINGS: dict[str, Any] = {"learning_rate": 4e-3}


def measure(variant: str, seed: int, steps: int) -> dict[str, float]:
    """Train one detector on few labels, pre-trained or not, and measure its boxes."""
    model = small_model(seed)
    found = {}
    if variant != RANDOM:
        pretext = (RotationPretext if variant == ROTATIONS else CutPastePretext)(model)
        images, longest = crops(UNLABELLED, seed), 10 * steps  # shorter in tests
        train_quietly(pretext, images, min(PRETEXT_STEPS, longest), seed, **PRETEXT_SETTINGS)
        found = learned(pretext.eval(), seed)
    scenes = ShapeScenes(LABELLED, SIZE, seed, **LARGE)
    labelled = [scenes[k] for k in range(LABELLED)]  # drawn once, read often
    train_quietly(model, labelled, steps, seed, **SETTINGS)
    return {**box_metrics(model, held_out(**LARGE)), **found}


def crops(count: int, seed: int, split: str = "train") -> list[tuple[torch.Tensor, dict[str, Any]]]:
    """Cut as many windows out of the photographs, as a data set whose targets are empty."""
    random = np.random.default_rng(seed)
    found = [crop_photograph(random, SIZE, split) for _ in range(count)]
    return [(torch.from_numpy(one).permute(2, 0, 1).contiguous(), {}) for one in found]


def learned(pretext: Any, seed: int) -> dict[str, float]:
    """Measure a pretext task on crops that it was not trained on."""
    new = {
        split: torch.stack([image for image, _ in crops(TESTED, 1000 + seed, split)])
        for split in ("train", "held out")
    }
    if isinstance(pretext, CutPastePretext):
        return {"pasted found": pasted_found(pretext, new["held out"], seed)}
    return {
        "turns found": rotations_found(pretext, new["held out"]),
        "in seen photos": rotations_found(pretext, new["train"]),
    }


@torch.no_grad()
def rotations_found(pretext: Any, images: torch.Tensor) -> float:
    """Share of the images, each turned four ways, whose rotation is predicted; 1/4 by guessing."""
    right = [
        pretext.predict(images, torch.full((len(images),), turns)).argmax(1) == turns
        for turns in range(4)
    ]
    return torch.cat(right).float().mean().item()


@torch.no_grad()
def pasted_found(pretext: Any, images: torch.Tensor, seed: int) -> float:
    """Mean of the shares of pasted and of other cells that are told right; 1/2 by guessing."""
    torch.manual_seed(seed)
    pasted, regions = paste_from_next(images)
    logits = pretext.predict(pasted)[0]  # the finest level
    true = torch.nn.functional.adaptive_avg_pool2d(regions, logits.shape[2:]) > 0.5
    return ((logits[true] > 0).float().mean() + (logits[~true] < 0).float().mean()).item() / 2
