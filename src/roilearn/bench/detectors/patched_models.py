"""Speed of torchvision's detectors with and without ``roilearn.patch()``: small, seeded ones.

A patch can only save time of the RoI operators and of NMS, and convolutions take most of the time.
So the models have ResNet-18 as their backbone.
"""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection import FasterRCNN, MaskRCNN
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

from roilearn.bench.detectors.mask_rcnn import make_image, standardise_outputs
from roilearn.bench.operators.implementations import BASELINE
from roilearn.bench.operators.under_load import measure_calls
from roilearn.bench.recorded.load import LoadRow
from roilearn.patching import patch

PATCHED = "torchvision, patched"
MODELS: dict[str, Callable[..., nn.Module]] = {"Faster R-CNN": FasterRCNN, "Mask R-CNN": MaskRCNN}
TOPIC = "whole models"
SIDES = (128, 512, 800)
"""Sides of the square image, in pixels."""
LARGEST_UNDER_LOAD = 512
"""Largest of these sides beside busy processes, with which a round takes longer."""
OBJECTS = 8
"""Objects of the image in training."""


def make_detector(name: str, side: int) -> nn.Module:
    """Make torchvision's detector with random weights that detect many objects in an image."""
    torch.manual_seed(0)
    backbone = resnet_fpn_backbone(backbone_name="resnet18", weights=None)
    model: Any = MODELS[name](backbone, 91, min_size=side, max_size=side).eval()
    standardise_outputs(model, [make_image(side, side)])
    return model


def make_target(side: int) -> dict[str, Tensor]:
    """Draw objects for training: boxes of several sizes, labels and masks."""
    random = torch.Generator().manual_seed(0)
    sides = side * (0.1 + 0.3 * torch.rand(OBJECTS, 2, generator=random))
    corner = (side - sides) * torch.rand(OBJECTS, 2, generator=random)
    boxes = torch.cat([corner, corner + sides], 1)
    masks = torch.zeros(OBJECTS, side, side, dtype=torch.uint8)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes.int().tolist(), strict=True):
        mask[y1:y2, x1:x2] = 1
    return {"boxes": boxes, "labels": torch.arange(1, OBJECTS + 1), "masks": masks}


def run_detector(model: nn.Module, side: int, *, training: bool, patched: bool) -> object:
    """Detect the objects of the image, or compute the losses of one image and their gradients."""
    images = [make_image(side, side)]
    with patch() if patched else nullcontext():
        if not training:
            with torch.inference_mode():
                return model.eval()(images)
        torch.manual_seed(0)  # proposals are sampled for the losses
        losses = model.train()(images, [make_target(side)])
        total = torch.stack(list(losses.values())).sum()
        model.zero_grad()
        total.backward()
        return total.detach()


def measure_models(busy: int, *, rounds: int = 5, only: str = "") -> Iterator[LoadRow]:
    """Time both models with and without the patch, in turns, for inference and training.

    Parameters
    ----------
    busy : the number of busy processes for each core, which the rows name; who calls starts them.
    rounds : timed rounds at most.
    only : measure models whose name contains this text; empty, or the topic: all.
    """
    for name in (name for name in MODELS if only in name or only in TOPIC):
        for side in SIDES if busy == 0 else [s for s in SIDES if s <= LARGEST_UNDER_LOAD]:
            model = make_detector(name, side)
            for direction in ("inference", "training"):
                run = partial(run_detector, model, side, training=direction == "training")
                calls = {
                    BASELINE: partial(run, patched=False),
                    PATCHED: partial(run, patched=True),
                }
                names = (TOPIC, name, f"{side} px", direction)
                yield from measure_calls(names, calls, busy, rounds)
