"""The example scene as a stored picture: the background of figures that load no PyTorch."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

from roilearn.palette import CLASSES

if TYPE_CHECKING:
    import numpy as np

PICTURE = Path(__file__).with_name("example_scene.jpg")
"""``roilearn.data.example_scene()``, as ``book/tools/measure_receptive_fields.py`` stores it."""
HEIGHT, WIDTH = 128, 160
SHAPES = ("disc", "square", "triangle")
"""The classes of its objects, in the order of their labels."""
SHAPE_COLOURS = dict(zip(SHAPES, CLASSES, strict=False))


def scene_address() -> str:
    """Return the picture as an address that a page needs no other file for."""
    return f"data:image/jpeg;base64,{base64.b64encode(PICTURE.read_bytes()).decode()}"


def scene_pixels() -> np.ndarray:
    """Load the picture as (H, W, 3) values from 0 to 255."""
    from matplotlib.pyplot import imread  # noqa: PLC0415 - only a still needs it

    return imread(PICTURE)
