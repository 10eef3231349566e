"""From a trained model to what it finds in images: detections above a score, as targets are."""

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from roilearn.arguments import check_share
from roilearn.cli.initial_model import check_weights
from roilearn.models import load_model, mask_rcnn_resnet50_fpn
from roilearn.models.weights.pretrained import WEIGHT_NAMES
from roilearn.train.evaluation.evaluate import at_rest


def predict(
    model: nn.Module,
    images: Iterable[Tensor],
    threshold: float = 0.5,
    mask_threshold: float = 0.5,
) -> list[dict[str, Tensor]]:
    """Detect what is in each image, one after another.

    Parameters
    ----------
    model : takes a list of (3, H, W) images from 0 to 1 and gives for each a dict of ``boxes``,
        ``labels``, ``scores`` and perhaps ``masks`` (n, 1, H, W). It is put into eval mode for
        the time, and stays on the device where it is.
    images : (3, H, W) tensors from 0 to 1, sizes as they come, on any device.
    threshold : from 0 to 1; detections with a score up to this go. The model's own
        ``score_threshold`` goes first.
    mask_threshold : from 0 to 1; a pixel belongs to a mask where its value is above this.

    Returns
    -------
    For each image a target with ``scores``, best first, on the CPU: ``boxes`` (n, 4) x1, y1, x2, y2
    in its pixels, ``labels`` (n,), ``scores`` (n,), ``masks`` (n, H, W) uint8.

    Raises
    ------
    ValueError: a threshold outside 0 to 1.

    Examples
    --------
    >>> from roilearn.data import ShapeScenes
    >>> from roilearn.models import mask_rcnn_tiny
    >>> image, _ = ShapeScenes(1, size=(96, 128))[0]
    >>> (found,) = predict(mask_rcnn_tiny(num_classes=4), [image], threshold=0.2)
    >>> found["masks"].shape[1:], bool((found["scores"] > 0.2).all())
    (torch.Size([96, 128]), True)
    """
    threshold = check_share("threshold", threshold)
    mask_threshold = check_share("mask_threshold", mask_threshold)
    device = next((each.device for each in model.parameters()), torch.device("cpu"))
    found = []
    with at_rest(model):
        for image in images:
            (detections,) = model([image.to(device)])
            kept = detections["scores"] > threshold
            target = {name: values[kept].cpu() for name, values in detections.items()}
            if "masks" in target:
                target["masks"] = (target["masks"][:, 0] > mask_threshold).byte()
            found.append(target)
    return found


def named_model(weights: str | Path) -> tuple[nn.Module, tuple[str, ...]]:
    """Load a model, and the names of its classes, by a name or from a file.

    Parameters
    ----------
    weights : ``"COCO_V1"``, torchvision's Mask R-CNN; ``"SHAPES"``, the book's small one; or the
        path of a file of ``save_model``.

    Raises
    ------
    ConnectionError, ImportError: see ``roilearn.models.load_weights``.
    FileNotFoundError, ValueError: see ``roilearn.models.load_model``.
    """
    if str(weights) in WEIGHT_NAMES:
        return mask_rcnn_resnet50_fpn(str(weights)).eval(), coco_names()
    check_weights(weights)
    return load_model(weights)


def coco_names() -> tuple[str, ...]:
    """Names of COCO's classes as torchvision's weights number them, from 1; empty for gaps.

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
