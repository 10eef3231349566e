"""What a model is worth: its detections on a dataset, in COCO's numbers."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from roilearn.arguments import check_choice, check_number
from roilearn.data.transforms import collate
from roilearn.reference.average_precision import accumulate, summarise
from roilearn.reference.judging import judge_image
from roilearn.reference.region_overlap import REGIONS
from roilearn.train.coco_peers import PEERS, accumulate_by_peer, as_annotations, load_peer

BACKENDS = ("roilearn", *PEERS)
"""Who compares and counts. All give the same numbers; the libraries are for large sets."""

Numbers = dict[str, float]


@dataclass(frozen=True)
class Evaluation:
    """The result of ``evaluate``; as text, a table.

    Attributes
    ----------
    numbers : for ``"boxes"``, and ``"masks"`` if there are any, the twelve numbers of
        ``roilearn.reference.average_precision``: AP, AP50, AP75, APs and so on.
    classes : the same for each class, by its name; AP is that class's alone.
    images : how many images were looked at.
    interrupted : whether Ctrl-C ended it before the last image.
    """

    numbers: dict[str, Numbers]
    classes: dict[str, dict[str, Numbers]]
    images: int
    interrupted: bool = False

    def __str__(self) -> str:
        """Draw a table: a line for boxes and one for masks, and below each one for every class."""
        early = ", interrupted" if self.interrupted else ""
        lines = [f"{self.images} images{early}"]
        names = next(iter(self.numbers.values()))
        wide = 2 + max(len(name) for each in self.classes.values() for name in (*each, "mask"))
        lines += [" " * wide + "".join(f"{name:>7}" for name in names)]
        for regions, numbers in self.numbers.items():
            lines.append(_line(regions, wide, numbers))
            lines += [_line(f"  {k}", wide, v) for k, v in self.classes[regions].items()]
        return "\n".join(lines)


def evaluate(
    model: nn.Module,
    dataset: Any,
    *,
    regions: Sequence[str] | None = None,
    backend: str = "roilearn",
    names: Sequence[str] | None = None,
    batch_size: int = 1,
    workers: int = 0,
    mask_threshold: float = 0.5,
    progress: bool = True,
) -> Evaluation:
    """Run a model over a dataset and compare what it detects with what is there.

    Parameters
    ----------
    model : takes a list of (3, H, W) images from 0 to 1 and gives for each a dict of ``boxes``,
        ``labels``, ``scores`` and perhaps ``masks`` (n, 1, H, W). It is put into eval mode for
        the time, and stays on the device where it is.
    dataset : images and targets, as ``roilearn.data`` gives them.
    regions : what to compare: ``("boxes",)``, ``("masks",)`` or both. By default boxes, and masks
        where both the model and the dataset have them.
    backend : one of ``BACKENDS``.
    names : names of the classes, that of label 1 first; by default those of the dataset, if it
        has any, or the labels.
    batch_size : images that the model gets at a time.
    workers : processes that load images, beside this one.
    mask_threshold : a pixel belongs to a mask where its value is above this.
    progress : show a bar with the time left.

    Returns
    -------
    ``Evaluation``. Ctrl-C ends the run early, with the numbers of the images done; before the
    first is done it is an interrupt as any other.

    Raises
    ------
    ValueError: an unknown backend or kind of region; a dataset without items.
    ImportError: a backend that is not installed.

    Examples
    --------
    >>> from roilearn.data import ShapeScenes
    >>> from roilearn.models import mask_rcnn_tiny
    >>> scenes = ShapeScenes(2)
    >>> untrained = evaluate(mask_rcnn_tiny(num_classes=4), scenes, progress=False)
    >>> untrained.images, untrained.numbers["masks"]["AP"] < 0.1
    (2, True)
    """
    check_choice("backend", backend, BACKENDS)
    for region in regions or ():
        check_choice("regions", region, REGIONS)
    threshold = check_number("mask_threshold", mask_threshold)
    if backend in PEERS:
        load_peer(backend)  # before any work
    if not len(dataset):
        raise ValueError("dataset must have at least one item; got none.")
    device = next((each.device for each in model.parameters()), torch.device("cpu"))
    look = judge_image if backend == "roilearn" else as_annotations
    looked: list[dict[str, Any]] = []
    interrupted = False
    loader = DataLoader(dataset, batch_size, num_workers=workers, collate_fn=collate)
    bar = tqdm(total=len(dataset), desc="evaluate", unit="image", disable=not progress)
    try:
        with bar, at_rest(model):
            for images, targets in loader:
                detected = model([image.to(device) for image in images])
                for detections, target in zip(detected, targets, strict=True):
                    found, truth = as_arrays(detections, threshold), as_arrays(target, threshold)
                    regions = regions or [r for r in REGIONS if r in found and r in truth]
                    looked.append({each: look(found, truth, each) for each in regions})
                    bar.update()
    except KeyboardInterrupt:
        if not looked:
            raise
        interrupted = True
    return conclude(looked, backend, names or getattr(dataset, "names", None), interrupted)


@contextmanager
def at_rest(model: nn.Module) -> Iterator[None]:
    """Put every part of a model into eval mode, without gradients, and back afterwards."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module, training in modes.items():
            module.training = training


def as_arrays(image: Mapping[str, Any], mask_threshold: float) -> dict[str, np.ndarray]:
    """Arrays of what is compared; masks (n, H, W) as booleans, whichever way they came."""
    wanted = ("boxes", "labels", "scores", "masks", "iscrowd", "area")
    tensors = {name: image[name].detach().cpu() for name in wanted if name in image}
    if "masks" in tensors:
        masks: Tensor = tensors["masks"]
        masks = masks[:, 0] if masks.ndim == 4 else masks
        tensors["masks"] = masks > mask_threshold if masks.is_floating_point() else masks.bool()
    return {
        name: (tensor.float() if tensor.is_floating_point() else tensor).numpy()
        for name, tensor in tensors.items()
    }


def put_together(
    images: Sequence[Any], regions: str, backend: str
) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Let ours or a library count: labels, precision and recall as ``accumulate`` gives them."""
    if backend == "roilearn":
        return accumulate(images)
    return accumulate_by_peer(images, regions, backend)


def conclude(
    looked: Sequence[Mapping[str, Any]],
    backend: str,
    names: Sequence[str] | None,
    interrupted: bool,
) -> Evaluation:
    """Put what was seen in each image together, for each kind of region."""
    numbers, classes = {}, {}
    for regions in looked[0]:
        of_images = [image[regions] for image in looked]
        labels, precision, recall = put_together(of_images, regions, backend)
        numbers[regions] = summarise(precision, recall)
        classes[regions] = {
            _name(label, names): summarise(precision[:, :, [k]], recall[:, [k]])
            for k, label in enumerate(labels)
        }
    return Evaluation(numbers, classes, len(looked), interrupted)


def _name(label: int, names: Sequence[str] | None) -> str:
    return names[label - 1] if names and 0 < label <= len(names) else str(label)


def _line(name: str, wide: int, numbers: Numbers) -> str:
    cells = (f"{value:7.3f}" if value >= 0 else f"{'-':>7}" for value in numbers.values())
    return name.ljust(wide) + "".join(cells)
