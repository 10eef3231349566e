"""A dozen detections of seven objects in two images: an example small enough for paper."""

from __future__ import annotations

from typing import Any

import numpy as np

from roilearn import reference

LABELS = {"disc": 1, "square": 2}
"""The two classes."""
OBJECTS: list[tuple[int, str, list[float]]] = [
    (1, "disc", [0, 0, 20, 20]),
    (1, "disc", [40, 0, 60, 20]),
    (1, "square", [80, 0, 100, 20]),
    (2, "disc", [0, 0, 20, 20]),
    (2, "disc", [40, 0, 60, 20]),
    (2, "square", [80, 0, 100, 20]),
    (2, "square", [120, 0, 140, 20]),
]
"""Number of the image, class, and box in image pixels of every object."""
DETECTIONS: dict[str, tuple[int, str, float, list[float]]] = {
    "A": (1, "disc", 0.90, [0, 0, 20, 16.5]),
    "B": (1, "disc", 0.80, [10, 60, 30, 80]),  # nothing is there
    "C": (1, "disc", 0.60, [0, 0, 20, 13.5]),  # the object of A again
    "D": (1, "disc", 0.30, [40, 0, 60, 8]),  # too small a part of its object
    "E": (1, "square", 0.60, [80, 0, 100, 18.5]),
    "F": (1, "square", 0.40, [10, 90, 30, 99]),  # nothing is there
    "G": (2, "disc", 0.80, [0, 0, 20, 15.5]),
    "H": (2, "disc", 0.50, [40, 0, 60, 12.5]),
    "I": (2, "square", 0.70, [80, 0, 100, 9]),  # too small a part of its object
    "J": (2, "square", 0.65, [80, 0, 100, 14.5]),
    "K": (2, "square", 0.20, [120, 0, 140, 10.5]),
    "L": (2, "square", 0.10, [10, 60, 30, 69]),  # nothing is there
}
"""By its name: number of the image, class, score, and box in image pixels of every detection."""
OVERLAP = 0.01
"""IoU from which on a detection is said to lie on an object."""


def example_images(
    scores: list[float] | None = None,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the example as ``reference.average_precision`` takes it.

    Parameters
    ----------
    scores : twelve scores, A to L, that take the place of the example's own.

    Returns
    -------
    detections, targets : for each of the two images a dict of arrays.

    Examples
    --------
    >>> detections, targets = example_images()
    >>> [len(image["labels"]) for image in (*detections, *targets)]
    [6, 6, 3, 4]
    """
    own = [score for _, _, score, _ in DETECTIONS.values()]
    found = list(zip(DETECTIONS.values(), own if scores is None else scores, strict=True))
    detections, targets = [], []
    for number in (1, 2):
        here = [(label, box, score) for (image, label, _, box), score in found if image == number]
        there = [(label, box) for image, label, box in OBJECTS if image == number]
        detections.append(
            {
                "boxes": np.array([box for _, box, _ in here], dtype=float),
                "labels": np.array([LABELS[label] for label, _, _ in here]),
                "scores": np.array([score for _, _, score in here], dtype=float),
            }
        )
        targets.append(
            {
                "boxes": np.array([box for _, box in there], dtype=float),
                "labels": np.array([LABELS[label] for label, _ in there]),
            }
        )
    return detections, targets


def best_overlaps() -> list[dict[str, Any]]:
    """Give each detection's name, image, class, and the object of its class that it overlaps most.

    ``object`` is a row of ``OBJECTS``, None where there is no overlap; ``iou`` is the IoU with it.
    """
    rows = []
    for name, (image, label, _, box) in DETECTIONS.items():
        of_class = [n for n, one in enumerate(OBJECTS) if one[:2] == (image, label)]
        ious = reference.box_iou([box], [OBJECTS[n][2] for n in of_class])[0]
        best = int(ious.argmax())
        lies = bool(ious[best] > OVERLAP)
        rows.append(
            {
                "name": name,
                "image": image,
                "class": label,
                "object": of_class[best] if lies else None,
                "iou": float(ious[best]) if lies else 0.0,
            }
        )
    return rows
