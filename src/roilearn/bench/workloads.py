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
        """Return the same workload with an eighth of the channels and a quarter of the boxes.

        Where each bin has channels of its own, it keeps as many as the others.
        """
        images, channels, height, width = self.features
        bins = self.output_size**2
        unit = bins if channels % bins == 0 else 8
        return replace(
            self,
            features=(images, max(channels // 8 // unit, 1) * unit, height, width),
            boxes=max(self.boxes // 4, 16),
        )


@dataclass(frozen=True)
class Pyramid:
    """One workload of several levels, a stride each. Sides and sizes in image pixels."""

    name: str
    images: int
    image: tuple[int, int]  # height, width
    boxes: int  # an image
    output_size: int
    meaning: str
    channels: int = 256
    sides: tuple[float, float] = (16, 512)
    sampling_ratio: int = 2

    def quick(self) -> "Pyramid":
        """Return the same workload with an eighth of the channels and a quarter of the boxes."""
        return replace(self, channels=self.channels // 8, boxes=max(self.boxes // 4, 16))


@dataclass(frozen=True)
class Crowd:
    """One workload of NMS: boxes spread over an 800 x 1333 image, or around some objects."""

    name: str
    boxes: int
    objects: int  # 0: spread
    classes: int
    threshold: float
    meaning: str

    def quick(self) -> "Crowd":
        """Return the same workload with a quarter of the boxes."""
        return replace(self, boxes=self.boxes // 4, objects=self.objects // 4)


@dataclass(frozen=True)
class Masks:
    """One workload of pasting 28 x 28 masks. Sides and sizes in image pixels."""

    name: str
    boxes: int
    sides: tuple[float, float]
    image: tuple[int, int]  # height, width
    threshold: float | None  # None: probabilities
    meaning: str

    def quick(self) -> "Masks":
        """Return the same workload with a quarter of the masks."""
        return replace(self, boxes=self.boxes // 4)


Workload = Shape | Pyramid | Crowd | Masks

STRIDES = (4, 8, 16, 32)
"""Image pixels a cell of each level of a pyramid."""

ROI_ALIGN = (
    Shape("A", (2, 256, 200, 304), 1000, (4, 56), 7, 2, "box head, stride 4"),
    Shape("M", (2, 256, 100, 152), 256, (4, 56), 14, 2, "mask head, stride 8"),
    Shape("D", (1, 1024, 50, 76), 300, (2, 40), 14, 2, "C4 backbone, stride 16"),
    Shape("B", (1, 64, 32, 32), 128, (2, 16), 7, 2, "small"),
    Shape("adaptive", (2, 256, 200, 304), 1000, (4, 56), 7, -1, "A, adaptive sampling"),
    Shape("adaptive C4", (1, 1024, 50, 76), 300, (2, 50), 7, -1, "C4, adaptive sampling"),
)
"""Workloads of RoIAlign, whose memory and byte floor are measured too."""

SHAPES: dict[str, tuple[Workload, ...]] = {
    "roi_align": ROI_ALIGN,
    "roi_pool": (
        Shape("A", (2, 256, 200, 304), 1000, (4, 56), 7, 0, "box head, stride 4"),
        Shape("VGG", (1, 512, 50, 76), 300, (2, 50), 7, 0, "VGG-16, stride 16"),
        Shape("C4", (1, 1024, 50, 76), 1000, (2, 50), 7, 0, "C4 backbone, stride 16"),
        Shape("B", (1, 64, 32, 32), 128, (2, 16), 7, 0, "small"),
    ),
    "ps_roi_align": (
        Shape("21 x 300", (1, 1029, 50, 76), 300, (2, 40), 7, 2, "21 classes, stride 16"),
        Shape("81 x 300", (1, 3969, 50, 76), 300, (2, 40), 7, 2, "81 classes, stride 16"),
        Shape("10 x 1000", (1, 490, 50, 76), 1000, (2, 40), 7, 2, "10 channels a bin, stride 16"),
    ),
    "ps_roi_pool": (
        Shape("21 x 300", (1, 1029, 50, 76), 300, (2, 40), 7, 0, "21 classes, stride 16"),
        Shape("81 x 300", (1, 3969, 50, 76), 300, (2, 40), 7, 0, "81 classes, stride 16"),
        Shape("10 x 1000", (1, 490, 50, 76), 1000, (2, 40), 7, 0, "10 channels a bin, stride 16"),
    ),
    "MultiScaleRoIAlign": (
        Pyramid("one image", 1, (800, 1066), 1000, 7, "box head, 4 levels"),
        Pyramid("two images", 2, (800, 1216), 1000, 7, "box head in training, 4 levels"),
        Pyramid("mask", 1, (800, 1066), 100, 14, "mask head, 4 levels"),
    ),
    "nms": (
        Crowd("20,000 spread", 20_000, 0, 1, 0.7, "proposals of every place"),
        Crowd("5,000 clustered", 5_000, 100, 1, 0.5, "many boxes an object"),
        Crowd("1,000 spread", 1_000, 0, 1, 0.7, "proposals of one level"),
        Crowd("1,000 clustered", 1_000, 20, 1, 0.5, "detections of one class"),
    ),
    "batched_nms": (
        Crowd("5,000 in 80 classes", 5_000, 0, 80, 0.5, "detections of COCO's classes"),
        Crowd("5,000 clustered in 5", 5_000, 100, 5, 0.5, "proposals of five levels"),
    ),
    "paste_masks_in_image": (
        Masks("float", 100, (20, 300), (800, 1333), None, "probabilities of every pixel"),
        Masks("bool", 100, (20, 300), (800, 1333), 0.5, "whether above one half"),
    ),
}
"""By operator. A workload of RoIPool has no samples; lengths of boxes are in its own unit."""


def make_inputs(shape: Shape, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw the features and the boxes of a workload, as float32 arrays.

    Returns
    -------
    (N, C, H, W) features, and (K, 5) boxes inside the map, in cells (``spatial_scale`` 1).

    Examples
    --------
    >>> features, boxes = make_inputs(ROI_ALIGN[3])
    >>> features.shape, boxes.shape
    ((1, 64, 32, 32), (128, 5))
    """
    state = np.random.default_rng(seed)
    images, _, height, width = shape.features
    features = state.standard_normal(shape.features, dtype=np.float32)
    index = state.integers(0, images, (shape.boxes, 1))
    boxes = draw_boxes(state, shape.boxes, shape.sides, (height, width))
    return features, np.hstack([index, boxes]).astype(np.float32)


def draw_boxes(
    state: np.random.Generator, number: int, sides: tuple[float, float], size: tuple[int, int]
) -> np.ndarray:
    """Draw (K, 4) boxes inside a map of (height, width), their sides log-uniform."""
    height, width = size
    low, high = np.log(sides)
    lengths = np.exp(state.uniform(low, high, (number, 2))).clip(max=[width, height])
    corners = state.uniform(0, [width, height] - lengths)
    return np.hstack([corners, corners + lengths])


def make_pyramid(shape: Pyramid, seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Draw the four levels, (N, C, H, W) each, and (K, 4) boxes of each image, in image pixels."""
    state = np.random.default_rng(seed)
    height, width = shape.image
    levels = [
        state.standard_normal(
            (shape.images, shape.channels, -(-height // stride), -(-width // stride)),
            dtype=np.float32,
        )
        for stride in STRIDES
    ]
    boxes = [
        draw_boxes(state, shape.boxes, shape.sides, shape.image).astype(np.float32)
        for _ in range(shape.images)
    ]
    return levels, boxes


def make_crowd(shape: Crowd, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw (K, 4) boxes in image pixels, K scores, no two alike, and K classes."""
    state = np.random.default_rng(seed)
    around = draw_boxes(state, shape.objects or shape.boxes, (16, 256), (800, 1333))
    if shape.objects:
        around = around[state.integers(0, shape.objects, shape.boxes)]
        sides = np.tile(around[:, 2:] - around[:, :2], 2)
        around = around + 0.1 * sides * state.standard_normal(around.shape).clip(-3, 3)
    scores = (state.permutation(shape.boxes) + 0.5) / shape.boxes
    classes = state.integers(0, shape.classes, shape.boxes)
    return around.astype(np.float32), scores.astype(np.float32), classes


def make_masks(shape: Masks, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw (K, 1, 28, 28) masks of probabilities, and (K, 4) boxes in image pixels."""
    state = np.random.default_rng(seed)
    masks = state.random((shape.boxes, 1, 28, 28), dtype=np.float32)
    return masks, draw_boxes(state, shape.boxes, shape.sides, shape.image).astype(np.float32)
