"""The same measurement by pycocotools or faster-coco-eval, for sets too large for loops."""

from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from itertools import count
from typing import Any

import numpy as np
from pycocotools import mask as run_lengths

Annotations = tuple[list[dict[str, Any]], list[dict[str, Any]]]
"""Objects and detections of one image, as dicts in COCO's form without ids."""
PEERS = {"pycocotools": "pycocotools", "faster-coco-eval": "faster_coco_eval"}
"""Names of the libraries, and those of their modules."""


def load_peer(backend: str) -> tuple[Any, Any]:
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
        peer = import_module(PEERS[backend])
    except ImportError as error:
        raise ImportError(
            f"backend={backend!r} needs the library of that name, which is not installed. Install "
            f"it with: pip install {backend}. The other backends give the same numbers."
        ) from error
    return peer.COCO, peer.COCOeval_faster


def as_annotations(
    detections: Mapping[str, np.ndarray], targets: Mapping[str, np.ndarray], regions: str
) -> Annotations:
    """Objects and detections of one image in COCO's form: width and height, run lengths for masks.

    Parameters
    ----------
    detections, targets, regions : as for ``roilearn.reference.judge_image``.
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
            annotations, image["labels"], image[regions], strict=True
        ):
            annotation.update(category_id=int(label), **as_region(region))
    if "area" not in targets and "masks" in targets:
        targets = {**targets, "area": targets["masks"].sum((1, 2))}
    for annotation, area in zip(objects, targets.get("area", ()), strict=False):
        annotation["area"] = float(area)
    return objects, detected


def as_region(region: np.ndarray) -> dict[str, Any]:
    """COCO's form of a box (4,) or of a mask (H, W)."""
    if region.ndim == 1:
        x1, y1, x2, y2 = region.astype(float).tolist()
        return {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)}
    encoded = run_lengths.encode(np.asfortranarray(region, np.uint8))
    bbox = run_lengths.toBbox(encoded).tolist()
    return {"segmentation": encoded, "bbox": bbox, "area": float(region.sum())}


def accumulate_by_peer(
    images: Sequence[Annotations], regions: str, backend: str
) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Let a library put the annotations of all images together.

    Returns
    -------
    labels, precision, recall : as ``roilearn.reference.accumulate`` gives them.
    """
    both = [annotation for image in images for part in image for annotation in part]
    labels = sorted({annotation["category_id"] for annotation in both})
    kind = "bbox" if regions == "boxes" else "segm"
    coco, measure = load_peer(backend)
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
    """Make a library's dataset from the annotations of each image, counting ids from 1."""
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
    """Height and width of an image as its masks have them; without masks nobody asks for them."""
    sizes = (each["segmentation"]["size"] for each in annotations if "segmentation" in each)
    return dict(zip(("height", "width"), next(sizes, ()), strict=False))
