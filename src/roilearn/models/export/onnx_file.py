"""Writing a detector to an ONNX file, with its class names and what its input means."""

import copy
import json
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from roilearn import __version__
from roilearn.arguments import check_between, check_count, check_fraction, check_type
from roilearn.models.rcnn.generalized_rcnn import GeneralizedRCNN
from roilearn.models.roi_heads.keypoint_head import KeypointHeads
from roilearn.models.transform.input_checks import channels_of
from roilearn.ops.onnx.nodes import FIRST_OPSET, LAST_OPSET

OPSET = 18
"""Opset of the file, unless another is asked for."""
INPUT = "float32 ({}, height, width): {} from 0 to 1, of any size; not normalised"
MEANINGS = {
    "boxes": "float32 (n, 4): x1, y1, x2, y2 in pixels of the input, ends exclusive",
    "labels": "int64 (n,): from 1; the name of label 1 is the first of names",
    "scores": "float32 (n,): from 0 to 1, highest first",
    "masks": "float32 (n, 1, height, width): the probability that a pixel belongs to the object",
    "keypoints": "float32 (n, points, 3): x and y in pixels of the input, and 1",
    "keypoints_scores": "float32 (n, points): logit of each keypoint at its place",
}
"""What the outputs are, by their names, in their order."""
NO_EXPORTER = "onnx is not installed. Install it with: pip install 'roilearn[onnx]'"


def export_onnx(
    model: GeneralizedRCNN,
    path: str | Path,
    names: Sequence[str] = (),
    *,
    score_threshold: float | None = None,
    size: int | None = None,
    opset_version: int = OPSET,
) -> Path:
    """Write a whole detector to one ONNX file, which needs no PyTorch to run.

    The input ``image`` is a (3, height, width) picture of any size, float32 from 0 to 1; of a model
    of other images, it has as many channels as these. The outputs are those of the model for one
    image: ``boxes`` (n, 4), ``labels`` (n,), ``scores`` (n,) and, of a Mask R-CNN, ``masks``
    (n, 1, height, width); of a Keypoint R-CNN ``keypoints`` (n, points, 3) and
    ``keypoints_scores`` (n, points). The metadata of the file hold ``names``, a JSON list of class
    names, and a sentence on the input and on each output.

    Parameters
    ----------
    model : a Faster, Mask or Keypoint R-CNN. It stays as it is; a copy on the CPU, in evaluation
        mode and in float32, is written.
    path : of the file, usually ``.onnx``. It appears complete or not at all, and replaces an older
        one.
    names : names of the classes, that of label 1 first. A class without a name is called
        ``"class 1"`` and so on.
    score_threshold : from 0 to 1. The file drops detections with a score at or below this. None:
        as the model does, mostly 0.05.
    size : shorter side of the images where the model sees them, in pixels; the longer one is at
        most twice as long. None: the model's own.
    opset_version : 16 to 21, for engines that are older or newer than most.

    Returns
    -------
    The path.

    Raises
    ------
    ImportError: the library ``onnx`` is not installed.
    ValueError, TypeError: another kind of model; another number of names than of classes; see
        ``roilearn.arguments``.
    IsADirectoryError: the path of a folder.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from roilearn.models import load_model
    >>> model, names = load_model("SHAPES")
    >>> with TemporaryDirectory() as folder:
    ...     path = export_onnx(model, f"{folder}/shapes.onnx", names, score_threshold=0.5)
    ...     path.stat().st_size < 6_000_000
    True
    """
    check_exportable(model)
    all_names = class_names(model, names)
    check_between("opset_version", opset_version, FIRST_OPSET, LAST_OPSET)
    if Path(path).is_dir():
        raise IsADirectoryError(
            f"path must be a file; {path} is a folder. Name a file in it, such as "
            f"{Path(path) / 'model.onnx'}."
        )
    try:
        import onnx  # noqa: PLC0415  only who exports needs it
    except ImportError as error:
        raise ImportError(NO_EXPORTER) from error
    written = prepared(model, score_threshold, size)
    with whole_file(Path(path)) as part:
        record(written, part, opset_version)
        file = onnx.load(part)
        onnx.helper.set_model_props(file, metadata(written, all_names))
        onnx.checker.check_model(file)
        onnx.save(file, part)
    return Path(path)


