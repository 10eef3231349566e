"""Prediction: the detections of a trained model in images, above a minimum score."""

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from roilearn.arguments import check_fraction
from roilearn.models import TRAINED, FasterRCNN, load_model, mask_rcnn_resnet50_fpn
from roilearn.models.weights.pretrained import WEIGHT_NAMES
from roilearn.train.evaluation.evaluate import evaluation_mode


def predict(
    model: nn.Module,
    images: Iterable[Tensor],
    score_threshold: float = 0.5,
    mask_threshold: float = 0.5,
) -> list[dict[str, Tensor]]:
    """Detect the objects in each image, one image at a time.

    Parameters
    ----------
    model : takes a list of (3, H, W) images from 0 to 1 and returns for each a dict of ``boxes``,
        ``labels``, ``scores`` and optionally ``masks`` (n, 1, H, W). It is put into eval mode
        meanwhile, and stays on its device.
    images : (3, H, W) tensors from 0 to 1, of any sizes, on any device.
    score_threshold : from 0 to 1. Detections with a score at or below this are dropped, besides
        those that the model's own ``score_threshold`` drops.
    mask_threshold : from 0 to 1. A pixel belongs to a mask if its value is above this.

    Returns
    -------
    For each image a dict on the CPU, best score first: ``boxes`` (n, 4) x1, y1, x2, y2 in image
    pixels, ``labels`` (n,), ``scores`` (n,), ``masks`` (n, H, W) uint8.

    Raises
    ------
    ValueError: a threshold outside 0 to 1.

    Examples
    --------
    >>> from roilearn.data import ShapeScenes
    >>> from roilearn.models import mask_rcnn_tiny
    >>> image, _ = ShapeScenes(1, size=(96, 128))[0]
    >>> (found,) = predict(mask_rcnn_tiny(num_classes=4), [image], score_threshold=0.2)
    >>> found["masks"].shape[1:], bool((found["scores"] > 0.2).all())
    (torch.Size([96, 128]), True)
    """
    score_threshold = check_fraction("score_threshold", score_threshold)
    mask_threshold = check_fraction("mask_threshold", mask_threshold)
    device = next((each.device for each in model.parameters()), torch.device("cpu"))
    found = []
    with evaluation_mode(model):
        for image in images:
            (detections,) = model([image.to(device)])
            kept = detections["scores"] > score_threshold
            target = {name: values[kept].cpu() for name, values in detections.items()}
            if "masks" in target:
                target["masks"] = (target["masks"][:, 0] > mask_threshold).byte()
            found.append(target)
    return found


def named_model(weights: str | Path) -> tuple[FasterRCNN, tuple[str, ...]]:
    """Load a model and its class names, by a name or from a file.

    Parameters
    ----------
    weights : ``"COCO_V1"``, torchvision's Mask R-CNN; ``"SHAPES"``, the book's small one; or the
        path of a file that ``save_model`` wrote.

    Raises
    ------
    ConnectionError, ImportError: see ``roilearn.models.load_weights``.
    FileNotFoundError, ValueError: see ``roilearn.models.load_model``.
    """
    if str(weights) in WEIGHT_NAMES:
        return mask_rcnn_resnet50_fpn(str(weights)).eval(), coco_names()
    check_weights(weights)
    return load_model(weights)


def check_weights(weights: str | Path) -> None:
    """Raise unless weights are a known name or an existing file.

    Raises
    ------
    FileNotFoundError: neither of them.
    """
    if not is_name(weights) and not Path(weights).is_file():
        names = ", ".join(map(repr, (*WEIGHT_NAMES, *TRAINED)))
        what = "is a folder: name a file in it" if Path(weights).is_dir() else "is not there"
        raise FileNotFoundError(
            f"weights must be one of {names} or the path of a file; {str(weights)!r} {what}."
        )


def is_name(weights: str | Path) -> bool:
    """Whether weights are given by name."""
    return str(weights) in (*WEIGHT_NAMES, *TRAINED)


def coco_names() -> tuple[str, ...]:
    """Names of COCO's classes, from label 1 on, as in torchvision's weights; "" for unused labels.

    Examples
    --------
    >>> coco_names()[0], coco_names()[11], len(coco_names())
    ('person', '', 90)
    """
    from torchvision.models.detection import (  # noqa: PLC0415  only its weights need it
        MaskRCNN_ResNet50_FPN_Weights,
    )

    names = MaskRCNN_ResNet50_FPN_Weights.COCO_V1.meta["categories"]
    return tuple("" if name == "N/A" else name for name in names[1:])
