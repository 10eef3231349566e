"""Model files: a safetensors file of weights, with the model's config in its header."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from roilearn.models.rcnn.faster_rcnn import FasterRCNN
from roilearn.models.weights.model_config import build_model, current_options, model_config

TRAINED = {"SHAPES": Path(__file__).parents[1] / "trained" / "shapes.safetensors"}
"""Trained models that come with the package, by name. ``"SHAPES"`` is a ``mask_rcnn_tiny`` for the
discs, squares and triangles of ``roilearn.data.ShapeScenes``. In the same folder are the command
that trained it, its losses and its evaluation."""
HEADER_KEY = "roilearn"
"""Key of the header under which the config stands as JSON: builder, options and names."""


def save_model(
    model: nn.Module,
    path: str | Path,
    builder: str,
    options: Mapping[str, Any],
    names: Sequence[str] = (),
    *,
    dtype: torch.dtype | None = None,
) -> Path:
    """Write a model so that ``load_model`` can build it again.

    Parameters
    ----------
    model : what ``builder`` built with ``options``, trained or not, on any device.
    path : of the file, usually ``.safetensors``. The file appears complete or not at all, and
        replaces an older one.
    builder : a key of ``BUILDERS``.
    options : what the builder was called with, including ``num_classes``: numbers, strings,
        booleans, None, lists, dictionaries, or ``Coordinates``. For a model that was trained from
        ``"COCO_V1"``, pass ``frozen_batch_norm=True, norm_eps=0.0`` instead of ``weights``.
    names : names of the classes, that of label 1 first.
    dtype : floating-point dtype in which parameters are stored, ``torch.float16`` for half the
        bytes. Running statistics of batch normalisation keep their dtype: a small variance would
        become 0.

    Returns
    -------
    The path.

    Raises
    ------
    ValueError: an unknown builder; options that build another model; another number of names than
        of classes; a parameter that is no longer finite in ``dtype``.
    TypeError: an option that JSON cannot hold, or that the builder does not have.
    IsADirectoryError: the path of a folder.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from roilearn.models import mask_rcnn_tiny
    >>> options = {"num_classes": 3, "widths": (8, 16, 32)}
    >>> model = mask_rcnn_tiny(**options)
    >>> with TemporaryDirectory() as folder:
    ...     path = save_model(model, f"{folder}/tiny.safetensors", "mask_rcnn_tiny", options,
    ...                       names=("disc", "square"))
    ...     again, names = load_model(path)
    >>> names
    ('disc', 'square')
    >>> all(map(torch.equal, model.state_dict().values(), again.state_dict().values()))
    True
    """
    if Path(path).is_dir():
        raise IsADirectoryError(
            f"path must be a file; {path} is a folder. Name a file in it, such as "
            f"{Path(path) / 'model.safetensors'}."
        )
    config = model_config(model, builder, options, names)
    tensors = {
        name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()
    }
    if dtype is not None:
        for name, _ in model.named_parameters():
            tensors[name] = cast_parameter(name, tensors[name], dtype)
    return write_safetensors(path, tensors, {HEADER_KEY: json.dumps(config)})


def load_model(path: str | Path) -> tuple[FasterRCNN, tuple[str, ...]]:
    """Build the model of a file that ``save_model`` wrote, and load its weights.

    No code in the file is executed: it names one of ``BUILDERS`` and holds numbers. Older files are
    read too, and their names of options translated.

    Parameters
    ----------
    path : of the file, or a key of ``TRAINED``.

    Returns
    -------
    model : on the CPU, in evaluation mode, parameters in float32. The state of PyTorch's random
        numbers is left as it was.
    names : names of the classes, that of label 1 first; empty if the file has none.

    Raises
    ------
    FileNotFoundError: no such file.
    ValueError: not a safetensors file, or not one of ``save_model``; an unknown builder or option;
        weights that do not fit.
    """
    path = TRAINED.get(str(path), Path(path))
    config, tensors = read_model_file(path)
    try:
        model = build_model(config)
        model.load_state_dict(tensors)
    except (AttributeError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError(
            f"path must be a file whose weights fit the model that its header describes; {path} "
            f"describes {config['builder']!r} with {config['options']}, and: {error!s:.600}"
        ) from error
    return model.eval(), tuple(config["names"])


def cast_parameter(name: str, values: Tensor, dtype: torch.dtype) -> Tensor:
    """Convert a parameter to another dtype; raise if a value is not finite in it."""
    if not dtype.is_floating_point:
        raise ValueError(f"dtype must be a floating type; got {dtype}.")
    small = values.to(dtype)
    if not small.isfinite().all():
        raise ValueError(
            f"dtype must hold every parameter; in {dtype}, {name} has values that are not finite. "
            "torch.bfloat16 reaches as far as torch.float32."
        )
    return small


def write_safetensors(path: str | Path, tensors: dict[str, Tensor], header: dict[str, str]) -> Path:
    """Write a safetensors file under a temporary name and rename it once it is complete."""
    from safetensors.torch import save  # noqa: PLC0415  only who writes one needs it

    path = Path(path)
    contents = save(tensors, metadata=header)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            file.write(contents)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def read_model_file(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read the config, in the option names of today, and the tensors of a model file."""
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415  only who reads one needs it

    if not path.is_file():
        raise FileNotFoundError(f"path must be a file; there is none at {path}.")
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(
            f"path must be a whole safetensors file; {path} is not one, or was cut off ({error}). "
            "If it is a state dict that torch.save wrote, build its model and pass the file there, "
            "as in mask_rcnn_resnet50_fpn(weights=...). A whole model is read by torch.load."
        ) from error
    try:
        found = json.loads(header[HEADER_KEY])
        builder = found["builder"] if "builder" in found else found["maker"]  # older files
        options, names = current_options(dict(found["options"])), list(found["names"])
    except (KeyError, TypeError, ValueError) as error:
        advice = (
            "To use bare weights, pass them to mask_rcnn_resnet50_fpn(weights=...) or "
            "mask_rcnn_tiny(weights=...)."
        )
        for beside in (path.with_name("best.safetensors"), path.with_name("model.safetensors")):
            if beside.is_file() and beside != path:  # a checkpoint in the folder of a run
                advice = f"Give {beside}, which lies beside it."
                break
        raise ValueError(
            f"path must be a file that save_model wrote; {path} is a safetensors file, but its "
            f"header does not say which model it is for. {advice}"
        ) from error
    return {"builder": builder, "options": options, "names": names}, tensors
