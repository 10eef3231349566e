"""Pretrained weights, by name or from a file.

The names of parameters are torchvision's, so its weights fit.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from roilearn.arguments import check_choice
from roilearn.models.weights.state_dict_files import read_weights

WEIGHT_NAMES = ("COCO_V1",)
"""torchvision's weights of ``mask_rcnn_resnet50_fpn``: 91 classes, mask AP 34.6 on COCO val2017."""


def load_weights(weights: str | Path) -> dict[str, Tensor]:
    """Read a state dict: one of torchvision's by its name, which is downloaded, or a file.

    Parameters
    ----------
    weights : ``"COCO_V1"``, or the path of a file: safetensors, or else what ``torch.save`` wrote.

    Returns
    -------
    Tensors by the names of parameters and buffers, older names translated.

    Raises
    ------
    ConnectionError: named weights are not on this machine and cannot be downloaded.
    FileNotFoundError: neither a name of weights nor a file.
    ImportError: the library that reads the file is not installed.
    ValueError: a file that holds something else, see ``read_weights``.

    Source
    ------
    torchvision 0.27, ``MaskRCNN_ResNet50_FPN_Weights``.
    """
    if str(weights) in WEIGHT_NAMES:
        return _with_current_names(_download(str(weights)))
    path = Path(weights)
    if not path.is_file():
        raise FileNotFoundError(
            f"weights must be {' or '.join(map(repr, WEIGHT_NAMES))} or the path of a file; got "
            f"{str(weights)!r}, and there is no file of that name in {Path.cwd()}."
        )
    return _with_current_names(read_weights(path))


def current_name(name: str) -> str:
    """Translate a parameter's name in older files to its present name, as torchvision 0.27 does.

    Examples
    --------
    >>> current_name("backbone.fpn.inner_blocks.0.weight")
    'backbone.fpn.inner_blocks.0.0.weight'
    >>> current_name("roi_heads.mask_head.mask_fcn1.bias")
    'roi_heads.mask_head.0.0.bias'
    """
    name = re.sub(r"(fpn\.\w+_blocks\.\d)\.(?=[wb])", r"\1.0.", name)
    name = re.sub(r"(rpn\.head\.conv)\.(?=[wb])", r"\1.0.0.", name)
    return re.sub(r"mask_fcn(\d)", lambda found: f"{int(found[1]) - 1}.0", name)


def _with_current_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {current_name(name): value for name, value in state.items()}


def _download(name: str) -> dict[str, Tensor]:
    """Download weights as torchvision does, into the folder where it looks for them first."""
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
