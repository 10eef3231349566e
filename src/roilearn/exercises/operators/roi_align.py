"""Exercise: RoIAlign of one box in two dimensions."""

import math

import numpy as np

from roilearn import reference
from roilearn.exercises.exercise import Edit, Exercise, Mistake

_MAP = np.random.RandomState(4).randint(0, 20, (2, 6, 8)).astype(float)


def roi_align(
    features: np.ndarray,
    box: np.ndarray,
    output_size: tuple[int, int],
    spatial_scale: float,
    sampling_ratio: int,
) -> np.ndarray:
    """Average the samples of each bin of one box in two dimensions: the answer to 4.7."""
    height, width = features.shape[1:]
    left, top, right, bottom = box * spatial_scale - 0.5
    bin_height, bin_width = (bottom - top) / output_size[0], (right - left) / output_size[1]
    down = sampling_ratio if sampling_ratio > 0 else math.ceil(bin_height)
    across = sampling_ratio if sampling_ratio > 0 else math.ceil(bin_width)
    output = np.zeros((len(features), *output_size))
    for i, j, a, b in np.ndindex(*output_size, down, across):
        row = top + (i + (a + 0.5) / down) * bin_height
        column = left + (j + (b + 0.5) / across) * bin_width
        if -1 <= row <= height and -1 <= column <= width:
            output[:, i, j] += reference.bilinear(features, row, column)
    return output / (down * across)


_IN_BAND = "if -1 <= row <= height and -1 <= column <= width:"
_SIZES = "(bottom - top) / output_size[0], (right - left) / output_size[1]"

