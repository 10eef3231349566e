"""What a model is worth: its detections on a dataset, in COCO's numbers."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from roilearn.arguments import (
    check_between,
    check_choice,
    check_count,
    check_images,
    check_items,
    check_kind,
    check_names,
    check_share,
)
from roilearn.arguments.lists import is_list
from roilearn.data.transforms import collate
from roilearn.models.transform.input_checks import check_ground_truth
from roilearn.reference.detection.detection_matching import judge_image
from roilearn.reference.region_overlap import REGIONS
from roilearn.train.evaluation.coco_backends import PEERS, as_annotations, load_peer
from roilearn.train.evaluation.results import Evaluation, conclude

BACKENDS = ("roilearn", *PEERS)
"""Who compares and counts. All give the same numbers; the libraries are for large sets."""


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
    names : names of the classes, that of label 1 first, one for every label of the dataset; by
        default those of the dataset, if it has any, or the labels.
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
    ValueError, TypeError: an unknown backend or kind of region; a dataset without items; a
        ``mask_threshold`` that is not from 0 to 1; two classes of one name; ground truth that does
        not fit its image, see ``roilearn.models.check_ground_truth``, or a label without a name.
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
    threshold = check_share("mask_threshold", mask_threshold)
    check_kind("model", model, nn.Module)
    check_count("batch_size", batch_size)
    check_between("workers", workers, 0, 256)
    if backend in PEERS:
        load_peer(backend)  # before any work
    check_items("dataset", dataset)
    names = getattr(dataset, "names", None) if names is None else names
    classes = count_classes(names)
    needed = ("masks",) if "masks" in (regions or ()) else ()
    device = next((each.device for each in model.parameters()), torch.device("cpu"))
    look = judge_image if backend == "roilearn" else as_annotations
    looked: list[dict[str, Any]] = []
    interrupted = False
    loader = DataLoader(dataset, batch_size, num_workers=workers, collate_fn=collate)
    bar = tqdm(total=len(dataset), desc="evaluate", unit="image", disable=not progress)
    try:
        with bar, at_rest(model):
            for images, targets in loader:
                check_images(images)
                for k, (target, image) in enumerate(zip(targets, images, strict=True), len(looked)):
                    check_ground_truth(f"dataset[{k}][1]", target, image, needed, classes)
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
    return conclude(looked, backend, names, interrupted)


def count_classes(names: Sequence[str] | None) -> int | None:
    """Count classes with background; raise unless the names, but for empty ones, differ."""
    if names is None or (is_list(names) and not names):
        return None
    check_names("names", names)
    twice = sorted(name for name, times in Counter(names).items() if name and times > 1)
    if twice:
        raise ValueError(f"names must differ from class to class; got {twice[0]!r} more than once.")
    return len(names) + 1


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
