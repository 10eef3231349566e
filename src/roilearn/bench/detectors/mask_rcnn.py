"""Speed of Mask R-CNN: torchvision's model and ours, with the same weights and detections.

    python -m roilearn.bench.detectors.mask_rcnn --size 800 1066 --rounds 5

No trained weights are needed: see ``standardise_outputs``.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torch.nn.functional import interpolate

from roilearn.bench.environment import machine, versions
from roilearn.bench.timing import interleave, ratios
from roilearn.models import mask_rcnn_resnet50_fpn
from roilearn.ops import box_iou

Detections = Mapping[str, Tensor]
BASELINE, OURS, FOLDED = "torchvision", "roilearn", "roilearn, folded"
OUTPUT_LAYERS = {
    "rpn.head.cls_logits": 2.0,
    "rpn.head.bbox_pred": 0.3,
    "roi_heads.box_predictor.cls_score": 1.5,
    "roi_heads.box_predictor.bbox_pred": 1.0,
    "roi_heads.mask_predictor.mask_fcn_logits": 2.0,
}
"""Layers whose outputs are predictions, and the standard deviation that they are given."""


def make_image(height: int, width: int, seed: int = 1) -> Tensor:
    """Draw an image of smooth random blobs of several sizes, (3, height, width), values 0 to 1."""
    random = torch.Generator().manual_seed(seed)
    image = torch.zeros(1, 3, height, width)
    for cells in (3, 9, 27, 81):
        clouds = torch.rand(1, 3, cells, cells, generator=random)
        image += interpolate(clouds, (height, width), mode="bilinear") / 4
    return image[0]


def standardise_outputs(model: nn.Module, images: list[Tensor]) -> None:
    """Set the last layers of a random model so that its outputs vary as a trained model's do.

    Each channel of an output gets mean 0 and a chosen standard deviation on ``images``. So scores
    differ, boxes move, and suppression, level assignment and masks have their usual work.
    """
    layers = dict(model.named_modules())
    hooks = [
        layers[name].register_forward_hook(partial(_standardise, spread))
        for name, spread in OUTPUT_LAYERS.items()
        if name in layers  # a Faster R-CNN has no masks
    ]
    with torch.no_grad():
        model(images)
    for hook in hooks:
        hook.remove()


def _standardise(spread: float, layer: Any, _: object, output: Tensor) -> Tensor:
    """Change a layer, and its output, so that each channel has mean 0 and this deviation."""
    if hasattr(layer, "standardised"):  # at another level of the pyramid
        return output
    layer.standardised = True
    channels = output.transpose(0, 1).flatten(1)  # [C, all that was seen]
    mean, factor = channels.mean(1), spread / channels.std(1).clamp(min=1e-6)
    layer.bias.sub_(mean).mul_(factor)
    layer.weight.mul_(factor.view(-1, *[1] * (layer.weight.ndim - 1)))
    mean, factor = (each.view(-1, *[1] * (output.ndim - 2)) for each in (mean, factor))
    return (output - mean) * factor


def make_models(images: list[Tensor], **settings: Any) -> dict[str, nn.Module]:
    """Build torchvision's model, ours, and ours with folded batch normalisation.

    All have the same weights.

    Parameters
    ----------
    images : on which the outputs are standardised.
    settings : ``min_size``, ``max_size``, ``num_classes``, named alike in both libraries.
    """
    torch.manual_seed(0)
    make = torchvision.models.detection.maskrcnn_resnet50_fpn
    theirs: Any = make(weights=None, weights_backbone=None, **settings).eval()
    standardise_outputs(theirs, images)
    models: dict[str, nn.Module] = {BASELINE: theirs}
    for name in (OURS, FOLDED):
        models[name] = mask_rcnn_resnet50_fpn(
            theirs.state_dict(), frozen_batch_norm=True, fold=name == FOLDED, **settings
        ).eval()
    return models


def detect(model: Callable[..., list[Detections]], images: list[Tensor]) -> list[Detections]:
    """Run a model in inference mode."""
    with torch.inference_mode():
        return model(images)


def matched_fraction(theirs: Detections, ours: Detections, iou: float = 0.99) -> float:
    """Fraction of their detections that ours has too: the same class, and boxes of this IoU."""
    same = theirs["labels"][:, None] == ours["labels"]
    near = box_iou(theirs["boxes"], ours["boxes"]) >= iou
    return (same & near).any(1).float().mean().item()


def compare(size: tuple[int, int] = (800, 1066), rounds: int = 5) -> Iterator[str]:
    """Time each model in turn on one image, and yield the lines to print.

    Parameters
    ----------
    size : (height, width) of the image, in pixels.
    rounds : timed rounds.
    """
    images = [make_image(*size)]
    models = make_models(images, min_size=min(size), max_size=max(size))
    detections = {name: detect(model, images)[0] for name, model in models.items()}
    yield f"{size[0]} x {size[1]} pixels, {torch.get_num_threads()} threads; {machine()}"
    yield versions()
    for name, found in detections.items():
        again = 100 * matched_fraction(detections[BASELINE], found)
        yield f"{name:18} {len(found['boxes'])} detections, {again:.0f} % of torchvision's"
    calls = {name: partial(detect, model, images) for name, model in models.items()}
    for name, timing in ratios(interleave(calls, rounds), BASELINE).items():
        spread = f"({timing.ratio_min:.2f} to {timing.ratio_max:.2f})"
        yield f"{name:18} {timing.milliseconds:7.0f} ms  {timing.ratio:.2f} {spread}"


def main() -> None:
    """Parse the command line, measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--size",
        type=int,
        nargs=2,
        default=(800, 1066),
        metavar=("H", "W"),
        help="height and width of the image in pixels (default 800 1066)",
    )
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds (default 5)")
    options = parser.parse_args()
    for line in compare(tuple(options.size), options.rounds):
        print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
