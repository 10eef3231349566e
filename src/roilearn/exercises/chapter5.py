"""Exercises of chapter 5 (what RoIAlign leaves out), with the mistakes they are set to catch."""

from functools import partial

import numpy as np

from roilearn.exercises.exercise import Exercise, Mistake
from roilearn.exercises.whole_means import (
    area_mean,
    channel_of_bin,
    exact_mean,
    integral,
    mean_of_ends,
    mean_of_samples,
    mean_without_half,
    mean_without_half_a_pixel,
    mean_without_scale,
    turned_offset,
)

_random = np.random.RandomState(5)
_ROW = _random.randint(0, 20, 9).astype(float)
_LONG = _random.randint(0, 20, 14).astype(float)
_BINS = ((_ROW, 1.3, 6.9, 1.0), (_LONG, 5.0, 13.4, 0.25), (_LONG, 3.0, 11.5, 0.5))
_PLACES = ((0, 0, 0, 3, 4), (2, 1, 0, 3, 4), (1, 2, 1, 3, 4), (3, 4, 2, 7, 21))
_OFFSETS = ((1.0, 0.0, 90.0), (2.0, -1.0, 30.0), (-1.5, 0.5, -70.0))

BY_HAND = Exercise(
    "5.1",
    "The exact mean of the row 0, 8, 4, 2, 0 over a bin from x = 1 to x = 3 cells, aligned.",
    5.375,
    (
        Mistake(
            "samples",
            6.0,
            "6 is what one sample says, two samples say, and the two cells under the bin. The "
            "line has a corner at each centre: add up the pieces between.",
        ),
        Mistake(
            "no -0.5",
            4.5,
            "You integrated from column 1 to column 3. Those are x coordinates: 0.5 has to come "
            "off before a row of values is read by index.",
        ),
        Mistake("not divided", 10.75, "10.75 is the integral. Divide by the length of the bin."),
        Mistake(
            "one trapezoid",
            3.5,
            "You took the mean of the two ends. That is right on a straight line; this one has "
            "corners at columns 1 and 2.",
        ),
    ),
    tolerance=1e-3,
    praise="Right: (3 + 6 + 1.75) / 2, piece by piece.",
)

EDGE_BY_HAND = Exercise(
    "5.2",
    "The slope of the mean of 5.1 to the bin's right edge, per image pixel, at stride 4.",
    -0.296875,
    (
        Mistake(
            "per cell", -1.1875, "Per cell it is right. An image pixel is a quarter of a cell here."
        ),
        Mistake(
            "sign",
            0.296875,
            "The size is right. The surface is lower at the edge than on average: which way does "
            "the mean go when more of it comes in?",
        ),
        Mistake(
            "edge alone",
            0.375,
            "You divided what stands at the edge by the length. That is the slope of the integral "
            "over the old length; the length grows too.",
        ),
        Mistake(
            "not divided by the length",
            -0.59375,
            "That is edge minus mean, per pixel. A strip at the edge of a bin two cells long "
            "counts by one half.",
        ),
        Mistake(
            "scaled the wrong way",
            -4.75,
            "From cells to pixels you multiplied by the stride. A pixel moves the edge by less "
            "than a cell.",
        ),
    ),
    tolerance=1e-3,
    praise="Right: (3 - 5.375) / 2 per cell, a quarter of that per pixel.",
)

IN_CODE = Exercise(
    "5.3",
    "Write exact_mean(values, x1, x2, spatial_scale) for one bin of a row, inside it, aligned.",
    exact_mean,
    (
        Mistake(
            "no -0.5",
            mean_without_half,
            "Your bin lies half a cell too far right: take 0.5 off, in cells, before you integrate "
            "by index.",
        ),
        Mistake(
            "forgot the scale",
            mean_without_scale,
            "You took image pixels for cells. Multiply x1 and x2 by the scale first.",
        ),
        Mistake(
            "half a pixel taken off",
            mean_without_half_a_pixel,
            "You took half an image pixel off. It is half a cell: multiply by the scale first.",
        ),
        Mistake("not divided", integral, "That is the integral. Divide by the length in cells."),
        Mistake(
            "steps",
            area_mean,
            "You weigh each cell by how much of it the bin covers. That integrates a row of "
            "steps; the interpolated row is straight from centre to centre.",
        ),
        Mistake(
            "adaptive samples",
            mean_of_samples,
            "That is adaptive RoIAlign: near, and equal where the bin is a whole number of cells "
            "long. Integrate piece by piece between the centres.",
        ),
        Mistake(
            "two samples",
            partial(mean_of_samples, samples=2),
            "That is RoIAlign with two samples. No number of them is the integral.",
        ),
        Mistake(
            "one trapezoid",
            mean_of_ends,
            "One trapezoid over the whole bin. Cut it at every cell's centre first.",
        ),
    ),
    inputs=_BINS,
    praise="Right: cut at the centres, add trapezoids, divide by the length.",
)

