"""Evaluation of a model on a data set: run it, and match its detections with ground truth."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    check_fraction,
    check_items,
    check_names,
    check_type,
)
from roilearn.arguments.lists import is_list
from roilearn.data.transforms import collate
from roilearn.models.transform.input_checks import check_ground_truth, check_model_images
from roilearn.reference.boxes.iou import IOU_TYPES
from roilearn.reference.detection.detection_matching import evaluate_image
from roilearn.train.evaluation.coco_backends import LIBRARIES, as_annotations, load_library
from roilearn.train.evaluation.results import Evaluation, summarise_images
from roilearn.train.loading_processes import batches_of, start_loading_process

BACKENDS = ("roilearn", *LIBRARIES)
"""What matches detections and computes metrics. All give the same numbers; the libraries are faster
on large data sets."""


def evaluate(
    model: nn.Module,
    dataset: Any,
    *,
    iou_types: Sequence[str] | None = None,
    backend: str = "roilearn",
    names: Sequence[str] | None = None,
    batch_size: int = 1,
    workers: int = 0,
    mask_threshold: float = 0.5,
    progress: bool = True,
    on_image: Callable[[int, Mapping[str, np.ndarray]], None] | None = None,
) -> Evaluation:
    """Run a model over a data set and compute COCO's metrics of its detections.

    Parameters
    ----------
    model : takes a list of (3, H, W) images from 0 to 1 and returns for each a dict of ``boxes``,
        ``labels``, ``scores`` and optionally ``masks`` (n, 1, H, W). It is put into eval mode
        during the evaluation, and stays on its device.
    dataset : items are an image and a target, see ``roilearn.data``.
    iou_types : what the IoU is computed of: ``("boxes",)``, ``("masks",)`` or both. By default
        boxes, and masks if both the model and the data set have them.
    backend : one of ``BACKENDS``.
    names : class names, that of label 1 first, one for every label of the data set; by default
        those of the data set, if it has any, or else the labels.
    batch_size : images per forward pass.
    workers : processes that load images, besides this one.
    mask_threshold : a pixel belongs to a mask if its value is above this.
    progress : show a progress bar with the time left.
    on_image : called for each image with its index and its detections, as they are measured:
        arrays ``boxes``, ``labels``, ``scores`` and, if the model finds masks, ``masks`` (n, H, W),
        which are booleans. ``CocoResults.add`` is one.

    Returns
    -------
    ``Evaluation``. Ctrl-C ends the evaluation early and returns the metrics of the images done so
    far; before the first image is done, ``KeyboardInterrupt`` is raised as usual.

    Raises
    ------
    ValueError, TypeError: an unknown backend or IoU type; an empty data set; a
        ``mask_threshold`` outside 0 to 1; two classes of one name; ground truth that does
        not fit its image, see ``roilearn.models.check_ground_truth``, or a label without a name.
    ImportError: a backend whose library is not installed.

    Examples
    --------
    >>> from roilearn.data import ShapeScenes
    >>> from roilearn.models import mask_rcnn_tiny
    >>> scenes = ShapeScenes(2)
    >>> untrained = evaluate(mask_rcnn_tiny(num_classes=4), scenes, progress=False)
    >>> untrained.images, untrained.metrics["masks"]["AP"] < 0.1
    (2, True)
    """
    check_choice("backend", backend, BACKENDS)
    for iou_type in iou_types or ():
        check_choice("iou_types", iou_type, IOU_TYPES)
    threshold = check_fraction("mask_threshold", mask_threshold)
    check_type("model", model, nn.Module)
    check_count("batch_size", batch_size)
    check_between("workers", workers, 0, 256)
    if backend in LIBRARIES:
        load_library(backend)  # before any work
    check_items("dataset", dataset)
    names = getattr(dataset, "names", None) if names is None else names
    classes = count_classes(names)
    needed = ("masks",) if "masks" in (iou_types or ()) else ()
    device = next((each.device for each in model.parameters()), torch.device("cpu"))
    match = evaluate_image if backend == "roilearn" else as_annotations
    matched: list[dict[str, Any]] = []
    interrupted = False
    loader = DataLoader(
        dataset,
        batch_size,
        num_workers=workers,
        collate_fn=collate,
        worker_init_fn=start_loading_process if workers else None,
    )
    bar = tqdm(total=len(dataset), desc="evaluate", unit="image", disable=not progress)
    try:
        with bar, evaluation_mode(model), batches_of(loader) as batches:
            for images, targets in batches:
                check_model_images(model, images)
                for k, (target, image) in enumerate(
                    zip(targets, images, strict=True), len(matched)
                ):
                    check_ground_truth(f"dataset[{k}][1]", target, image, needed, classes)
                detected = model([image.to(device) for image in images])
                for detections, target in zip(detected, targets, strict=True):
                    found, truth = as_arrays(detections, threshold), as_arrays(target, threshold)
                    iou_types = iou_types or [t for t in IOU_TYPES if t in found and t in truth]
                    matched.append({each: match(found, truth, each) for each in iou_types})
                    if on_image is not None:
                        on_image(len(matched) - 1, found)
                    bar.update()
    except KeyboardInterrupt:
        if not matched:
            raise
        interrupted = True
    return summarise_images(matched, backend, names, interrupted)


def count_classes(names: Sequence[str] | None) -> int | None:
    """Count the classes, background included; raise if two names are the same and not empty."""
    if names is None or (is_list(names) and not names):
        return None
    check_names("names", names)
    twice = sorted(name for name, times in Counter(names).items() if name and times > 1)
    if twice:
        raise ValueError(f"names must differ from class to class; got {twice[0]!r} more than once.")
    return len(names) + 1


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Put a model into eval mode without gradients, and back into its old mode afterwards."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module, training in modes.items():
            module.training = training


def as_arrays(image: Mapping[str, Any], mask_threshold: float) -> dict[str, np.ndarray]:
    """Convert detections or a target to arrays; masks become (n, H, W) booleans."""
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
