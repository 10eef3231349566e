"""A trained model as one file: its weights, and in the header how to build what they fit into."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from roilearn.models.weights.model_config import describe, make

TRAINED = {"SHAPES": Path(__file__).parents[1] / "trained" / "shapes.safetensors"}
"""Models that come with the package, by name. ``"SHAPES"``: ``mask_rcnn_tiny``, which finds the
discs, squares and triangles of ``roilearn.data.ShapeScenes``. Beside the file lie the command that
made it, its losses and what it is worth."""
ENTRY = "roilearn"
"""Entry of the header that is ours: JSON of maker, options and names."""


def save_model(
    model: nn.Module,
    path: str | Path,
    maker: str,
    options: Mapping[str, Any],
    names: Sequence[str] = (),
    *,
    dtype: torch.dtype | None = None,
) -> Path:
    """Write a model so that ``load_model`` can build it again.

    Parameters
    ----------
    model : what ``maker`` made with ``options``, trained or not, on any device.
    path : of the file, usually ``.safetensors``. It appears whole or not at all, and replaces an
        older one.
    maker : a key of ``MAKERS``.
    options : what it was called with, ``num_classes`` among it: numbers, strings, booleans, None,
        lists, dictionaries, or ``Coordinates``. What begins with ``"COCO_V1"`` has
        ``frozen=True, norm_eps=0.0`` and no ``weights``.
    names : names of the classes, that of label 1 first.
    dtype : store parameters in this floating type, ``torch.float16`` for half the bytes. Statistics
        of the normalisation stay as they are: a small variance would vanish.

    Returns
    -------
    The path.

    Raises
    ------
    ValueError: an unknown maker; options that make another model; another number of names than of
        classes; a parameter that is no longer finite in ``dtype``.
    TypeError: an option that JSON cannot hold, or that the maker does not know.
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
    described = describe(model, maker, options, names)
    tensors = {
        name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()
    }
    if dtype is not None:
        for name, _ in model.named_parameters():
            tensors[name] = narrowed(name, tensors[name], dtype)
    return write_tensors(path, tensors, {ENTRY: json.dumps(described)})


def load_model(path: str | Path) -> tuple[nn.Module, tuple[str, ...]]:
    """Build the model that a file of ``save_model`` describes, and give it its weights.

    Nothing in the file is run: it names one of ``MAKERS`` and holds numbers.

    Parameters
    ----------
    path : of the file, or a key of ``TRAINED``.

    Returns
    -------
    model : on the CPU, in ``eval()``, its parameters in float32. No random number is used up.
    names : of the classes, that of label 1 first; empty if there are none.

    Raises
    ------
    FileNotFoundError: no such file.
    ValueError: not a safetensors file, or not one of ``save_model``; a maker or an option that is
        not known; weights that do not fit.
    """
    path = TRAINED.get(str(path), Path(path))
    described, tensors = read_tensors(path)
    try:
        model = make(described)
        model.load_state_dict(tensors)
    except (AttributeError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError(
            f"path must be a file whose weights fit the model that its header describes; {path} "
            f"describes {described['maker']!r} with {described['options']}, and: {error!s:.600}"
        ) from error
    return model.eval(), tuple(described["names"])


def narrowed(name: str, values: Tensor, dtype: torch.dtype) -> Tensor:
    """Change the type of a parameter; raise if a number becomes infinite."""
    if not dtype.is_floating_point:
        raise ValueError(f"dtype must be a floating type; got {dtype}.")
    small = values.to(dtype)
    if not small.isfinite().all():
        raise ValueError(
            f"dtype must hold every parameter; in {dtype}, {name} has values that are not finite. "
            "torch.bfloat16 reaches as far as torch.float32."
        )
    return small


def write_tensors(path: str | Path, tensors: dict[str, Tensor], header: dict[str, str]) -> Path:
    """Write a safetensors file beside its place, and move it there when it is complete."""
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


def read_tensors(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read the description and the tensors of a file of ``save_model``."""
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415  only who reads one needs it

    if not path.is_file():
        raise FileNotFoundError(f"path must be a file; there is none at {path}.")
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(
            f"path must be a whole safetensors file; {path} is none, or was cut off ({error})."
        ) from error
    try:
        described = json.loads(header[ENTRY])
        _ = described["maker"], dict(described["options"]), list(described["names"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"path must be a file that save_model wrote; {path} is a safetensors file, but its "
            f"header does not say which model it is for. To use bare weights, pass them to "
            "mask_rcnn_resnet50_fpn(weights=...) or mask_rcnn_tiny(weights=...)."
        ) from error
    return described, tensors
