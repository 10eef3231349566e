"""Detectors with one mistake each, as ports of a detector have them: to practise finding it."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from roilearn.arguments import check_choice, check_type
from roilearn.models.rcnn.generalized_rcnn import GeneralizedRCNN


def anchors_turned(model: Any) -> None:
    """Take an aspect ratio for width / height, so that wide and high anchors change places."""
    generator = model.rpn.anchor_generator
    generator.aspect_ratios = [tuple(reversed(ratios)) for ratios in generator.aspect_ratios]


def one_level(model: Any) -> None:
    """Pool every box from the finest map, whatever its size."""
    model.roi_heads.box_roi_pool.canonical_scale *= 1000


def deltas_not_divided(model: Any) -> None:
    """Decode the deltas of the box head without the delta weights 10, 10, 5, 5."""
    heads = model.roi_heads
    heads.options = replace(heads.options, delta_weights=(1.0, 1.0, 1.0, 1.0))


@torch.no_grad()
def background_last(model: Any) -> None:
    """Load rows in which background is the last class into a head that has it first."""
    layer = model.roi_heads.box_predictor.cls_score
    for parameter in (layer.weight, layer.bias):
        parameter.copy_(parameter.roll(-1, 0))


def another_eps(model: Any) -> None:
    """Add 1e-3 to the variances of batch normalisation, as Keras does."""
    for layer in model.modules():
        if isinstance(getattr(layer, "running_var", None), torch.Tensor):
            layer.eps = 1e-3


def colours_exchanged(model: Any) -> None:
    """Normalise red by the mean and deviation of blue, and blue by those of red."""
    transform = model.transform
    transform.image_mean = transform.image_mean[::-1]
    transform.image_std = transform.image_std[::-1]


def pixels_to_255(model: Any) -> None:
    """Normalise pixels from 0 to 1 by a mean and a deviation of pixels from 0 to 255."""
    transform = model.transform
    transform.image_mean = [255 * value for value in transform.image_mean]
    transform.image_std = [255 * value for value in transform.image_std]


FAULTS: dict[str, Callable[[Any], None]] = {
    "anchors": anchors_turned,
    "level": one_level,
    "decoding": deltas_not_divided,
    "classes": background_last,
    "eps": another_eps,
    "colours": colours_exchanged,
    "range": pixels_to_255,
}
"""The mistakes by the words under which the exercises ask for them."""

PORTS = dict(
    zip(
        "ABCDEFG",
        ("anchors", "eps", "decoding", "level", "colours", "classes", "range"),
        strict=True,
    )
)
"""The mistake of each port. Whoever wants to find it should not read on here."""


def broken_port(letter: str, model: GeneralizedRCNN) -> GeneralizedRCNN:
    """Copy a detector and give the copy one of the mistakes that ports of detectors have.

    Parameters
    ----------
    letter : ``"A"`` to ``"G"``; which letter stands for which mistake is for the reader to find.
    model : a detector with a feature pyramid; it stays as it is.

    Returns
    -------
    The copy, in evaluation mode.

    Raises
    ------
    ValueError: another letter.
    TypeError: a model of another kind.

    Examples
    --------
    >>> from roilearn.models import compare_layers, load_model
    >>> model, _ = load_model("SHAPES")
    >>> image = torch.rand(3, 96, 128, generator=torch.Generator().manual_seed(0))
    >>> compare_layers(model.eval(), broken_port("A", model), [image]).first.name
    'rpn.anchor_generator'
    """
    check_type("model", model, GeneralizedRCNN)
    check_choice("letter", letter, tuple(PORTS))
    port = copy.deepcopy(model).eval()
    FAULTS[PORTS[letter]](port)
    return port