def check_exportable(model: Any) -> None:
    """Raise unless a model is a detector that can be written to an ONNX file."""
    check_type("model", model, GeneralizedRCNN, "Load one with roilearn.models.load_model.")


def class_names(model: GeneralizedRCNN, names: Sequence[str]) -> list[str]:
    """Return a name for each class but the background; raise if there are more or fewer."""
    classes = model.roi_heads.num_classes
    number = len(names) if classes is None else classes - 1
    if names and len(names) != number:
        raise ValueError(
            f"names must hold a name for each of {number} classes, that of label 1 first; got "
            f"{len(names)}."
        )
    given = list(names) or [""] * number
    return [name or f"class {label}" for label, name in enumerate(given, start=1)]


def prepared(
    model: GeneralizedRCNN, score_threshold: float | None, size: int | None
) -> GeneralizedRCNN:
    """Copy a model, in evaluation mode on the CPU, with another score threshold or size."""
    written = copy.deepcopy(model).cpu().float().eval()
    if score_threshold is not None:
        score = check_fraction("score_threshold", score_threshold)
        written.roi_heads.options = replace(written.roi_heads.options, score_threshold=score)
    if size is not None:
        side = check_count("size", size)
        written.transform.min_size, written.transform.max_size = (side,), 2 * side
        written.transform.fixed_size = None
    return written


class OneImage(nn.Module):
    """A detector that takes one image and returns its detections as a tuple."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Float[Tensor, "3 _ _"]) -> tuple[Tensor, ...]:
        """Detect the objects in an image: the outputs of ``outputs_of``, in their order."""
        (found,) = self.model([image])
        return tuple(found[name] for name in outputs_of(self.model))


def channels(model: GeneralizedRCNN) -> int:
    """Count the channels of the images that a model takes."""
    known = channels_of(model.transform.image_mean)
    layers = model.backbone.modules() if known is None else ()
    first = next((layer for layer in layers if isinstance(layer, nn.Conv2d)), None)
    return known or (3 if first is None else first.in_channels)


def outputs_of(model: Any) -> list[str]:
    """Names of the outputs of a detector, in their order."""
    heads = model.roi_heads
    names = ["boxes", "labels", "scores", *(["masks"] if heads.has_masks else [])]
    keypoints = isinstance(heads, KeypointHeads)
    return [*names, "keypoints", "keypoints_scores"] if keypoints else names


def record(model: GeneralizedRCNN, file: Path, opset_version: int) -> None:
    """Write a model with the older exporter, which records it on one image."""
    side = model.transform.min_size[-1]  # a square keeps its size, so that scales are exact
    image = torch.rand(channels(model), side, side, generator=torch.Generator().manual_seed(0))
    names = outputs_of(model)
    axes = {"image": {1: "height", 2: "width"}, **{name: {0: "detections"} for name in names}}
    if "masks" in names:
        axes["masks"] |= {2: "height", 3: "width"}
    with torch.no_grad(), warnings.catch_warnings():
        # It warns of itself, and of every check of a shape; the tests hold what it writes.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            OneImage(model).eval(),
            (image,),
            str(file),
            dynamo=False,
            opset_version=opset_version,
            input_names=["image"],
            output_names=names,
            dynamic_axes=axes,
        )


def metadata(model: GeneralizedRCNN, names: Sequence[str]) -> dict[str, str]:
    """Entries of the file's metadata: class names, and what the input and the outputs mean."""
    transform, options, count = model.transform, model.roi_heads.options, channels(model)
    sizes: dict[str, Any] = {"min_size": transform.min_size[-1], "max_size": transform.max_size}
    if transform.fixed_size is not None:
        sizes["fixed_size"] = list(transform.fixed_size)
    return {
        "names": json.dumps(list(names), ensure_ascii=False),
        "image": INPUT.format(count, "red, green and blue" if count == 3 else "each channel"),
        **{name: MEANINGS[name] for name in outputs_of(model)},
        "score_threshold": str(options.score_threshold),
        **{name: str(number) for name, number in sizes.items()},
        "author": f"roilearn {__version__}",
    }


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path; rename the file there once it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
