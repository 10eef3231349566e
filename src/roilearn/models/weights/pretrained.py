"""Trained weights, by name or from a file.

The names of parameters are torchvision's, so its weights fit.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from roilearn.arguments import check_choice
from roilearn.models.weights.state_dict_files import read_weights

WEIGHT_NAMES = ("COCO_V1",)
"""torchvision's weights of ``mask_rcnn_resnet50_fpn``: 91 classes, mask AP 34.6 on COCO val2017."""
CLASS_LAYERS = (
    "roi_heads.box_predictor.cls_score",
    "roi_heads.box_predictor.bbox_pred",
    "roi_heads.mask_predictor.mask_fcn_logits",
)
"""Layers whose shape depends on the number of classes."""


def load_weights(weights: str | Path) -> dict[str, Tensor]:
    """Read a state dict: a named one from torchvision's download, or a file.

    Parameters
    ----------
    weights : ``"COCO_V1"``, or the path of a file: safetensors, or else what ``torch.save`` wrote.

    Returns
    -------
    Tensors by the names of parameters and buffers, as models have them now.

    Raises
    ------
    ConnectionError: a named one is not on this machine yet and cannot be fetched.
    FileNotFoundError: no such file, and no such name.
    ImportError: the library that reads it is not installed.
    ValueError: a file of something else, see ``read_weights``.

    Source
    ------
    torchvision 0.27, ``MaskRCNN_ResNet50_FPN_Weights``.
    """
    if str(weights) in WEIGHT_NAMES:
        return _now(_download(str(weights)))
    path = Path(weights)
    if not path.is_file():
        raise FileNotFoundError(
            f"weights must be {' or '.join(map(repr, WEIGHT_NAMES))} or the path of a file; got "
            f"{str(weights)!r}, and there is no file of that name in {Path.cwd()}."
        )
    return _now(read_weights(path))


def fit_classes(model: nn.Module, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Put the model's own values where the weights are of another number of classes.

    What says a class begins anew; all that leads there is kept. This is how a model of one data set
    starts on another. All other differences stay, for ``load_state_dict`` to refuse.
    """
    fitting, own = dict(state), model.state_dict()
    for name in own:
        if name.rpartition(".")[0] in CLASS_LAYERS and name in state:
            fitting[name] = state[name] if state[name].shape == own[name].shape else own[name]
    return fitting


def classes_of(state: Mapping[str, Tensor]) -> int:
    """Count the classes that weights tell apart, background among them.

    Raises
    ------
    ValueError: weights of something that has no classes.
    """
    name = f"{CLASS_LAYERS[0]}.bias"
    if name not in state:
        raise ValueError(
            f"weights must be a state dict of Mask R-CNN; got one of {len(state)} names, and "
            f"{name!r} is not among them."
        )
    return len(state[name])


def present_name(name: str) -> str:
    """Translate the name of a parameter from older files, which torchvision 0.27 reads too.

    Examples
    --------
    >>> present_name("backbone.fpn.inner_blocks.0.weight")
    'backbone.fpn.inner_blocks.0.0.weight'
    >>> present_name("roi_heads.mask_head.mask_fcn1.bias")
    'roi_heads.mask_head.0.0.bias'
    """
    name = re.sub(r"(fpn\.\w+_blocks\.\d)\.(?=[wb])", r"\1.0.", name)
    name = re.sub(r"(rpn\.head\.conv)\.(?=[wb])", r"\1.0.0.", name)
    return re.sub(r"mask_fcn(\d)", lambda found: f"{int(found[1]) - 1}.0", name)


def _now(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {present_name(name): value for name, value in state.items()}


def _download(name: str) -> dict[str, Tensor]:
    """Fetch weights as torchvision does, into the folder where it looks for them first."""
    check_choice("weights", name, WEIGHT_NAMES)
    try:
        from torchvision.models.detection import (  # noqa: PLC0415  no model needs torchvision
            MaskRCNN_ResNet50_FPN_Weights,
        )
    except ImportError as error:
        raise ImportError(
            f"weights={name!r} are torchvision's, which is not installed. "
            "Install it with: pip install 'roilearn[train]'"
        ) from error
    entry = MaskRCNN_ResNet50_FPN_Weights[name]
    try:
        return dict(entry.get_state_dict(progress=True, check_hash=True))
    except OSError as error:  # what urllib raises without a network is one
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        raise ConnectionError(
            f"weights={name!r} could not be fetched ({error}). On a machine with a network, "
            f"download {entry.url} (170 MB), copy the file to {folder} without renaming it, and "
            "call again; or pass weights=None for a model that has learned nothing yet."
        ) from error
