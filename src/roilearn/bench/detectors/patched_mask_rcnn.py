"""torchvision's Mask R-CNN as it is and with `roilearn.patch()`: same detections, other time.

    python -m roilearn.bench.detectors.patched_mask_rcnn

What a patch can save is the time of the operators. Convolutions take most of a detection, and a
model whose maps lie channels last spares the change of layout as well.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from roilearn.bench.detectors.mask_rcnn import make_image, spread_answers
from roilearn.bench.operators.measure import machine, versions
from roilearn.bench.timing import interleave, ratios
from roilearn.patching import patch

Detections = dict[str, Tensor]


def mask_rcnn(images: list[Tensor], **settings: object) -> nn.Module:
    """Make torchvision's Mask R-CNN, whose random weights have much to detect in ``images``."""
    torch.manual_seed(0)
    make = torchvision.models.detection.maskrcnn_resnet50_fpn
    model: Any = make(weights=None, weights_backbone=None, **settings).eval()
    spread_answers(model, images)
    return model


def detect(model: nn.Module, images: list[Tensor], *, patched: bool) -> list[Detections]:
    """Detect once, with torchvision's operators or with ours."""
    with torch.inference_mode(), patch() if patched else nullcontext():
        return model(images)


def compare(rounds: int = 5, size: tuple[int, int] = (800, 1066)) -> Iterator[str]:
    """Time both in turns on one image, in both layouts, and yield the lines to print.

    Parameters
    ----------
    rounds : rounds that count.
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
            spread = f"({timing.slowest:.2f} to {timing.fastest:.2f})"
            ratio = f"{timing.milliseconds:7.0f} ms  {timing.ratio:.2f} {spread}"
            yield f"{str(layout).removeprefix('torch.'):18} {name:12} {ratio}"


if __name__ == "__main__":
    for line in compare():
        print(line, flush=True)  # noqa: T201
