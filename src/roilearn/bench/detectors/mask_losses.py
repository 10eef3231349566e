"""Mask losses: the same small Mask R-CNN, its masks trained with a sigmoid or with a softmax.

    python -m roilearn.bench.detectors.mask_losses

It is table 2b of He et al., Mask R-CNN (2017), on drawn scenes. All models have the same layers,
and those of one seed begin with the same weights and see the same scenes. A run that has been
recorded is not trained again, and each is recorded as it is done.
"""

import argparse
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from roilearn.bench.detectors.ablation import CLASSES, VALIDATION_IMAGES, VALIDATION_SEED
from roilearn.bench.environment import machine, versions
from roilearn.bench.recorded.mask_losses import (
    CLASS_GIVEN,
    FILE,
    ONE_MAP,
    SIGMOID,
    SOFTMAX,
    STEPS,
    MaskLossResult,
    format_mask_losses,
    read_mask_losses,
)
from roilearn.bench.recorded.results import write
from roilearn.data import ShapeScenes
from roilearn.models import (
    BUILDERS,
    MaskRCNN,
    RoIHeads,
    all_mask_targets,
    mask_rcnn_tiny,
    softmax_mask_loss,
)
from roilearn.models.roi_heads import Boxes, Features, Samples, Sizes, Targets
from roilearn.ops import paste_masks_in_image
from roilearn.train import Settings, evaluate, train


class OneMapHeads(RoIHeads):
    """``RoIHeads`` with class-agnostic masks: the map of class 1 serves every class."""

    def predict_masks(
        self, features: Features, boxes: Boxes, labels: Int64[Tensor, " K"], image_sizes: Sizes
    ) -> Float[Tensor, "K 1 M M"]:
        """Predict the mask logits of boxes, whatever their classes."""
        return super().predict_masks(features, boxes, torch.ones_like(labels), image_sizes)


class SoftmaxHeads(RoIHeads):
    """``RoIHeads`` whose classes compete for each cell of a mask: one softmax over all maps.

    ``class_given``: a prediction takes the class from the box head, so that only background
    competes with it. Training is the same.
    """

    class_given = False

    def all_mask_logits(
        self, features: Features, boxes: Boxes, image_sizes: Sizes
    ) -> Float[Tensor, "K classes M M"]:
        """Predict the mask logits of boxes for all classes, background included."""
        pool: Any = self.mask_roi_pool
        head: Any = self.mask_head
        predictor: Any = self.mask_predictor
        return predictor(head(pool(features, boxes, image_sizes)))

    def mask_losses(
        self, features: Features, samples: Samples, image_sizes: Sizes, targets: Targets
    ) -> dict[str, Tensor]:
        """Compute the mask loss of the positives."""
        positives = [image.objects() for image in samples]
        logits = self.all_mask_logits(features, [image.boxes for image in positives], image_sizes)
        masks = [target["masks"] for target in targets]
        options = (logits.shape[-1], self.options.mask_target_aligned)
        true = all_mask_targets(masks, positives, *options)
        labels = torch.cat([image.labels for image in positives])
        return {"loss_mask": softmax_mask_loss(logits, true, labels)}

    def predict_masks(
        self, features: Features, boxes: Boxes, labels: Int64[Tensor, " K"], image_sizes: Sizes
    ) -> Float[Tensor, "K 1 M M"]:
        """Predict logits whose sigmoid is the softmax probability of each box's class."""
        logits = self.all_mask_logits(features, boxes, image_sizes)
        return log_odds(logits, labels, self.class_given)


def log_odds(
    mask_logits: Float[Tensor, "K classes M M"],
    labels: Int64[Tensor, " K"],
    class_given: bool = False,
) -> Float[Tensor, "K 1 M M"]:
    """Logarithm of p / (1 - p), where p is the softmax probability of each box's class.

    With ``class_given`` the softmax is over that class and background, else over all classes.

    Examples
    --------
    Among four equal logits p is a quarter, between two it is a half:

    >>> logits, label = torch.zeros(1, 4, 1, 1), torch.tensor([2])
    >>> [log_odds(logits, label, given).sigmoid().item() for given in (False, True)]
    [0.25, 0.5]
    """
    rows = torch.arange(len(labels), device=labels.device)
    others = mask_logits[:, :1] if class_given else mask_logits.clone()
    if not class_given:
        others[rows, labels] = -torch.inf
    return (mask_logits[rows, labels] - others.logsumexp(1))[:, None]


