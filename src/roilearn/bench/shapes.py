"""The shapes that are measured: what detectors ask of the RoI operators, and one small case."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Shape:
    """One workload. Boxes have sides drawn log-uniformly between two lengths, in cells."""

    name: str
    features: tuple[int, int, int, int]  # N, C, H, W
    boxes: int
    sides: tuple[float, float]
    output_size: int
    sampling_ratio: int
    meaning: str

    def quick(self) -> "Shape":
        """Return the same workload with an eighth of the channels and a quarter of the boxes."""
        images, channels, height, width = self.features
        return replace(
            self,
            features=(images, max(channels // 8, 8), height, width),
            boxes=max(self.boxes // 4, 16),
        )


SHAPES = {
    "roi_align": (
        Shape("A", (2, 256, 200, 304), 1000, (4, 56), 7, 2, "box head, stride 4"),
        Shape("M", (2, 256, 100, 152), 256, (4, 56), 14, 2, "mask head, stride 8"),
        Shape("D", (1, 1024, 50, 76), 300, (2, 40), 14, 2, "C4 backbone, stride 16"),
        Shape("B", (1, 64, 32, 32), 128, (2, 16), 7, 2, "small"),
        Shape("adaptive", (2, 256, 200, 304), 1000, (4, 56), 7, -1, "A, adaptive sampling"),
        Shape("adaptive C4", (1, 1024, 50, 76), 300, (2, 50), 7, -1, "C4, adaptive sampling"),
    ),
    "roi_pool": (
        Shape("A", (2, 256, 200, 304), 1000, (4, 56), 7, 0, "box head, stride 4"),
        Shape("VGG", (1, 512, 50, 76), 300, (2, 50), 7, 0, "VGG-16, stride 16"),
        Shape("C4", (1, 1024, 50, 76), 1000, (2, 50), 7, 0, "C4 backbone, stride 16"),
        Shape("B", (1, 64, 32, 32), 128, (2, 16), 7, 0, "small"),
    ),
}
"""By operator. A workload of RoIPool has no samples."""


def make_inputs(shape: Shape, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw the features and the boxes of a workload, as float32 arrays.

    Returns
    -------
    (N, C, H, W) features, and (K, 5) boxes inside the map, in cells (``spatial_scale`` 1).

    Examples
    --------
    >>> features, boxes = make_inputs(SHAPES["roi_align"][3])
    >>> features.shape, boxes.shape
    ((1, 64, 32, 32), (128, 5))
    """
    state = np.random.RandomState(seed)
    images, _, height, width = shape.features
    features = state.standard_normal(shape.features).astype(np.float32)
    low, high = np.log(shape.sides)
    sides = np.exp(state.uniform(low, high, (shape.boxes, 2))).clip(max=[width, height])
    corners = state.uniform(0, [width, height] - sides)
    index = state.randint(0, images, (shape.boxes, 1))
    return features, np.hstack([index, corners, corners + sides]).astype(np.float32)
