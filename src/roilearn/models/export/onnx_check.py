"""Running an ONNX file of a detector in onnxruntime, beside the model that was written."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from roilearn.arguments.lists import counted
from roilearn.models.export.onnx_file import channels, outputs_of, prepared
from roilearn.models.rcnn.generalized_rcnn import GeneralizedRCNN

MAX_PIXELS, MAX_SCORE = 0.5, 0.01
"""Largest difference of an edge of a box in pixels, and of a score, between file and model. Sums
are rounded in another order, which moves an edge by a thousandth of a pixel or so."""
MAX_MASK = 0.05
"""Largest mean difference of a mask, over the pixels that file or model gives a probability."""
CLOSE_SCORES = 1e-3
"""Detections whose scores are this close to the threshold may be found by one of them alone."""


@dataclass(frozen=True)
class OnnxCheck:
    """What came of a comparison.

    Parameters
    ----------
    images, detections : number of images, and of detections that model and file agree on.
    pixels, scores : largest difference of an edge of a box, in pixels, and of a score.
    masks : largest mean difference of a mask; None: there was none to compare.
    """

    images: int
    detections: int
    pixels: float
    scores: float
    masks: float | None = None

    def __str__(self) -> str:
        """Write the result as a sentence."""
        masks = "" if self.masks is None else f", masks within {self.masks:.1g} on average"
        return (
            f"onnxruntime gives the model's detections: {self.detections} in "
            f"{counted(self.images, 'image')}, boxes within {self.pixels:.1g} pixels, scores "
            f"within {self.scores:.1g}{masks}"
        )


def check_onnx(
    path: str | Path, model: GeneralizedRCNN, images: Iterable[Tensor] | None = None
) -> OnnxCheck:
    """Run a file of ``export_onnx``; compare its detections with the model's.

    Boxes, labels, scores and masks are compared. Keypoints are run, and not compared, since the
    place of a maximum may jump where another is as high.

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
    names, found = outputs_of(same), []
    for image in noise(channels(same)) if images is None else images:
        with torch.no_grad():
            (ours,) = same([image.cpu().float()])
        values = map(torch.from_numpy, session.run(names, {"image": image.cpu().float().numpy()}))
        found.append(compare(ours, dict(zip(names, values, strict=True)), threshold))
    agreed = sum(each.detections for each in found)
    pixels, scores = (max((each[i] for each in found), default=0.0) for i in (1, 2))
    masks = max((each.masks for each in found if each.masks is not None), default=None)
    return OnnxCheck(len(found), agreed, pixels, scores, masks)


def noise(channels: int) -> list[Tensor]:
    """Two images of noise, one wide and one high."""
    source = torch.Generator().manual_seed(1)
    return [torch.rand(channels, *size, generator=source) for size in ((100, 150), (170, 90))]


class Compared(NamedTuple):
    """Number of detections of an image that agree, and their largest differences."""

    detections: int
    pixels: float
    scores: float
    masks: float | None


def compare(ours: dict[str, Tensor], theirs: dict[str, Tensor], threshold: float) -> Compared:
    """Compare the detections of an image.

    Each of ours is compared with the nearest of theirs of its label, since equal scores may come in
    another order. Masks are compared where both boxes begin and end in the same pixels: one rule of
    pasting cuts the decimals off, so that a difference of 0.001 may move a mask by a pixel.

    Raises
    ------
    ValueError: a detection that the other does not have; a mask that differs.
    """
    agreed, pixels, scores, masks = 0, [0.0], [0.0], []
    for one, other, who in ((ours, theirs, "file"), (theirs, ours, "model")):
        for number, (box, score) in enumerate(zip(one["boxes"], one["scores"], strict=True)):
            like = most_like(one, number, other)
            if like is None and abs(float(score) - threshold) > CLOSE_SCORES:
                raise ValueError(difference(f"the {who} lacks", one, number))
            if like is None:
                continue
            agreed += who == "file"
            pixels.append(float((other["boxes"][like] - box).abs().max()))
            scores.append(float((other["scores"][like] - score).abs()))
            if "masks" in one and torch.equal(other["boxes"][like].trunc(), box.trunc()):
                masks.append(mask_difference(one["masks"][number], other["masks"][like]))
                if masks[-1] > MAX_MASK:
                    unlike = f"differs by {masks[-1]:.2f} on average in the mask of"
                    raise ValueError(difference(f"the {who} {unlike}", one, number))
    return Compared(agreed, max(pixels), max(scores), max(masks, default=None))


def most_like(one: dict[str, Tensor], number: int, other: dict[str, Tensor]) -> int | None:
    """Find the other's detection of the label and box of ``one``'s, or None if it has none.

    Of several it is the one of the nearest score.
    """
    box, label, score = (one[name][number] for name in ("boxes", "labels", "scores"))
    like = (other["labels"] == label).nonzero()[:, 0]
    apart = (other["boxes"][like] - box).abs().amax(1)  # [like]
    near = like[apart <= MAX_PIXELS]
    unlike = (other["scores"][near] - score).abs()
    if near.numel() and unlike.min() <= MAX_SCORE:
        return int(near[unlike.argmin()])
    return None


def mask_difference(one: Tensor, other: Tensor) -> float:
    """Mean difference of two masks over the pixels where either is above 0."""
    covered = (one > 0) | (other > 0)
    return float((one - other).abs()[covered].mean()) if covered.any() else 0.0


def difference(lack: str, one: dict[str, Tensor], number: int) -> str:
    """Say which detection the file or the model lacks, or has with another mask."""
    label, score = int(one["labels"][number]), float(one["scores"][number])
    edges = ", ".join(f"{edge:.1f}" for edge in one["boxes"][number].tolist())
    return (
        f"the file must give the model's detections; {lack} label {label} with score {score:.3f} "
        f"at {edges}. Please report this with the versions of torch and onnxruntime."
    )
