"""Exercise: read all channels of a map at several points."""

import numpy as np

from roilearn import reference
from roilearn.exercises.exercise import Edit, Exercise, Mistake

_OBLONG = np.array(
    [[3.0, 7.0, 1.0, 9.0, 4.0], [8.0, 2.0, 6.0, 0.0, 5.0], [1.0, 9.0, 4.0, 7.0, 2.0]]
)
_CHANNELS = np.stack([_OBLONG, 10 - _OBLONG[::-1]])


def bilinear_points(features: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Read all channels of a map at several points: the answer to 1.7."""
    height, width = features.shape[1:]
    rows, columns = np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    bottom, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    down, across = rows - top, columns - left
    upper = (1 - across) * features[:, top, left] + across * features[:, top, right]
    lower = (1 - across) * features[:, bottom, left] + across * features[:, bottom, right]
    return (1 - down) * upper + down * lower


_INSIDE = (np.array([1.25, 0.5, 1.75]), np.array([2.6, 0.25, 3.5]))
_OUTSIDE = (np.array([-0.5, 4.0, 1.25, 0.75]), np.array([1.5, 2.25, -3.0, 6.5]))
_GRID = (np.array([0.25, 0.25, 1.5, 1.5, 2.0]), np.array([0.0, 3.75, 0.0, 3.75, 4.0]))

MANY_POINTS = Exercise(
    "1.7",
    "Write bilinear_points(features, rows, columns): all channels of a map (C, height, width) read "
    "at P points. Point p is at index position (rows[p], columns[p]), moved onto the border where "
    "it is outside. Return (C, P).",
    bilinear_points,
    (
        Mistake(
            "every row with every column",
            lambda features, rows, columns: np.stack(
                [[reference.bilinear(features, r, c) for c in columns] for r in rows]
            ).transpose(2, 0, 1),
            "You read every row with every column, P x P points. Point p has row p and column p.",
        ),
        Mistake(
            "row and column swapped",
            lambda features, rows, columns: np.stack(
                [reference.bilinear(features, c, r) for r, c in zip(rows, columns, strict=True)], 1
            ),
            "You read at (column, row). The height belongs to rows, the width to columns.",
        ),
        Mistake(
            "nearest neighbour",
            Edit(
                "rows - top, columns - left",
                "rows - top > 0.5, columns - left > 0.5",
                "(1 - across) * features[:, top,",
                "~across * features[:, top,",
                "(1 - across) * features[:, bottom,",
                "~across * features[:, bottom,",
                "(1 - down)",
                "~down",
            ),
            "You return the nearest cell's values. Between cells the answer is a mean of four.",
        ),
        Mistake(
            "first channel",
            lambda features, rows, columns: np.tile(
                [reference.bilinear(features[0], r, c) for r, c in zip(rows, columns, strict=True)],
                (len(features), 1),
            ),
            "All your channels are the first one. The weights are shared, the values are not.",
        ),
        Mistake(
            "position not clamped",
            Edit(
                "    rows, columns = np.clip(rows, 0, height - 1), np.clip(columns, 0, width - "
                "1)\n",
                "",
                "np.floor(rows).astype(int)",
                "np.clip(np.floor(rows).astype(int), 0, max(height - 2, 0))",
                "np.floor(columns).astype(int)",
                "np.clip(np.floor(columns).astype(int), 0, max(width - 2, 0))",
            ),
            "Inside you are right. Beyond the border you clamp the neighbours and not the "
            "position, "
            "so that a weight becomes negative.",
        ),
        Mistake(
            "wraps around",
            Edit(
                "    rows, columns = np.clip(rows, 0, height - 1), np.clip(columns, 0, width - "
                "1)\n",
                "",
                "np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)",
                "top + 1, left + 1",
                "features[:, top, left]",
                "features[:, top % height, left % width]",
                "features[:, top, right]",
                "features[:, top % height, right % width]",
                "features[:, bottom, left]",
                "features[:, bottom % height, left % width]",
                "features[:, bottom, right]",
                "features[:, bottom % height, right % width]",
            ),
            "Inside you are right. Beyond the border you read the opposite side: index -1 is the "
            "last row in Python. Clamp the position first.",
        ),
    ),
    groups={
        "inside": [(_CHANNELS, *_INSIDE)],
        "on the last row or column": [(_CHANNELS, *_GRID)],
        "beyond the border": [(_CHANNELS, *_OUTSIDE)],
        "one channel": [(_CHANNELS[:1], *_INSIDE), (_CHANNELS[:1], *_OUTSIDE)],
        "a map of one cell": [(_CHANNELS[:, :1, :1], np.array([0.0, 0.5]), np.array([-0.5, 0.25]))],
    },
    praise="Right: one set of weights for a point, shared by all channels.",
)
