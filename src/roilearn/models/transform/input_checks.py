"""What a detector is given, looked at before any work: images, and what is true of them.

Values are read where that costs nothing: on the CPU, and not while a graph is being traced.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from roilearn.arguments import (
    check_colours,
    check_images,
    check_one_an_image,
    check_same_dtype,
    check_truth,
    check_truth_values,
)
from roilearn.models.transform.resizing import size_of
from roilearn.ops.tracing import reads_values, tracing

FAR = 5
"""Standard deviations from the mean beyond which no colour lies: 0 to 1 reaches about half of it,
bytes a thousand."""


def check_types(model: nn.Module, images: Any) -> None:
    """Raise unless ``images`` are a list of images of the type that the model computes in."""
    check_images(images)
    parameter = next(model.parameters(), None)
    if parameter is None or tracing() or torch.is_autocast_enabled(parameter.device.type):
        return
    for number, image in enumerate(images):
        check_same_dtype(f"images[{number}]", image, parameter.dtype)


def check_values(images: Sequence[Tensor], mean: Sequence[float], std: Sequence[float]) -> None:
    """Raise unless colours lie where a transform of this ``mean`` and ``std`` can expect them."""
    least = min(m - FAR * s for m, s in zip(mean, std, strict=True))
    most = max(m + FAR * s for m, s in zip(mean, std, strict=True))
    for number, image in enumerate(images):
        if reads_values(image):
            check_colours(f"images[{number}]", image.detach(), least, most)


def check_targets(
    targets: Any, images: Sequence[Tensor], needed: Sequence[str], classes: int | None
) -> None:
    """Raise unless every image has ground truth that fits it, see ``check_ground_truth``."""
    check_one_an_image("targets", targets, len(images))
    for number, (target, image) in enumerate(zip(targets, images, strict=True)):
        check_ground_truth(f"targets[{number}]", target, image, needed, classes)


def check_ground_truth(
    name: str, target: Any, image: Tensor, needed: Sequence[str], classes: int | None
) -> None:
    """Raise unless what is said of one image can be true.

    Parameters
    ----------
    name : of the target, as an error shows it.
    target : ``boxes`` (n, 4) wider and higher than 0 that meet the image, ``labels`` (n,),
        perhaps ``iscrowd`` (n,) and ``masks`` (n, H, W) of 0 and 1, as large as the image.
    needed : what it must have besides boxes and labels.
    classes : of the model, background among them: labels go from 1 to one less. None: to any.
    """
    check_truth(name, target, size_of(image), *needed)
    if reads_values(target["boxes"]):
        check_truth_values(name, target, size_of(image), classes)
