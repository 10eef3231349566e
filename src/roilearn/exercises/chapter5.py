"""Exercises of chapter 5 (what RoIAlign leaves out), with the mistakes they are set to catch."""

import math
from itertools import pairwise

import numpy as np

from roilearn import reference
from roilearn.exercises.exercise import Edit, Exercise, Mistake, OpenTask
from roilearn.exercises.operators.prroi_pool import PRROI_POOL

_random = np.random.RandomState(5)
_ROW = _random.randint(0, 20, 9).astype(float)
_LONG = _random.randint(0, 20, 14).astype(float)

BY_HAND = Exercise(
    "5.1",
    "A row of cells holds 0, 8, 4, 2, 0; between two centres it is interpolated linearly. What is "
    "its exact mean over a bin from x = 1 to x = 3, in cells, aligned (the centre of cell i is at "
    "x = i + 0.5)?",
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
    "By how much does the mean of 5.1 (the row 0, 8, 4, 2, 0 over x = 1 to x = 3 cells) change for "
    "each image pixel that the bin's right edge moves to the right, at stride 4? A derivative.",
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


def exact_mean(values: np.ndarray, x1: float, x2: float, spatial_scale: float) -> float:
    """Mean of the interpolated row over one bin, in image pixels, aligned: the answer to 5.3."""
    start, stop = x1 * spatial_scale - 0.5, x2 * spatial_scale - 0.5
    cuts = [start, *range(math.floor(start) + 1, math.ceil(stop)), stop]
    area = 0.0
    for a, b in pairwise(cuts):
        area += (b - a) * (reference.linear(values, a) + reference.linear(values, b)) / 2
    return area / (stop - start)


_ENDS = "x1 * spatial_scale - 0.5, x2 * spatial_scale - 0.5"
_INNER = "*range(math.floor(start) + 1, math.ceil(stop)), "


def _steps(values: np.ndarray, x1: float, x2: float, spatial_scale: float) -> float:
    cells = np.arange(len(values))
    ends = x1 * spatial_scale, x2 * spatial_scale
    covered = np.clip(np.minimum(cells + 1, ends[1]) - np.maximum(cells, ends[0]), 0, None)
    return float(covered @ values / covered.sum())


def _mean_of_samples(samples: int):  # noqa: ANN202 - a function like the answer
    def mean(values: np.ndarray, x1: float, x2: float, spatial_scale: float) -> float:
        start, length = x1 * spatial_scale - 0.5, (x2 - x1) * spatial_scale
        (places,) = reference.sample_positions(start, length, 1, samples)
        return float(np.mean([reference.linear(values, place) for place in places]))

    return mean


IN_CODE = Exercise(
    "5.3",
    "Write exact_mean(values, x1, x2, spatial_scale): the exact mean of a row over one bin, "
    "aligned. "
    "The bin reaches from x1 to x2 in image pixels, x1 < x2, and lies between the first and the "
    "last "
    "cell's centre; between two centres the row is interpolated linearly. "
    "reference.linear(values, position) reads it at an index position (a cell's centre, x = i + "
    "0.5 "
    "cells, has position i). Return one number.",
    exact_mean,
    (
        Mistake(
            "no -0.5",
            Edit(_ENDS, "x1 * spatial_scale, x2 * spatial_scale"),
            "Your bin lies half a cell too far right: take 0.5 off, in cells, before you integrate "
            "by index.",
        ),
        Mistake(
            "forgot the scale",
            Edit(_ENDS, "x1 - 0.5, x2 - 0.5"),
            "You took image pixels for cells. Multiply x1 and x2 by the scale first.",
        ),
        Mistake(
            "half a pixel taken off",
            Edit(_ENDS, "(x1 - 0.5) * spatial_scale, (x2 - 0.5) * spatial_scale"),
            "You took half an image pixel off. It is half a cell: multiply by the scale first.",
        ),
        Mistake(
            "not divided",
            Edit("area / (stop - start)", "area"),
            "That is the integral. Divide by the length in cells.",
        ),
        Mistake(
            "divided by pixels",
            Edit("area / (stop - start)", "area / (x2 - x1)"),
            "You divided by the length in pixels. The pieces are in cells, so the length is too.",
        ),
        Mistake(
            "steps",
            _steps,
            "You weigh each cell by how much of it the bin covers. That integrates a row of "
            "steps; the interpolated row is straight from centre to centre.",
        ),
        Mistake(
            "adaptive samples",
            _mean_of_samples(-1),
            "That is adaptive RoIAlign: near, and equal where the bin is a whole number of cells "
            "long. Integrate piece by piece between the centres.",
        ),
        Mistake(
            "samples",
            _mean_of_samples(2),
            "That is RoIAlign with a fixed number of samples. No number of them is the integral.",
            also=tuple(_mean_of_samples(n) for n in (1, 4, 10, 100)),
        ),
        Mistake(
            "one trapezoid",
            Edit(_INNER, ""),
            "One trapezoid over the whole bin. Cut it at every cell's centre first.",
        ),
        Mistake(
            "whole segments",
            Edit(
                "[start, *range(math.floor(start) + 1, math.ceil(stop)), stop]",
                "[*range(math.floor(start), math.ceil(stop) + 1)]",
                "area / (stop - start)",
                "area / (math.ceil(stop) - math.floor(start))",
            ),
            "You integrate from centre to centre, and the bin begins and ends between them: its "
            "first and last pieces are shorter.",
        ),
    ),
    groups={
        "over several centres": [(_ROW, 1.3, 6.9, 1.0), (_ROW, 2.2, 4.1, 1.0)],
        "scale 1/4": [(_LONG, 5.0, 13.4, 1 / 4), (_LONG, 3.0, 11.5, 1 / 2)],
        "between two centres": [(_ROW, 2.7, 3.2, 1.0), (_LONG, 11.0, 13.0, 1 / 4)],
        "edges on centres": [(_ROW, 1.5, 4.5, 1.0), (_LONG, 0.5, 13.5, 1.0), (_ROW, 3.5, 4.5, 1.0)],
        "one edge on a centre": [(_ROW, 1.5, 3.2, 1.0), (_ROW, 2.2, 5.5, 1.0)],
    },
    praise="Right: cut at the centres, add trapezoids, divide by the length.",
)

CORNERS = Exercise(
    "5.4",
    "crop_and_resize reads a box from x = 3 to x = 11, in cells, at five points along the axis. At "
    "which x? Five numbers, from left to right.",
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


def channel_of_bin(c: int, i: int, j: int, bins: int, channels: int) -> int:  # noqa: ARG001
    """Input channel that bin (i, j) of class ``c`` reads: the answer to 5.5."""
    return (c * bins + i) * bins + j


CHANNEL = Exercise(
    "5.5",
    "Write channel_of_bin(c, i, j, bins, channels): the number of the input channel that bin (row "
    "i, "
    "column j) of class c reads in position-sensitive pooling. There are bins x bins bins and "
    "`channels` classes, all counted from 0; the channels of one class stand together, in reading "
    "order of its bins (torchvision's layout).",
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
    groups={
        "class 0": [(0, 0, 0, 3, 4), (0, 1, 2, 3, 4), (0, 2, 0, 5, 2)],
        "the first bin": [(2, 0, 0, 3, 4), (3, 0, 0, 7, 21)],
        "other bins": [(2, 1, 0, 3, 4), (1, 2, 1, 3, 4), (3, 4, 2, 7, 21), (1, 0, 3, 4, 3)],
        "one bin": [(3, 0, 0, 1, 5)],
    },
    praise="Right: class, then row, then column.",
)


def turned_offset(across: float, down: float, angle: float) -> tuple[float, float]:
    """Turn an offset from the centre of a box, counter-clockwise: the answer to 5.6."""
    turn = math.radians(angle)
    right = across * math.cos(turn) + down * math.sin(turn)
    return right, down * math.cos(turn) - across * math.sin(turn)


TURN = Exercise(
    "5.6",
    "Write turned_offset(across, down, angle): a sample lies `across` to the right of a box's "
    "centre "
    "and `down` below it; the box is turned by `angle` degrees, against the clock as seen on the "
    "screen. Return where the sample lies afterwards, as (right, down) from the centre; y runs "
    "downwards.",
    turned_offset,
    (
        Mistake(
            "clockwise",
            lambda across, down, angle: turned_offset(across, down, -angle),
            "You turned with the clock: y runs downwards, which reverses the sine of the school "
            "book's formula.",
        ),
        Mistake(
            "radians",
            lambda across, down, angle: turned_offset(across, down, math.degrees(angle)),
            "The angle is in degrees. Convert before you take sine and cosine.",
        ),
        Mistake(
            "clockwise and radians",
            lambda across, down, angle: turned_offset(across, down, -math.degrees(angle)),
            "Two things: the angle is in degrees, and it turns against the clock.",
        ),
        Mistake(
            "row first",
            lambda across, down, angle: turned_offset(across, down, angle)[::-1],
            "Right numbers in the other order: to the right first, then downwards.",
        ),
    ),
    groups={
        "a quarter turn": [(1.0, 0.0, 90.0), (0.0, 2.0, 90.0)],
        "any angle": [(2.0, -1.0, 30.0), (-1.5, 0.5, 125.0)],
        "with the clock": [(-1.5, 0.5, -70.0)],
        "no turn": [(1.5, -2.5, 0.0)],
        "more than a whole turn": [(0.5, 2.0, 400.0)],
    },
    praise="Right: what points to the right points upwards after a quarter turn.",
)


EXERCISES = (BY_HAND, EDGE_BY_HAND, IN_CODE, CORNERS, CHANNEL, TURN, PRROI_POOL)
"""In the order of the page."""

OPEN_TASKS = (
    OpenTask(
        "5.7",
        "A box of 600 x 60 pixels lies on a single map of stride 16; 7 x 7 bins. Which sampling "
        "ratio "
        "would you ask for, and what would it cost? What changes if the box is learned, and what "
        "if "
        "the object lies at 45 degrees?",
    ),
)
