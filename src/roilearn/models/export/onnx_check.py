"""Running an ONNX file of a detector in onnxruntime, beside the model that was written."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from roilearn.arguments.lists import counted
from roilearn.models.export.onnx_file import outputs_of, prepared
from roilearn.models.rcnn.generalized_rcnn import GeneralizedRCNN

MAX_PIXELS, MAX_SCORE = 0.5, 0.01
"""Largest difference of an edge of a box in pixels, and of a score, between file and model. Sums
are rounded in another order, which moves an edge by a thousandth of a pixel or so."""
CLOSE_SCORES = 1e-3
"""Detections whose scores are this close to the threshold may be found by one of them alone."""


@dataclass(frozen=True)
class OnnxCheck:
    """What came of a comparison.

    Parameters
    ----------
    images, detections : number of images, and of detections that model and file agree on.
    pixels, scores : largest difference of an edge of a box, in pixels, and of a score.
    """

    images: int
    detections: int
    pixels: float
    scores: float

    def __str__(self) -> str:
        """Write the result as a sentence."""
        return (
            f"onnxruntime gives the model's detections: {self.detections} in "
            f"{counted(self.images, 'image')}, boxes within {self.pixels:.1g} pixels, scores "
            f"within {self.scores:.1g}"
        )


def check_onnx(
    path: str | Path, model: GeneralizedRCNN, images: Iterable[Tensor] | None = None
) -> OnnxCheck:
    """Run a file of ``export_onnx``; compare its boxes, labels and scores with the model's.

    Masks and keypoints are run, and not compared.

    Parameters
    ----------
    path : of the file.
    model : that was written.
    images : (3, H, W) tensors from 0 to 1. None: two of noise, in which there may be no objects.

    Raises
    ------
    ImportError: onnxruntime is not installed.
    ValueError: detections that differ by more than rounding.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from roilearn.models import export_onnx, load_model
    >>> model, _ = load_model("SHAPES")
    >>> with TemporaryDirectory() as folder:
    ...     check_onnx(export_onnx(model, f"{folder}/shapes.onnx"), model).images
    2
    """
    try:
        import onnxruntime  # noqa: PLC0415  only who checks a file needs it
    except ImportError as error:
        raise ImportError(
            "onnxruntime is not installed. Install it with: pip install 'roilearn[onnx]'"
        ) from error
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    written = session.get_modelmeta().custom_metadata_map
    threshold, size = float(written["score_threshold"]), json.loads(written["min_size"])
    same = prepared(model, threshold, None)
    same.transform.min_size = (size,)
    same.transform.max_size = json.loads(written["max_size"])
    same.transform.fixed_size = json.loads(written.get("fixed_size", "null"))
    names, pixels, scores, detections, count = outputs_of(same), [0.0], [0.0], 0, 0
    for image in noise() if images is None else images:
        with torch.no_grad():
            (ours,) = same([image.cpu().float()])
        theirs = session.run(names, {"image": image.cpu().float().numpy()})
        found = {name: torch.from_numpy(value) for name, value in zip(names, theirs, strict=True)}
        compared = compare(ours, found, threshold)
        pixels.append(compared[0])
        scores.append(compared[1])
        detections, count = detections + compared[2], count + 1
    return OnnxCheck(count, detections, max(pixels), max(scores))


def noise() -> list[Tensor]:
    """Two images of noise, one wide and one high."""
    source = torch.Generator().manual_seed(1)
    return [torch.rand(3, *size, generator=source) for size in ((100, 150), (170, 90))]


def compare(
    ours: dict[str, Tensor], theirs: dict[str, Tensor], threshold: float
) -> tuple[float, float, int]:
    """Compare detections: largest difference of an edge and of a score, and their number.

    Each of ours is compared with the nearest of theirs of its label, since equal scores may come in
    another order.

    Raises
    ------
    ValueError: a detection that the other does not have.
    """
    pixels, scores, agreed = 0.0, 0.0, 0
    for one, other, who in ((ours, theirs, "file"), (theirs, ours, "model")):
        for box, label, score in zip(one["boxes"], one["labels"], one["scores"], strict=True):
            like = (other["labels"] == label).nonzero()[:, 0]
            apart = (other["boxes"][like] - box).abs().amax(1)  # [like]
            near = like[apart <= MAX_PIXELS]
            unlike = (other["scores"][near] - score).abs()
            if near.numel() and unlike.min() <= MAX_SCORE:
                best = unlike.argmin()
                pixels = max(pixels, float(apart[apart <= MAX_PIXELS][best]))
                scores = max(scores, float(unlike[best]))
                agreed += who == "file"
            elif abs(float(score) - threshold) > CLOSE_SCORES:
                raise ValueError(difference(who, box, label, score))
    return pixels, scores, agreed


def difference(who: str, box: Tensor, label: Any, score: Any) -> str:
    """Say which detection the file or the model lacks."""
    edges = ", ".join(f"{edge:.1f}" for edge in box.tolist())
    return (
        f"the file must give the model's detections; the {who} lacks label {int(label)} with score "
        f"{float(score):.3f} at {edges}. Please report this with the versions of torch and "
        "onnxruntime."
    )
