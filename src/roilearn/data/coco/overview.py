"""Overview of a data set in COCO's format: objects of each class, and how large they are."""

from collections import Counter

import numpy as np

from roilearn.data.coco.dataset import CocoFolder


def class_counts(folder: CocoFolder) -> dict[str, int]:
    """Count the objects of each class, crowds left out; a class without objects has 0."""
    labels = Counter(each.label for _, there in folder.items for each in there if not each.crowd)
    return {name: labels[label] for label, name in enumerate(folder.names, start=1) if name}


def image_sizes(folder: CocoFolder) -> str:
    """Write the size of the images, width x height, from the smallest to the largest.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from roilearn.data import ShapeScenes, export_coco
    >>> with TemporaryDirectory() as place:
    ...     image_sizes(CocoFolder(None, export_coco(ShapeScenes(2, size=(48, 64)), place)))
    '64 x 48'
    """
    sizes = sorted({(each.width, each.height) for each, _ in folder.items}, key=np.prod)
    ends = sizes[:1] if len(sizes) < 2 else (sizes[0], sizes[-1])
    return " to ".join(f"{width} x {height}" for width, height in ends)


def median_side(folder: CocoFolder, min_size: int, max_size: int) -> float:
    """Compute the median of the objects' shorter sides, in pixels of the model.

    Parameters
    ----------
    min_size, max_size : what the model resizes images to, see
        ``roilearn.models.transform.DetectorTransform``.

    Returns
    -------
    The median over all objects but crowds; infinite if there are none.
    """
    sides = []
    for image, there in folder.items:
        short, long = sorted((image.height, image.width))
        scale = min(min_size / short, max_size / long)
        boxes = (each.box for each in there if not each.crowd)
        sides += [scale * min(x2 - x1, y2 - y1) for x1, y1, x2, y2 in boxes]
    return float(np.median(sides)) if sides else float("inf")
