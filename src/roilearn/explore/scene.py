"""The example scene as a stored picture, with its masks, for figures that load no PyTorch."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np

PICTURE = Path(__file__).with_name("example_scene.jpg")
"""``roilearn.data.example_scene()``, as ``book/tools/measure_receptive_fields.py`` stores it."""
MASKS = json.loads(Path(__file__).with_name("scene_masks.json").read_text("utf-8"))
"""By object: its first row, the columns [start, stop) of each row, and its targets in 255ths."""
HEIGHT, WIDTH = 128, 160
OBJECTS = ("disc", "square", "triangle")
"""Names of the objects, in the order of their labels."""


def scene_address() -> str:
    """Return the picture as an address that a page needs no other file for."""
    return f"data:image/jpeg;base64,{base64.b64encode(PICTURE.read_bytes()).decode()}"


def scene_pixels() -> np.ndarray:
    """Load the picture as (H, W, 3) values from 0 to 255."""
    from matplotlib.pyplot import imread  # noqa: PLC0415 - only a still needs it

    return imread(PICTURE)


def object_mask(name: str) -> np.ndarray:
    """Mask of an object: (H, W) booleans of the scene's pixels."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    for row, (start, stop) in enumerate(MASKS[name]["spans"], MASKS[name]["first"]):
        mask[row, start:stop] = True
    return mask


def mask_target(name: str, side: int) -> np.ndarray:
    """Mask target of an object in its own box: (side, side) values from 0 to 1, in 255ths."""
    coded = base64.b64decode(MASKS[name]["cells"][str(side)])
    return np.frombuffer(coded, np.uint8).reshape(side, side) / 255
