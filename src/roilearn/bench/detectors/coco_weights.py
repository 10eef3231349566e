"""Detections of torchvision's Mask R-CNN and of ours, compared with torchvision's COCO weights.

    python -m roilearn.bench.detectors.coco_weights

The weights are downloaded. The command ends with an error if a detection differs by more than
rounding explains.
"""

import sys
from collections.abc import Iterator
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from roilearn.bench.detectors.mask_rcnn import Detections, detect
from roilearn.bench.environment import versions
from roilearn.models import maskrcnn_resnet50_fpn
from roilearn.plot import photograph

PHOTOGRAPHS = ("chelsea", "coffee", "astronaut")
LIMITS = {"boxes": 0.05, "scores": 1e-3, "masks": 1e-2}
"""Largest difference that counts as rounding: in pixels, and in probabilities."""
SURE = 0.1
"""Detections with a lower score are not compared: rounding may exchange them."""


def images_of_the_book() -> dict[str, Tensor]:
    """Load the photographs as (3, H, W) tensors from 0 to 1, by their names."""
    return {
        name: torch.tensor(photograph(name), dtype=torch.float32).permute(2, 0, 1)
        for name in PHOTOGRAPHS
    }


def largest_differences(theirs: Detections, ours: Detections) -> dict[str, float]:
    """Largest difference of boxes, scores and masks among the detections above ``SURE``.

    Raises
    ------
    ValueError: other labels, or another number of detections.
    """
    theirs, ours = (
        {name: values[each["scores"] > SURE] for name, values in each.items()}
        for each in (theirs, ours)
    )
    if not torch.equal(theirs["labels"], ours["labels"]):
        raise ValueError(
            f"ours must have the labels of torchvision's detections, {theirs['labels'].tolist()}; "
            f"got {ours['labels'].tolist()}."
        )
    if not len(ours["labels"]):
        return dict.fromkeys(LIMITS, 0.0)
    return {name: (theirs[name] - ours[name]).abs().max().item() for name in LIMITS}


def compare(theirs: nn.Module, ours: nn.Module, images: dict[str, Tensor]) -> Iterator[str]:
    """Detect with both models and yield a line for each image.

    Raises
    ------
    ValueError: a detection that differs by more than ``LIMITS``.
    """
    for name, image in images.items():
        pair = [detect(model, [image])[0] for model in (theirs, ours)]
        apart = largest_differences(*pair)
        sure = int((pair[1]["scores"] > SURE).sum())
        said = ", ".join(f"{what} {apart[what]:.1e}" for what in LIMITS)
        yield f"{name:10} {sure:3} detections; largest differences: {said}"
        for what, limit in LIMITS.items():
            if apart[what] > limit:
                raise ValueError(
                    f"{what} of {name} must differ by at most {limit:g}; got {apart[what]:g}."
                )


def main() -> None:
    """Download the weights, compare, and print; the exit status is 1 if a detection differs."""
    make: Any = torchvision.models.detection.maskrcnn_resnet50_fpn
    theirs, ours = (build(weights="DEFAULT").eval() for build in (make, maskrcnn_resnet50_fpn))
    print(versions())  # noqa: T201
    try:
        for line in compare(theirs, ours, images_of_the_book()):
            print(line, flush=True)  # noqa: T201
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
