"""torchvision's Mask R-CNN as it is and with `roilearn.patch()`: same detections, other time."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from roilearn.bench.timing import Timing, interleave, ratios
from roilearn.patching import patch

Detections = dict[str, Tensor]


def mask_rcnn(seed: int = 0, **settings: object) -> nn.Module:
    """Make torchvision's Mask R-CNN, with random weights that detect something.

    Weights from a hub would need a network. These spread the scores and move the boxes, so that
    NMS, levels and masks have as much to do as with trained ones.
    """
    torch.manual_seed(seed)
    make = torchvision.models.detection.maskrcnn_resnet50_fpn
    model: Any = make(weights=None, weights_backbone=None, box_score_thresh=0.0, **settings).eval()
    heads = model.roi_heads.box_predictor
    with torch.no_grad():
        for layer, factor in (
            (model.rpn.head.cls_logits, 30),
            (model.rpn.head.bbox_pred, 10),
            (heads.cls_score, 30),
            (heads.bbox_pred, 10),
        ):
            layer.weight.mul_(factor)
    return model


def detect(model: nn.Module, images: list[Tensor], *, patched: bool) -> list[Detections]:
    """Detect once, with torchvision's operators or with ours."""
    with torch.inference_mode(), patch() if patched else nullcontext():
        return model(images)


def compare(rounds: int = 3, size: tuple[int, int] = (800, 1066)) -> Iterator[str]:
    """Time both in turns on one image and yield the lines to print.

    Parameters
    ----------
    rounds : rounds that count.
    size : (height, width) of the image, in pixels.
    """
    model = mask_rcnn()
    images = [torch.rand(3, *size, generator=torch.Generator().manual_seed(1))]
    theirs, ours = (detect(model, images, patched=patched)[0] for patched in (False, True))
    moved = (theirs["boxes"] - ours["boxes"]).abs().max().item()
    yield f"{len(ours['boxes'])} detections, the boxes at most {moved:.1e} px apart"
    timings: dict[str, Timing] = ratios(
        interleave(
            {
                "torchvision": lambda: detect(model, images, patched=False),
                "patched": lambda: detect(model, images, patched=True),
            },
            rounds,
        ),
        "torchvision",
    )
    for name, timing in timings.items():
        spread = f"({timing.slowest:.2f} to {timing.fastest:.2f})"
        yield f"{name:12} {timing.milliseconds:7.0f} ms  {timing.ratio:.2f} {spread}"


if __name__ == "__main__":
    for line in compare():
        print(line)  # noqa: T201
