"""Evaluation backends: pycocotools and faster-coco-eval, for large data sets."""

from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from itertools import count
from typing import Any

import numpy as np
from pycocotools import mask as run_lengths

Annotations = tuple[list[dict[str, Any]], list[dict[str, Any]]]
"""Ground truth and detections of one image, as annotations in COCO's format without ids."""
LIBRARIES = {"pycocotools": "pycocotools", "faster-coco-eval": "faster_coco_eval"}
"""Names of the libraries, and of their modules."""


def load_library(backend: str) -> tuple[Any, Any]:
    """Import a library's ``COCO`` and ``COCOeval``.

    Raises
    ------
    ImportError: it is not installed.
    """
    try:
        if backend == "pycocotools":
            return (
                import_module("pycocotools.coco").COCO,
                import_module("pycocotools.cocoeval").COCOeval,
            )
        library = import_module(LIBRARIES[backend])
    except ImportError as error:
        raise ImportError(
            f"backend={backend!r} needs the library of that name, which is not installed. Install "
            f"it with: pip install {backend}. The other backends give the same numbers."
        ) from error
    return library.COCO, library.COCOeval_faster


def as_annotations(
    detections: Mapping[str, np.ndarray], targets: Mapping[str, np.ndarray], iou_type: str
) -> Annotations:
    """Convert ground truth and detections of one image to COCO's annotations.

    Boxes become x, y, width and height, masks run lengths (RLE).

    Parameters
    ----------
    detections, targets, iou_type : as for ``roilearn.reference.evaluate_image``.
    """
    objects: list[dict[str, Any]] = [
        {"iscrowd": int(crowd), "ignore": int(crowd)}
        for crowd in targets.get("iscrowd", np.zeros(len(targets["labels"])))
    ]
    detected: list[dict[str, Any]] = [
        {"iscrowd": 0, "score": float(score)} for score in detections["scores"]
    ]
    for image, annotations in ((targets, objects), (detections, detected)):
        for annotation, label, region in zip(
            annotations, image["labels"], image[iou_type], strict=True
        ):
            annotation.update(category_id=int(label), **as_region(region))
    if "area" not in targets and "masks" in targets:
        targets = {**targets, "area": targets["masks"].sum((1, 2))}
    for annotation, area in zip(objects, targets.get("area", ()), strict=False):
        annotation["area"] = float(area)
    return objects, detected


def as_region(region: np.ndarray) -> dict[str, Any]:
    """Convert a box (4,) or a mask (H, W) to the entries of a COCO annotation."""
    if region.ndim == 1:
        x1, y1, x2, y2 = region.astype(float).tolist()
        return {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)}
    encoded = run_lengths.encode(np.asfortranarray(region, np.uint8))
    bbox = run_lengths.toBbox(encoded).tolist()
    return {"segmentation": encoded, "bbox": bbox, "area": float(region.sum())}


def accumulate_with_library(
    images: Sequence[Annotations], iou_type: str, backend: str
) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Let a library accumulate precision and recall over all images.

    Returns
    -------
    labels, precision, recall : as ``roilearn.reference.accumulate`` gives them.
    """
    both = [annotation for image in images for part in image for annotation in part]
    labels = sorted({annotation["category_id"] for annotation in both})
    kind = "bbox" if iou_type == "boxes" else "segm"
    coco, measure = load_library(backend)
    with redirect_stdout(StringIO()):
        truth, detected = (
            as_dataset(coco, [image[part] for image in images], labels) for part in (0, 1)
        )
        measured = measure(truth, detected, kind)
        measured.params.catIds = labels
        measured.evaluate()
        measured.accumulate()
    return labels, np.asarray(measured.eval["precision"]), np.asarray(measured.eval["recall"])


def as_dataset(coco: Any, images: Sequence[list[dict[str, Any]]], labels: list[int]) -> Any:
    """Make a library's ``COCO`` data set from the annotations of each image, with ids from 1."""
    numbers = count(1)
    dataset = coco()
    dataset.dataset = {
        "images": [{"id": image, **as_size(each)} for image, each in enumerate(images)],
        "categories": [{"id": label, "name": str(label)} for label in labels],
        "annotations": [
            {**annotation, "id": next(numbers), "image_id": image}
            for image, annotations in enumerate(images)
            for annotation in annotations
        ],
    }
    dataset.createIndex()
    return dataset


def as_size(annotations: list[dict[str, Any]]) -> dict[str, int]:
    """Height and width of an image, taken from its masks; without masks they are not needed."""
    sizes = (each["segmentation"]["size"] for each in annotations if "segmentation" in each)
    return dict(zip(("height", "width"), next(sizes, ()), strict=False))
