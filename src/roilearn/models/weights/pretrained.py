"""Pretrained weights, by name or from a file.

The names of parameters are torchvision's, so its weights fit.
"""

import re
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from roilearn.models.weights.state_dict_files import read_weights

Weights = str | Path | Enum | Mapping[str, Tensor] | None
"""What builders take as weights: a name, a file, torchvision's member, a state dict, or None."""
WEIGHT_NAMES = ("COCO_V1",)
"""torchvision's weights of ``mask_rcnn_resnet50_fpn``: 91 classes, mask AP 34.6 on COCO val2017."""
TORCHVISION_WEIGHTS = {
    "MaskRCNN_ResNet50_FPN_Weights": WEIGHT_NAMES,
    "MaskRCNN_ResNet50_FPN_V2_Weights": ("COCO_V1",),
    "FasterRCNN_ResNet50_FPN_Weights": ("COCO_V1",),
    "FasterRCNN_ResNet50_FPN_V2_Weights": ("COCO_V1",),
    "KeypointRCNN_ResNet50_FPN_Weights": ("COCO_LEGACY", "COCO_V1"),
    "ResNet50_Weights": ("IMAGENET1K_V1", "IMAGENET1K_V2"),
}
"""torchvision's enumerations of weights, and their members; ``"DEFAULT"`` means the last."""


def load_weights(
    weights: str | Path | Enum,
    enum: str = "MaskRCNN_ResNet50_FPN_Weights",
    *,
    progress: bool = True,
) -> dict[str, Tensor]:
    """Read a state dict: one of torchvision's by its name, which is downloaded, or a file.

    Parameters
    ----------
    weights : ``"COCO_V1"`` or another member of ``enum``, also as ``"DEFAULT"``; the member itself;
        or the path of a file: safetensors, or else what ``torch.save`` wrote.
    enum : name of torchvision's enumeration, a key of ``TORCHVISION_WEIGHTS``.
    progress : show the progress of a download.

    Returns
    -------
    Tensors by the names of parameters and buffers, older names translated.

    Raises
    ------
    ConnectionError: named weights are not on this machine and cannot be downloaded.
    FileNotFoundError: neither a name of weights nor a file.
    ImportError: the library that reads the file is not installed.
    ValueError: a member of another enumeration; a file that holds something else, see
        ``read_weights``.

    Source
    ------
    torchvision 0.29, ``MaskRCNN_ResNet50_FPN_Weights`` and its relatives.
    """
    name = weights_name(weights, enum)
    if name is not None:
        return _with_current_names(_download(name, enum, progress))
    path = Path(str(weights))
    if not path.is_file():
        raise FileNotFoundError(
            f"weights must be {' or '.join(map(repr, TORCHVISION_WEIGHTS[enum]))} or the path of a "
            f"file; got {str(weights)!r}, and there is no file of that name in {Path.cwd()}."
        )
    return _with_current_names(read_weights(path))


def read_state(
    weights: Weights, enum: str = "MaskRCNN_ResNet50_FPN_Weights", progress: bool = True
) -> Mapping[str, Tensor] | None:
    """Read weights with ``load_weights``; a state dict, or None, is returned as it is."""
    if weights is None or isinstance(weights, Mapping):
        return weights
    return load_weights(weights, enum, progress=progress)


def weights_name(weights: Weights, enum: str) -> str | None:
    """Name of the member of ``enum`` that is meant; None if ``weights`` are something else.

    Examples
    --------
    >>> weights_name("DEFAULT", "ResNet50_Weights")
    'IMAGENET1K_V2'
    >>> weights_name("ResNet50_Weights.IMAGENET1K_V1", "ResNet50_Weights")
    'IMAGENET1K_V1'
    """
    if isinstance(weights, Enum):
        if type(weights).__name__ != enum:
            raise ValueError(f"weights must be a member of {enum}; got {weights!s}.")
        return weights.name
    members = TORCHVISION_WEIGHTS[enum]
    name = str(weights).removeprefix(f"{enum}.") if isinstance(weights, str | Path) else ""
    name = members[-1] if name == "DEFAULT" else name
    return name if name in members else None


def weights_enum(module: str, name: str) -> Any:
    """Give torchvision's enumeration of weights to a module that is asked for that name.

    Raises
    ------
    AttributeError: another name, or torchvision is not installed.
    """
    if name not in TORCHVISION_WEIGHTS:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    try:
        from torchvision.models import get_weight  # noqa: PLC0415  no model needs torchvision
    except ImportError as error:
        raise AttributeError(
            f"{name} is torchvision's, which is not installed. Install it with: pip install "
            "'roilearn[train]'; or pass weights by name, such as weights=\"COCO_V1\"."
        ) from error
    return type(get_weight(f"{name}.{TORCHVISION_WEIGHTS[name][-1]}"))


def current_name(name: str) -> str:
    """Translate a parameter's name in older files to its present name, as torchvision 0.29 does.

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


def _download(name: str, enum: str, progress: bool) -> dict[str, Tensor]:
    """Download weights as torchvision does, into the folder where it looks for them first."""
    try:
        from torchvision.models import get_weight  # noqa: PLC0415  no model needs torchvision
    except ImportError as error:
        raise ImportError(
            f"weights={name!r} are torchvision's, which is not installed. "
            "Install it with: pip install 'roilearn[train]'"
        ) from error
    entry = get_weight(f"{enum}.{name}")
    try:
        return dict(entry.get_state_dict(progress=progress, check_hash=True))
    except OSError as error:  # what urllib raises without a network is one
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        said = (
            f"weights={name!r} could not be fetched ({error}). On a machine with a network, "
            f"download {entry.url} ({entry.meta['_file_size']:.0f} MB), copy the file to {folder} "
            "without renaming it, and call again; or pass weights=None for random initial weights."
        )
        of_backbone = enum == "ResNet50_Weights"
        said = said.replace("weights=", "weights_backbone=") if of_backbone else said
        raise ConnectionError(said) from error