CORNERS = Exercise(
    "5.4",
    "The x coordinates, in cells, at which crop_and_resize reads a box from x = 3 to 11: 5 points.",
    np.array([3.0, 5.0, 7.0, 9.0, 11.0]),
    (
        Mistake(
            "bin centres",
            np.array([3.8, 5.4, 7.0, 8.6, 10.2]),
            "Those are the centres of five bins, RoIAlign with one sample. Here the first point "
            "stands on the first edge and the last on the last.",
        ),
        Mistake(
            "last edge left out",
            np.array([3.0, 4.6, 6.2, 7.8, 9.4]),
            "You divided the side by 5. Five points have four gaps.",
        ),
        Mistake(
            "edges left out",
            np.linspace(3, 11, 7)[1:-1],
            "You put the points between the edges. Both edges are read.",
        ),
        Mistake(
            "index",
            np.array([2.5, 4.5, 6.5, 8.5, 10.5]),
            "Those are the columns. The question is about x.",
        ),
    ),
    praise="Right: four gaps of two cells, both edges included.",
)

CHANNEL = Exercise(
    "5.5",
    "Write channel_of_bin(c, i, j, bins, channels): the input channel that bin (i, j) reads.",
    channel_of_bin,
    (
        Mistake(
            "bin first",
            lambda c, i, j, bins, channels: (i * bins + j) * channels + c,
            "You put the bin first and the class last. torchvision keeps the maps of one class "
            "together.",
        ),
        Mistake(
            "column before row",
            lambda c, i, j, bins, channels: (c * bins + j) * bins + i,  # noqa: ARG005
            "Rows and columns of bins are exchanged: the map of (0, 1) follows that of (0, 0).",
        ),
        Mistake(
            "class forgotten",
            lambda c, i, j, bins, channels: i * bins + j,  # noqa: ARG005
            "Right for class 0. Each class before c has bins x bins maps.",
        ),
        Mistake(
            "a class has bins maps",
            lambda c, i, j, bins, channels: (c + i) * bins + j,  # noqa: ARG005
            "You gave each class `bins` maps. It has one for every bin: bins x bins.",
        ),
        Mistake(
            "a class has channels maps",
            lambda c, i, j, bins, channels: c * channels + i * bins + j,
            "`channels` counts the classes, not the maps of one. A class has bins x bins maps.",
        ),
    ),
    inputs=_PLACES,
    praise="Right: class, then row, then column.",
)

TURN = Exercise(
    "5.6",
    "Write turned_offset(across, down, angle): an offset from the centre, turned by an angle in "
    "degrees, against the clock; return (right, down).",
    turned_offset,
    (
        Mistake(
            "clockwise",
            partial(turned_offset, sign=-1),
            "You turned with the clock: y runs downwards, which reverses the sine of the school "
            "book's formula.",
        ),
        Mistake(
            "radians",
            partial(turned_offset, radians=True),
            "The angle is in degrees. Convert before you take sine and cosine.",
        ),
        Mistake(
            "clockwise and radians",
            partial(turned_offset, sign=-1, radians=True),
            "Two things: the angle is in degrees, and it turns against the clock.",
        ),
        Mistake(
            "row first",
            lambda across, down, angle: turned_offset(across, down, angle)[::-1],
            "Right numbers in the other order: to the right first, then downwards.",
        ),
    ),
    inputs=_OFFSETS,
    praise="Right: what points to the right points upwards after a quarter turn.",
)

EXERCISES = (BY_HAND, EDGE_BY_HAND, IN_CODE, CORNERS, CHANNEL, TURN)
"""In the order of the page; 5.7 is open and has no check."""
