"""Exercise: resize a map by the half-pixel rule."""

import numpy as np

from roilearn import reference
from roilearn.exercises.exercise import Edit, Exercise, Mistake

_OBLONG = np.array(
    [[3.0, 7.0, 1.0, 9.0, 4.0], [8.0, 2.0, 6.0, 0.0, 5.0], [1.0, 9.0, 4.0, 7.0, 2.0]]
)
_SQUARE = np.array([[5.0, 1.0, 8.0], [2.0, 9.0, 3.0], [7.0, 4.0, 6.0]])


def resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize an image by the half-pixel rule: the answer to 1.8."""
    rows = (np.arange(height) + 0.5) * image.shape[0] / height - 0.5
    columns = (np.arange(width) + 0.5) * image.shape[1] / width - 0.5
    output = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            output[i, j] = reference.bilinear(image, rows[i], columns[j])
    return output


RESIZE = Exercise(
    "1.8",
    "Write resize(image, height, width): a map resized to (height, width) by bilinear "
    "interpolation under the half-pixel rule. The centre of an output pixel, i + 0.5, divided by "
    "the enlargement, is where it reads, in continuous coordinates. Positions outside are clamped; "
    "nothing is averaged when the map is made smaller. reference.bilinear(image, row, column) "
    "reads at an index position.",
    resize,
    (
        Mistake(
            "corner",
            Edit(
                "(np.arange(height) + 0.5) * image.shape[0] / height - 0.5",
                "np.arange(height) * image.shape[0] / height",
                "(np.arange(width) + 0.5) * image.shape[1] / width - 0.5",
                "np.arange(width) * image.shape[1] / width",
            ),
            "That is the corner rule: it moves the picture up and to the left. Add half a pixel "
            "before you scale, and take half a pixel off afterwards.",
        ),
        Mistake(
            "align corners",
            lambda image, height, width: reference.resize(image, (height, width), "align_corners"),
            "That is the align-corners rule, which puts the outermost centres of both pictures on "
            "each other. Here the outermost edges coincide.",
        ),
        Mistake(
            "nearest neighbour",
            lambda image, height, width: reference.resize(
                image, (height, width), "corner_truncated"
            ),
            "Your positions are whole numbers: that is nearest-neighbour resizing.",
        ),
        Mistake(
            "half a pixel not taken off",
            Edit(" / height - 0.5", " / height", " / width - 0.5", " / width"),
            "You read at continuous coordinates as if they were index coordinates: 0.5 has to come "
            "off after scaling.",
        ),
        Mistake(
            "scale upside down",
            Edit(
                "image.shape[0] / height",
                "height / image.shape[0]",
                "image.shape[1] / width",
                "width / image.shape[1]",
            ),
            "You scaled the wrong way: an output pixel is in_size / out_size input pixels wide.",
        ),
        Mistake(
            "one scale for both axes",
            Edit("image.shape[1] / width", "image.shape[0] / height"),
            "You use the scale of the rows for the columns. Each axis has its own.",
        ),
        Mistake(
            "sides exchanged",
            lambda image, height, width: reference.resize(image, (width, height)),
            "You exchanged height and width. The output has `height` rows.",
        ),
    ),
    groups={
        "enlarged": [(_SQUARE, 6, 6), (_OBLONG, 7, 8)],
        "made smaller": [(_OBLONG, 2, 3), (_OBLONG, 1, 1)],
        "a side of its own": [(_OBLONG, 6, 5), (_OBLONG, 3, 9), (_SQUARE, 2, 5)],
        "same size": [(_OBLONG, 3, 5)],
        "a single row": [(_OBLONG[:1], 2, 7)],
    },
    praise="Right: edges stay on edges, and nothing moves.",
)
