"""Validation of a detector's inputs, before any work: images and their ground truth.

Shapes and dtypes are always checked. Values are checked on the CPU only, and not in tracing.
"""

import math
import sys
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from roilearn.arguments import (
    check_images,
    check_one_per_image,
    check_pixel_values,
    check_same_dtype,
    check_target_shapes,
    check_target_values,
)
from roilearn.models.transform.resizing import size_of
from roilearn.ops.tracing import is_tracing, may_read_values

MAX_DEVIATIONS = 50
"""Maximum distance of a colour from the mean, in standard deviations. Values from 0 to 1 lie within
3, and bytes a thousand away."""
DARK_DEVIATIONS = 5
"""Distance below the mean, in standard deviations, that few values have. Black is 2 below it, and
noise brings some pixels further down. In an image that is normalised already, all that was
darker than a third of white lies there."""
MAX_DARK_SHARE = 0.1
"""Maximum fraction of values below that."""


def as_image_list(images: Any) -> Sequence[Tensor]:
    """Return the images of a batch (N, C, H, W) as a list; anything else as it is."""
    anything: Any = images
    return list(images) if isinstance(images, Tensor) and images.ndim == 4 else anything


def channels_of(mean: Sequence[float]) -> int | None:
    """Return the number of channels that images have; None, any number, with a single mean."""
    return len(mean) if len(mean) != 1 else None


def check_model_images(model: Any, images: Any) -> None:
    """Raise unless ``images`` is a list of images with as many channels as a detector takes."""
    mean = getattr(getattr(model, "transform", None), "image_mean", None)
    check_images(images, 3 if mean is None else channels_of(mean))


def check_image_dtypes(model: nn.Module, images: Any) -> None:
    """Raise unless ``images`` is a list of images of the model's channels and dtype."""
    check_model_images(model, images)
    parameter = next(model.parameters(), None)
    if parameter is None or is_tracing() or torch.is_autocast_enabled(parameter.device.type):
        return
    for number, image in enumerate(images):
        check_same_dtype(f"images[{number}]", image, parameter.dtype)


def check_image_values(
    images: Sequence[Tensor], mean: Sequence[float], std: Sequence[float]
) -> None:
    """Raise if colours lie too far from ``mean``, measured in ``std``.

    Where nothing is normalised, with means of 0 and deviations of 1, values may be any numbers.
    """
    if set(mean) == {0} and set(std) == {1}:
        low, dark, high = -sys.float_info.max, -math.inf, sys.float_info.max
    else:
        colours = list(zip(mean, std, strict=True))
        low = min(m - MAX_DEVIATIONS * s for m, s in colours)
        dark = min(m - DARK_DEVIATIONS * s for m, s in colours)
        high = max(m + MAX_DEVIATIONS * s for m, s in colours)
    for number, image in enumerate(images):
        if may_read_values(image):
            limits = ((low, high), dark, MAX_DARK_SHARE)
            check_pixel_values(f"images[{number}]", image.detach(), *limits)


def check_targets(
    targets: Any, images: Sequence[Tensor], required: Sequence[str], num_classes: int | None
) -> None:
    """Raise unless every image has ground truth that fits it, see ``check_ground_truth``."""
    check_one_per_image("targets", targets, len(images))
    for number, (target, image) in enumerate(zip(targets, images, strict=True)):
        check_ground_truth(f"targets[{number}]", target, image, required, num_classes)


def check_ground_truth(
    name: str, target: Any, image: Tensor, required: Sequence[str], num_classes: int | None
) -> None:
    """Raise unless the ground truth of one image is valid.

    Parameters
    ----------
    name : of the target, for errors.
    target : ``boxes`` (n, 4) wider and higher than 0 that overlap the image, ``labels`` (n,),
        optionally ``iscrowd`` (n,) and ``masks`` (n, H, W) of 0 and 1, of the size of the image.
    required : entries that it must have besides boxes and labels.
    num_classes : of the model, background included; labels must be 1 to one less. None: 1 or more.
    """
    check_target_shapes(name, target, size_of(image), *required)
    if may_read_values(target["boxes"]):
        check_target_values(name, target, size_of(image), num_classes)
