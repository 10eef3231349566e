"""Speed of torchvision's Mask R-CNN with and without ``roilearn.patch()``: equal detections.

    python -m roilearn.bench.detectors.patched_mask_rcnn

A patch can only save time of the operators, and convolutions take most of the time. A model in the
memory format channels last also avoids conversions between the formats.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from roilearn.bench.detectors.mask_rcnn import make_image, standardise_outputs
from roilearn.bench.environment import machine, versions
from roilearn.bench.timing import interleave, ratios
from roilearn.patching import patch

Detections = dict[str, Tensor]


def mask_rcnn(images: list[Tensor], **settings: object) -> nn.Module:
    """Make torchvision's Mask R-CNN with random weights that detect many objects in ``images``."""
    torch.manual_seed(0)
    make = torchvision.models.detection.maskrcnn_resnet50_fpn
    model: Any = make(weights=None, weights_backbone=None, **settings).eval()
    standardise_outputs(model, images)
    return model


def detect(model: nn.Module, images: list[Tensor], *, patched: bool) -> list[Detections]:
    """Run the model once, with torchvision's operators or with ours."""
    with torch.inference_mode(), patch() if patched else nullcontext():
        return model(images)


def compare(rounds: int = 5, size: tuple[int, int] = (800, 1066)) -> Iterator[str]:
    """Time both in turns on one image, in both memory formats, and yield the lines to print.

    Parameters
    ----------
    rounds : timed rounds.
    size : (height, width) of the image, in pixels.
    """
    images = [make_image(*size)]
    model: Any = mask_rcnn(images)
    theirs, ours = (detect(model, images, patched=patched)[0] for patched in (False, True))
    moved = (theirs["boxes"] - ours["boxes"]).abs().max().item()
    yield f"{len(ours['boxes'])} detections, the boxes at most {moved:.1e} px apart"
    yield f"{versions()}; {machine()}"
    for layout in (torch.contiguous_format, torch.channels_last):
        model = model.to(memory_format=layout)
        names = {"torchvision": False, "patched": True}
        calls = {n: partial(detect, model, images, patched=patched) for n, patched in names.items()}
        for name, timing in ratios(interleave(calls, rounds), "torchvision").items():
            spread = f"({timing.ratio_min:.2f} to {timing.ratio_max:.2f})"
            ratio = f"{timing.milliseconds:7.0f} ms  {timing.ratio:.2f} {spread}"
            yield f"{str(layout).removeprefix('torch.'):18} {name:12} {ratio}"


if __name__ == "__main__":
    for line in compare():
        print(line, flush=True)  # noqa: T201
