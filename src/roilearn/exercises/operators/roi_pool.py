"""Exercise: RoIPool of one box in two dimensions."""

import math

import numpy as np

from roilearn import reference
from roilearn.exercises.exercise import Edit, Exercise, Mistake


def roi_pool(
    features: np.ndarray, box: np.ndarray, output_size: tuple[int, int], spatial_scale: float
) -> np.ndarray:
    """Maximum of each bin of one box in two dimensions: the answer to 3.6."""
    left, top, right, bottom = reference.quantize(box * spatial_scale).astype(int)
    bin_height = max(bottom - top + 1, 1) / output_size[0]
    bin_width = max(right - left + 1, 1) / output_size[1]
    output = np.zeros((len(features), *output_size))
    for i in range(output_size[0]):
        for j in range(output_size[1]):
            y1 = max(top + math.floor(i * bin_height), 0)
            y2 = max(top + math.ceil((i + 1) * bin_height), 0)
            x1 = max(left + math.floor(j * bin_width), 0)
            x2 = max(left + math.ceil((j + 1) * bin_width), 0)
            cells = features[:, y1:y2, x1:x2]
            if cells.size > 0:
                output[:, i, j] = cells.max(axis=(1, 2))
    return output


_FEATURES = np.random.RandomState(3).permutation(2 * 7 * 9).reshape(2, 7, 9) / 2 - 70
"""Distinct and negative, so that an output of 0 is no maximum of cells."""

ROI_POOL = Exercise(
    "3.6",
    "Write roi_pool(features, box, output_size, spatial_scale): RoIPool of one box. features is a "
    "map (C, height, width), box is x1, y1, x2, y2 in image pixels, output_size (rows, columns) of "
    "bins. Round the scaled corners, halves away from zero (reference.quantize does so); the last "
    "cells are included, and a box has at least one cell along each axis. A bin reads every cell "
    "that it touches, cut at the map's border; a bin without cells gives 0. Return the maxima, "
    "(C, rows, columns).",
    roi_pool,
    (
        Mistake(
            "end left out",
            Edit("bottom - top + 1", "bottom - top", "right - left + 1", "right - left"),
            "Your boxes lack their last row and column: x2 and y2 name cells that are read.",
        ),
        Mistake(
            "floor",
            Edit("reference.quantize(box * spatial_scale)", "np.floor(box * spatial_scale)"),
            "You rounded the corners down. RoIPool rounds them to the nearest cell.",
        ),
        Mistake(
            "half to even",
            Edit("reference.quantize(box * spatial_scale)", "np.round(box * spatial_scale)"),
            "Right but for the halves: np.round takes 2.5 to 2, RoIPool to 3.",
        ),
        Mistake(
            "partition",
            Edit(
                "math.ceil((i + 1) * bin_height)",
                "math.floor((i + 1) * bin_height)",
                "math.ceil((j + 1) * bin_width)",
                "math.floor((j + 1) * bin_width)",
            ),
            "Your bins share no cells. A bin is rounded outwards: floor at the start, ceil at the "
            "stop.",
        ),
        Mistake(
            "average",
            Edit("cells.max(axis=(1, 2))", "cells.mean(axis=(1, 2))"),
            "You averaged the cells. RoIPool keeps the largest of each channel.",
        ),
        Mistake(
            "one maximum for all channels",
            Edit("cells.max(axis=(1, 2))", "cells.max()"),
            "You took one maximum over all channels. Each channel has its own.",
        ),
        Mistake(
            "x and y exchanged",
            Edit("left, top, right, bottom =", "top, left, bottom, right ="),
            "You took x for rows. A box is x1, y1, x2, y2, and a map is indexed row first.",
        ),
        Mistake(
            "negative index",
            Edit(
                "max(top + math.floor(i * bin_height), 0)",
                "top + math.floor(i * bin_height)",
                "max(left + math.floor(j * bin_width), 0)",
                "left + math.floor(j * bin_width)",
            ),
            "Right inside the map. Left of it or above it a start is negative, and a negative "
            "index "
            "counts from the end in Python: cut it at 0.",
            also=(
                Edit(
                    "max(top + math.floor(i * bin_height), 0)",
                    "top + math.floor(i * bin_height)",
                    "max(left + math.floor(j * bin_width), 0)",
                    "left + math.floor(j * bin_width)",
                    "max(top + math.ceil((i + 1) * bin_height), 0)",
                    "top + math.ceil((i + 1) * bin_height)",
                    "max(left + math.ceil((j + 1) * bin_width), 0)",
                    "left + math.ceil((j + 1) * bin_width)",
                ),
            ),
        ),
        Mistake(
            "starts at 0",
            Edit("cells.max(axis=(1, 2))", "np.maximum(cells.max(axis=(1, 2)), 0)"),
            "Your maxima start at 0, so a bin of negative cells gives 0. Start with its first "
            "cell.",
        ),
    ),
    groups={
        "inside": [
            (_FEATURES, np.array([1.2, 0.8, 6.3, 4.9]), (2, 3), 1.0),
            (_FEATURES, np.array([1.0, 1.0, 7.0, 5.0]), (2, 2), 1.0),
        ],
        "scale 1/4": [(_FEATURES, np.array([5.0, 3.0, 29.0, 17.0]), (3, 2), 1 / 4)],
        "corners on a half": [(_FEATURES, np.array([2.5, 0.5, 6.5, 4.5]), (2, 2), 1.0)],
        "more bins than cells": [(_FEATURES, np.array([3.0, 2.0, 4.0, 4.0]), (4, 5), 1.0)],
        "a box under one cell": [(_FEATURES, np.array([9.0, 13.0, 10.0, 14.0]), (2, 3), 1 / 4)],
        "inverted": [
            (_FEATURES, np.array([6.0, 4.0, 3.0, 2.0]), (2, 3), 1.0),
            (_FEATURES, np.array([4.0, 3.0, 3.0, 2.0]), (2, 3), 1.0),
        ],
        "over the border": [
            (_FEATURES, np.array([-2.0, -3.0, 4.0, 3.0]), (3, 4), 1.0),
            (_FEATURES, np.array([5.0, 3.0, 12.0, 9.0]), (3, 4), 1.0),
        ],
        "outside": [
            (_FEATURES, np.array([-8.0, -6.0, -3.0, -2.0]), (2, 2), 1.0),
            (_FEATURES, np.array([-8.0, 1.0, -3.0, 4.0]), (2, 2), 1.0),
            (_FEATURES, np.array([11.0, 2.0, 15.0, 4.0]), (2, 2), 1.0),
            (_FEATURES, np.array([2.0, -9.0, 5.0, -4.0]), (2, 2), 1.0),
        ],
        "one channel": [
            (_FEATURES[:1], np.array([0.0, 1.0, 5.0, 5.0]), (1, 4), 1.0),
            (_FEATURES[:1], np.array([4.2, 3.1, 4.4, 3.3]), (1, 1), 1.0),
        ],
    },
    praise="Right: two roundings, and the largest cell of each bin and channel.",
)
