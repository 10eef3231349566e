"""Workloads: the sizes of features, boxes and masks for which the operators are measured.

They are those of common detectors, and a small one for each operator.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class PoolingWorkload:
    """One workload of pooling from one map. The sides of boxes are log-uniform, in cells."""

    name: str
    features: tuple[int, int, int, int]  # N, C, H, W
    boxes: int
    sides: tuple[float, float]
    output_size: int
    sampling_ratio: int
    meaning: str
    arrangement: str = "random"  # a name in ARRANGEMENTS

    def quick(self) -> "PoolingWorkload":
        """Return the same workload with an eighth of the channels and a quarter of the boxes.

        Where each bin has channels of its own (position-sensitive pooling), all bins keep as many.
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
class PyramidWorkload:
    """One workload of pooling from several levels of a pyramid. Lengths are in image pixels."""

    name: str
    images: int
    image: tuple[int, int]  # height, width
    boxes: int  # of each image
    output_size: int
    meaning: str
    channels: int = 256
    sides: tuple[float, float] = (16, 512)
    sampling_ratio: int = 2

    def quick(self) -> "PyramidWorkload":
        """Return the same workload with an eighth of the channels and a quarter of the boxes."""
        return replace(self, channels=self.channels // 8, boxes=max(self.boxes // 4, 16))


@dataclass(frozen=True)
class NmsWorkload:
    """One workload of NMS: boxes spread over an image of 800 x 1333 pixels, or around objects."""

    name: str
    boxes: int
    objects: int  # around which the boxes lie; 0: boxes are spread over the image
    classes: int
    threshold: float
    meaning: str
    chain: bool = False  # boxes in a line, each overlapping the next, all of one score

    def quick(self) -> "NmsWorkload":
        """Return the same workload with a quarter of the boxes."""
        return replace(self, boxes=self.boxes // 4, objects=self.objects // 4)


@dataclass(frozen=True)
class PasteWorkload:
    """One workload of pasting masks of 28 x 28 cells. Lengths are in image pixels."""

    name: str
    boxes: int
    sides: tuple[float, float]
    image: tuple[int, int]  # height, width
    threshold: float | None  # None: the pasted probabilities are returned
    meaning: str

    def quick(self) -> "PasteWorkload":
        """Return the same workload with a quarter of the masks."""
        return replace(self, boxes=self.boxes // 4)


Workload = PoolingWorkload | PyramidWorkload | NmsWorkload | PasteWorkload

STRIDES = (4, 8, 16, 32)
"""Stride of each level of a pyramid: image pixels along the side of a cell."""

ROI_ALIGN = (
    PoolingWorkload("A", (2, 256, 200, 304), 1000, (4, 56), 7, 2, "box head, stride 4"),
    PoolingWorkload("M", (2, 256, 100, 152), 256, (4, 56), 14, 2, "mask head, stride 8"),
    PoolingWorkload("D", (1, 1024, 50, 76), 300, (2, 40), 14, 2, "C4 backbone, stride 16"),
    PoolingWorkload("B", (1, 64, 32, 32), 128, (2, 16), 7, 2, "small"),
    PoolingWorkload("adaptive", (2, 256, 200, 304), 1000, (4, 56), 7, -1, "A, adaptive sampling"),
    PoolingWorkload("adaptive C4", (1, 1024, 50, 76), 300, (2, 50), 7, -1, "C4, adaptive sampling"),
)
"""Workloads of RoIAlign. Its peak memory and byte floor are measured on them too."""

WORKLOADS: dict[str, tuple[Workload, ...]] = {
    "roi_align": ROI_ALIGN,
    "roi_pool": (
        PoolingWorkload("A", (2, 256, 200, 304), 1000, (4, 56), 7, 0, "box head, stride 4"),
        PoolingWorkload("VGG", (1, 512, 50, 76), 300, (2, 50), 7, 0, "VGG-16, stride 16"),
        PoolingWorkload("C4", (1, 1024, 50, 76), 1000, (2, 50), 7, 0, "C4 backbone, stride 16"),
        PoolingWorkload("B", (1, 64, 32, 32), 128, (2, 16), 7, 0, "small"),
    ),
    "ps_roi_align": (
        PoolingWorkload("21 x 300", (1, 1029, 50, 76), 300, (2, 40), 7, 2, "21 classes, stride 16"),
        PoolingWorkload("81 x 300", (1, 3969, 50, 76), 300, (2, 40), 7, 2, "81 classes, stride 16"),
        PoolingWorkload(
            "10 x 1000", (1, 490, 50, 76), 1000, (2, 40), 7, 2, "10 channels a bin, stride 16"
        ),
    ),
    "ps_roi_pool": (
        PoolingWorkload("21 x 300", (1, 1029, 50, 76), 300, (2, 40), 7, 0, "21 classes, stride 16"),
        PoolingWorkload("81 x 300", (1, 3969, 50, 76), 300, (2, 40), 7, 0, "81 classes, stride 16"),
        PoolingWorkload(
            "10 x 1000", (1, 490, 50, 76), 1000, (2, 40), 7, 0, "10 channels a bin, stride 16"
        ),
    ),
    "MultiScaleRoIAlign": (
        PyramidWorkload("one image", 1, (800, 1066), 1000, 7, "box head, 4 levels"),
        PyramidWorkload("two images", 2, (800, 1216), 1000, 7, "box head in training, 4 levels"),
        PyramidWorkload("mask", 1, (800, 1066), 100, 14, "mask head, 4 levels"),
    ),
    "nms": (
        NmsWorkload("20,000 spread", 20_000, 0, 1, 0.7, "proposals of every place"),
        NmsWorkload("5,000 clustered", 5_000, 100, 1, 0.5, "many boxes an object"),
        NmsWorkload("1,000 spread", 1_000, 0, 1, 0.7, "proposals of one level"),
        NmsWorkload("1,000 clustered", 1_000, 20, 1, 0.5, "detections of one class"),
    ),
    "batched_nms": (
        NmsWorkload("5,000 in 80 classes", 5_000, 0, 80, 0.5, "detections of COCO's classes"),
        NmsWorkload("5,000 clustered in 5", 5_000, 100, 5, 0.5, "proposals of five levels"),
    ),
    "paste_masks_in_image": (
        PasteWorkload("float", 100, (20, 300), (800, 1333), None, "probabilities of every pixel"),
        PasteWorkload("bool", 100, (20, 300), (800, 1333), 0.5, "whether above one half"),
    ),
}
"""By operator. A workload of RoIPool has no samples; lengths of boxes are in its own unit."""


def make_inputs(workload: PoolingWorkload, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw random features and boxes of a pooling workload, as float32 arrays.

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
    images, _, height, width = workload.features
    features = state.standard_normal(workload.features, dtype=np.float32)
    index = state.integers(0, images, (workload.boxes, 1))
    boxes = draw_boxes(state, workload.boxes, workload.sides, (height, width))
    rois = np.hstack([index, boxes]).astype(np.float32)
    return features, ARRANGEMENTS[workload.arrangement](rois, (height, width))


def put_on_one_cell(rois: np.ndarray, _: tuple[int, int]) -> np.ndarray:
    """Make all boxes the same."""
    return np.repeat(rois[:1], len(rois), 0)


def put_on_one_image(rois: np.ndarray, _: tuple[int, int]) -> np.ndarray:
    """Take all boxes from the first image of the batch."""
    return np.hstack([np.zeros_like(rois[:, :1]), rois[:, 1:]])


def enlarge_one(rois: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Make the box in the middle as large as the map."""
    rois[len(rois) // 2, 1:] = (0, 0, size[1], size[0])
    return rois


def sort_by_place(rois: np.ndarray, _: tuple[int, int]) -> np.ndarray:
    """Sort boxes by image, row and column."""
    return rois[np.lexsort((rois[:, 1], rois[:, 2], rois[:, 0]))]


ARRANGEMENTS: dict[str, Callable[[np.ndarray, tuple[int, int]], np.ndarray]] = {
    "random": lambda rois, _: rois,
    "one cell": put_on_one_cell,
    "one image": put_on_one_image,
    "one huge": enlarge_one,
    "sorted": sort_by_place,
}
"""Arrangements of the boxes of a pooling workload, among which its slowest may be."""


def draw_boxes(
    state: np.random.Generator, number: int, sides: tuple[float, float], size: tuple[int, int]
) -> np.ndarray:
    """Draw (K, 4) boxes inside a map of (height, width), their sides log-uniform."""
    height, width = size
    low, high = np.log(sides)
    lengths = np.exp(state.uniform(low, high, (number, 2))).clip(max=[width, height])
    corners = state.uniform(0, [width, height] - lengths)
    return np.hstack([corners, corners + lengths])


def make_pyramid_inputs(
    workload: PyramidWorkload, seed: int = 0
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Draw the four levels, (N, C, H, W) each, and (K, 4) boxes of each image, in image pixels."""
    state = np.random.default_rng(seed)
    height, width = workload.image
    levels = [
        state.standard_normal(
            (workload.images, workload.channels, -(-height // stride), -(-width // stride)),
            dtype=np.float32,
        )
        for stride in STRIDES
    ]
    boxes = [
        draw_boxes(state, workload.boxes, workload.sides, workload.image).astype(np.float32)
        for _ in range(workload.images)
    ]
    return levels, boxes


def make_nms_inputs(
    workload: NmsWorkload, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw (K, 4) boxes in image pixels, K scores, no two alike, and K classes."""
    state = np.random.default_rng(seed)
    if workload.chain:
        step = np.array([5.0, 0.0, 5.0, 0.0])
        boxes = np.arange(workload.boxes)[:, None] * step + [0.0, 0.0, 10.0, 10.0]
        scores = np.ones(workload.boxes, np.float32)
        return (
            boxes.astype(np.float32),
            scores,
            np.zeros(workload.boxes, np.int64),
        )
    around = draw_boxes(state, workload.objects or workload.boxes, (16, 256), (800, 1333))
    if workload.objects:
        around = around[state.integers(0, workload.objects, workload.boxes)]
        sides = np.tile(around[:, 2:] - around[:, :2], 2)
        around = around + 0.1 * sides * state.standard_normal(around.shape).clip(-3, 3)
    scores = (state.permutation(workload.boxes) + 0.5) / workload.boxes
    classes = state.integers(0, workload.classes, workload.boxes)
    return around.astype(np.float32), scores.astype(np.float32), classes


def make_paste_inputs(workload: PasteWorkload, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw (K, 1, 28, 28) masks of probabilities, and (K, 4) boxes in image pixels."""
    state = np.random.default_rng(seed)
    masks = state.random((workload.boxes, 1, 28, 28), dtype=np.float32)
    return masks, draw_boxes(state, workload.boxes, workload.sides, workload.image).astype(
        np.float32
    )