HEADS: dict[str, type[RoIHeads]] = {SIGMOID: RoIHeads, SOFTMAX: SoftmaxHeads, ONE_MAP: OneMapHeads}
"""Heads of each variant that is trained. Their layers, and so their weights, are the same."""


def make_model(variant: str, seed: int) -> MaskRCNN:
    """Build the model of a variant, with the initial weights of a seed."""
    torch.manual_seed(seed)
    model = mask_rcnn_tiny(CLASSES)
    old = model.roi_heads
    boxes = (old.box_roi_pool, old.box_head, old.box_predictor)
    masks = (old.mask_roi_pool, old.mask_head, old.mask_predictor)
    model.roi_heads = HEADS[variant](*boxes, *masks, options=old.options)
    return model


def train_and_evaluate(variant: str, seed: int, steps: int, command: str) -> list[MaskLossResult]:
    """Train one model on one thread, and evaluate it; with a softmax, in both ways of reading."""
    torch.set_num_threads(1)
    given = BUILDERS["mask_rcnn_tiny"].training_settings
    settings = Settings(**{**given, "steps": steps, "seed": seed})
    scenes = ShapeScenes(steps * settings.batch_size, seed=seed)
    model: Any = train(make_model(variant, seed), scenes, settings, progress=False)
    result = evaluate_model(model, variant, settings, command)
    if variant != SOFTMAX:
        return [result]
    model.roi_heads.class_given = True
    return [result, evaluate_model(model, CLASS_GIVEN, settings, command)]


def evaluate_model(
    model: MaskRCNN, variant: str, settings: Settings, command: str
) -> MaskLossResult:
    """Evaluate a trained model on the validation images."""
    held_out = ShapeScenes(VALIDATION_IMAGES, seed=VALIDATION_SEED, photographs="held out")
    found = evaluate(model, held_out, batch_size=8, progress=False).metrics
    return MaskLossResult(
        variant,
        settings.seed,
        settings.steps,
        settings.batch_size,
        **{name: found["masks"][name] for name in ("AP", "AP50", "AP75")},
        mask_iou=mask_iou_in_true_boxes(model, held_out),
        AP_boxes=found["boxes"]["AP"],
        images=VALIDATION_IMAGES,
        command=command,
        versions=versions(),
        machine=machine(),
    )


@torch.no_grad()
def mask_iou_in_true_boxes(model: MaskRCNN, scenes: ShapeScenes) -> float:
    """Mean IoU of true masks with those predicted in the true boxes, for the true classes.

    Box head and proposals take no part in it, so it measures the masks alone. They are
    compared at the size of the batch's images.
    """
    model.eval()
    ious = []
    for index in range(len(scenes)):
        image, target = scenes[index]
        batch, (true,) = model.transform([image], [target])
        features = model.backbone(batch.tensors)
        labels, boxes = true["labels"], true["boxes"]
        logits = model.roi_heads.predict_masks(features, [boxes], labels, batch.sizes)
        size = batch.sizes[0]
        found = paste_masks_in_image(logits.sigmoid(), boxes, size, 1, 0.5, "aligned")[:, 0]
        masks = true["masks"].bool()
        both, either = (a.flatten(1).sum(1) for a in (masks & found, masks | found))
        ious.append(both / either)
    return float(torch.cat(ious).mean())


def runs_left(done: list[MaskLossResult], seeds: int, steps: int) -> Iterator[tuple[str, int]]:
    """Yield the runs that are not recorded: pairs of sigmoid and softmax first, seed by seed.

    So an interruption leaves what can be compared.
    """
    known = {(result.variant, result.seed, result.steps) for result in done}
    for variants in ((SIGMOID, SOFTMAX), (ONE_MAP,)):
        for seed, variant in product(range(seeds), variants):
            if (variant, seed, steps) not in known:
                yield variant, seed


def main() -> None:
    """Train the models that are not recorded yet, one after another."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds (default 3)")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"default {STEPS}")
    parser.add_argument("--output", type=Path, default=FILE, help="CSV file of the results")
    options = parser.parse_args()
    command = f"python -m roilearn.bench.detectors.mask_losses --steps {options.steps}"
    results = read_mask_losses(options.output)
    for variant, seed in runs_left(results, options.seeds, options.steps):
        found = train_and_evaluate(variant, seed, options.steps, command)
        results += found
        write(results, options.output, MaskLossResult)
        print(*format_mask_losses(found), sep="\n", flush=True)  # noqa: T201
    print(*format_mask_losses(results), sep="\n")  # noqa: T201


if __name__ == "__main__":
    main()
