"""Exercise: precise RoI pooling of one box in two dimensions."""

import numpy as np

from roilearn import reference
from roilearn.exercises.exercise import Edit, Exercise, Mistake

_MAP = np.random.RandomState(5).randint(0, 20, (2, 6, 8)).astype(float)


def prroi_pool(
    features: np.ndarray, box: np.ndarray, output_size: tuple[int, int], spatial_scale: float
) -> np.ndarray:
    """Exact mean of each bin of one box in two dimensions: the answer to 5.8."""
    left, top, right, bottom = box * spatial_scale - 0.5
    bin_height, bin_width = (bottom - top) / output_size[0], (right - left) / output_size[1]
    output = np.zeros((len(features), *output_size))
    for i, j in np.ndindex(*output_size):
        y1, x1 = top + i * bin_height, left + j * bin_width
        down = reference.bin_weights(y1, y1 + bin_height, features.shape[1])
        across = reference.bin_weights(x1, x1 + bin_width, features.shape[2])
        output[:, i, j] = features @ across @ down
    return output


def _sampled(samples: int):  # noqa: ANN202 - a function like the answer
    def pool(
        features: np.ndarray, box: np.ndarray, output_size: tuple[int, int], spatial_scale: float
    ) -> np.ndarray:
        rois = np.array([[0, *box]])
        return reference.roi_align(features[None], rois, output_size, spatial_scale, samples, True)[
            0
        ]

    return pool


PRROI_POOL = Exercise(
    "5.8",
    "Write prroi_pool(features, box, output_size, spatial_scale): the exact mean of the bilinear "
    "surface over each bin of one box, aligned. features is a map (C, height, width), box an array "
    "x1, y1, x2, y2 in image pixels, output_size (rows, columns) of bins; the box has an area and "
    "lies "
    "between the outermost cells' centres. reference.bin_weights(start, stop, cells) gives the "
    "weights of the cells of one axis in the mean from start to stop, index coordinates; the "
    "weight "
    "of a cell of the map is the product of its row's and its column's. Return (C, rows, columns).",
    prroi_pool,
    (
        Mistake(
            "no -0.5",
            Edit("box * spatial_scale - 0.5", "box * spatial_scale"),
            "Your box lies half a cell too far right and down: take 0.5 off after scaling.",
        ),
        Mistake(
            "half a pixel taken off",
            Edit("box * spatial_scale - 0.5", "(box - 0.5) * spatial_scale"),
            "You took half an image pixel off. It is half a cell: scale first.",
        ),
        Mistake(
            "x and y exchanged",
            Edit("left, top, right, bottom =", "top, left, bottom, right ="),
            "You took x for rows. A box is x1, y1, x2, y2, and a map is indexed row first.",
        ),
        Mistake(
            "integral",
            Edit("features @ across @ down", "features @ across @ down * bin_height * bin_width"),
            "That is the integral over the bin. The mean divides it by the bin's area.",
        ),
        Mistake(
            "the whole box in each bin",
            Edit(
                "y1 + bin_height, features",
                "bottom, features",
                "x1 + bin_width, features",
                "right, features",
            ),
            "Your bins all reach to the end of the box. A bin is (x2 - x1) / columns wide.",
        ),
        Mistake(
            "samples",
            _sampled(2),
            "That is RoIAlign with a fixed number of samples. The exact mean has none.",
            also=tuple(_sampled(n) for n in (1, 4, 10)),
        ),
        Mistake(
            "adaptive samples",
            _sampled(-1),
            "That is adaptive RoIAlign. The exact mean has no samples.",
        ),
    ),
    groups={
        "scale 1": [(_MAP, np.array([1.2, 0.9, 6.8, 4.6]), (2, 3), 1.0)],
        "scale 1/4": [(_MAP, np.array([5.0, 3.0, 27.0, 18.0]), (3, 2), 1 / 4)],
        "bins under one cell": [(_MAP, np.array([13.0, 9.0, 15.0, 12.0]), (2, 2), 1 / 4)],
        "edges on centres": [(_MAP, np.array([0.5, 0.5, 7.5, 5.5]), (5, 7), 1.0)],
        "one bin": [(_MAP, np.array([1.7, 1.1, 5.2, 4.9]), (1, 1), 1.0)],
        "one channel": [(_MAP[:1], np.array([0.8, 1.0, 7.0, 5.3]), (2, 2), 1.0)],
    },
    praise="Right: one list of weights along each axis, and their products.",
)