ROI_ALIGN = Exercise(
    "4.7",
    "Write roi_align(features, box, output_size, spatial_scale, sampling_ratio): RoIAlign of one "
    "box, "
    "aligned. features is a map (C, height, width), box an array x1, y1, x2, y2 in image pixels "
    "with "
    "x1 < x2 and y1 < y2, output_size (rows, columns) of bins. Along each axis a bin takes "
    "sampling_ratio samples; if that is 0 or less, ceil(bin size in cells), for each axis on its "
    "own. "
    "They stand at the centres of equal parts of the bin. reference.bilinear(features, row, "
    "column) "
    "reads all channels; a sample counts as 0, and is still divided by, where row < -1, row > "
    "height, column < -1 or column > width. Return (C, rows, columns).",
    roi_align,
    (
        Mistake(
            "no -0.5",
            Edit("box * spatial_scale - 0.5", "box * spatial_scale"),
            "Every sample is half a cell too far right and down. Take half a cell off after "
            "scaling.",
        ),
        Mistake(
            "half before the scale",
            Edit("box * spatial_scale - 0.5", "(box - 0.5) * spatial_scale"),
            "You took half an image pixel off. It is half a cell: scale first.",
        ),
        Mistake(
            "rounded corners",
            Edit("box * spatial_scale - 0.5", "reference.quantize(box * spatial_scale) - 0.5"),
            "You rounded the box to whole cells. RoIAlign leaves it where it is.",
        ),
        Mistake(
            "x and y exchanged",
            Edit("left, top, right, bottom =", "top, left, bottom, right ="),
            "You took x for rows. A box is x1, y1, x2, y2, and a map is indexed row first.",
        ),
        Mistake(
            "one axis for both",
            Edit("math.ceil(bin_width)", "math.ceil(bin_height)"),
            "Your adaptive samples are as many across as down. Each axis has its own ceil(bin "
            "size).",
            also=(
                Edit("math.ceil(bin_height)", "math.ceil(bin_width)"),
                Edit(
                    "math.ceil(bin_width)",
                    "math.ceil(max(bin_height, bin_width))",
                    "math.ceil(bin_height)",
                    "math.ceil(max(bin_height, bin_width))",
                ),
            ),
        ),
        Mistake(
            "rounded down",
            Edit(
                "math.ceil(bin_width)",
                "max(math.floor(bin_width), 1)",
                "math.ceil(bin_height)",
                "max(math.floor(bin_height), 1)",
            ),
            "Your adaptive samples are too few: a bin takes ceil(size) along an axis.",
        ),
        Mistake(
            "edge to edge",
            Edit(
                "(a + 0.5) / down",
                "a / max(down - 1, 1)",
                "(b + 0.5) / across",
                "b / max(across - 1, 1)",
            ),
            "Your samples run from edge to edge of the bin. Put each at the centre of its part.",
        ),
        Mistake(
            "thirds",
            Edit(
                "(a + 0.5) / down",
                "(a + 1) / (down + 1)",
                "(b + 0.5) / across",
                "(b + 1) / (across + 1)",
            ),
            "Your samples stand at 1/(n + 1), 2/(n + 1) ... Put each at the centre of its part.",
        ),
        Mistake(
            "no band",
            Edit(_IN_BAND, "if True:"),
            "Right inside the map. More than one cell outside the border cells' centres a sample "
            "counts as 0; yours reads the border.",
        ),
        Mistake(
            "band left out",
            Edit(_IN_BAND, "if 0 <= row <= height - 1 and 0 <= column <= width - 1:"),
            "Right inside. Samples up to one cell beyond the outermost centres still read the "
            "border's value; yours are 0.",
        ),
        Mistake(
            "at least one cell",
            Edit(
                _SIZES,
                "max(bottom - top, 1) / output_size[0], max(right - left, 1) / output_size[1]",
            ),
            "Right but for boxes under one cell, which you make one cell long: the rule of "
            "aligned=False.",
        ),
        Mistake(
            "not divided",
            Edit("output / (down * across)", "output"),
            "You add the samples of a bin. Divide by their number.",
        ),
    ),
    groups={
        "inside": [
            (_MAP, np.array([1.3, 0.9, 6.1, 4.7]), (2, 3), 1.0, 2),
            (_MAP, np.array([2.2, 1.1, 5.9, 4.8]), (3, 2), 1.0, 1),
        ],
        "scale 1/4": [(_MAP, np.array([5.0, 3.0, 27.0, 18.0]), (2, 2), 1 / 4, 2)],
        "adaptive": [
            (_MAP, np.array([0.8, 1.6, 7.4, 4.3]), (2, 2), 1.0, -1),
            (_MAP, np.array([1.2, 0.7, 3.9, 5.4]), (2, 3), 1.0, 0),
        ],
        "a box under one cell": [
            (_MAP, np.array([13.0, 9.0, 15.0, 12.0]), (2, 2), 1 / 4, 2),
            (_MAP, np.array([13.0, 9.0, 15.0, 12.0]), (1, 1), 1 / 4, -1),
        ],
        "within one cell of the border": [
            (_MAP, np.array([-0.4, -0.3, 0.4, 0.3]), (1, 1), 1.0, 1),
            (_MAP, np.array([7.6, 5.7, 8.4, 6.3]), (1, 1), 1.0, 1),
        ],
        "over the border": [
            (_MAP, np.array([-5.0, -4.0, 4.0, 3.0]), (3, 3), 1.0, 2),
            (_MAP, np.array([4.0, 3.0, 13.0, 10.0]), (3, 3), 1.0, 2),
        ],
        "on the end of the band": [
            (_MAP[:, :3, :3], np.array([-1.0, 1.0, 0.0, 2.5]), (1, 1), 1.0, 1),
            (_MAP[:, :3, :3], np.array([3.0, 1.0, 4.0, 2.5]), (1, 1), 1.0, 1),
            (_MAP[:, :3, :3], np.array([1.0, -1.0, 2.5, 0.0]), (1, 1), 1.0, 1),
            (_MAP[:, :3, :3], np.array([1.0, 3.0, 2.5, 4.0]), (1, 1), 1.0, 1),
        ],
        "one channel": [(_MAP[:1], np.array([0.5, 1.5, 7.5, 4.5]), (1, 2), 1.0, 3)],
    },
    praise="Right: nothing rounded, half a cell off, equal parts, all samples in the mean.",
)
