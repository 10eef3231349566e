"""The example scene as a stored picture and its objects, for figures that load no PyTorch."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np

from roilearn.palette import CLASSES

PICTURE = Path(__file__).with_name("example_scene.jpg")
"""``roilearn.data.example_scene()``, as ``book/tools/measure_receptive_fields.py`` stores it."""
HEIGHT, WIDTH = 128, 160
SHAPES = ("disc", "square", "triangle")
"""The classes of its objects, in the order of their labels."""
SHAPE_COLOURS = dict(zip(SHAPES, CLASSES, strict=False))
OBJECTS: list[dict[str, Any]] = json.loads(PICTURE.with_suffix(".json").read_text(encoding="utf-8"))
"""Objects of the scene: ``name``, ``label``, ``box`` in image pixels, and of each row of the box,
from the top, the first pixel of the mask and its end (``rows``)."""
BY_NAME = {one["name"]: one for one in OBJECTS}
MASK_TARGETS: dict[str, dict[str, str]] = json.loads(
    PICTURE.with_name("scene_mask_targets.json").read_text(encoding="utf-8")
)
"""Of each object, in its own box and by the cells along a side: values in 255ths, in base 64."""


def scene_address() -> str:
    """Return the picture as an address that a page needs no other file for."""
    return f"data:image/jpeg;base64,{base64.b64encode(PICTURE.read_bytes()).decode()}"


def scene_pixels() -> np.ndarray:
    """Load the picture as (H, W, 3) values from 0 to 255."""
    from matplotlib.pyplot import imread  # noqa: PLC0415 - only a still needs it

    return imread(PICTURE)


def scene_masks() -> np.ndarray:
    """Masks of the scene's objects, (objects, H, W), 1 in the object and 0 elsewhere."""
    return np.stack([object_mask(one["name"]) for one in OBJECTS]).astype(float)


def object_mask(name: str) -> np.ndarray:
    """Mask of an object: (H, W) booleans of the scene's pixels."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    first = BY_NAME[name]["box"][1]
    for row, (start, end) in enumerate(BY_NAME[name]["rows"], first):
        mask[row, start:end] = True
    return mask


def mask_target(name: str, side: int) -> np.ndarray:
    """Mask target of an object in its own box: (side, side) values from 0 to 1, in 255ths."""
    coded = base64.b64decode(MASK_TARGETS[name][str(side)])
    return np.frombuffer(coded, np.uint8).reshape(side, side) / 255
