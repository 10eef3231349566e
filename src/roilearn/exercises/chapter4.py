"""Exercises of chapter 4 (RoIAlign), with the mistakes they are set to catch."""

from functools import partial

import numpy as np

from roilearn.exercises.exercise import Exercise, Mistake
from roilearn.exercises.reading_a_row import (
    clamped,
    edge_gradient,
    largest,
    left_edge_gradient,
    mean_inside,
    roi_align_1d,
    wrong_places,
    wrong_sum,
)

_random = np.random.RandomState(4)
_ROW = _random.randint(0, 20, 9).astype(float)
_LONG = _random.randint(0, 20, 14).astype(float)
_BOXES = (
    (_ROW, 1.3, 6.9, 1.0, 2, 2),
    (_LONG, 37.0, 171.0, 1 / 16, 3, 3),
    (_ROW, -9.0, 21.0, 0.25, 2, 4),
    (_ROW, 13.0, 47.0, 0.25, 3, 2),
)
_EDGES = ((_ROW, 1.3, 6.5, 1.0, 2), (_LONG, 37.0, 170.0, 1 / 16, 3), (_LONG, 9.0, 41.0, 0.25, 4))

BY_HAND = Exercise(
    "4.1",
    "The row 0, 1, 4, 9, 16, 25, 36, 49, a box from x = 2 to x = 6 cells, one bin, two samples.",
    13.5,
    (
        Mistake(
            "no -0.5",
            17.0,
            "You read columns 3 and 5. Those are x coordinates: 0.5 has to come off before a "
            "row of values is read by index.",
        ),
        Mistake(
            "thirds",
            12 + 5 / 6,
            "You put the samples at 1/3 and 2/3 of the bin. Two samples stand at the centres of "
            "two halves: 1/4 and 3/4.",
        ),
        Mistake("max", 20.5, "20.5 is the larger of the two readings. RoIAlign averages them."),
        Mistake(
            "one sample", 12.5, "12.5 is one reading at the bin's middle. Two samples were asked."
        ),
        Mistake(
            "edges",
            16.5,
            "You read at the two edges of the box. Samples stand inside the bin, at 1/4 and 3/4.",
        ),
    ),
    tolerance=1e-3,
    praise="Right: columns 2.5 and 4.5 hold 6.5 and 20.5.",
)

HALF_IN_PIXELS = Exercise(
    "4.2",
    "Image pixels, to the right positive, by which aligned=False misses at stride 16.",
    8.0,
    (
        Mistake("cells", 0.5, "0.5 is in cells. One cell is 16 image pixels here."),
        Mistake(
            "scaled twice",
            0.5 / 16,
            "You multiplied by spatial_scale. From cells to pixels, divide by it.",
        ),
        Mistake("whole cell", 16.0, "A whole cell. The coordinate is off by half of one."),
        Mistake(
            "direction",
            -8.0,
            "The size is right. Without the -0.5 each index is larger: which way is that?",
        ),
    ),
    praise="Right: half a cell, to the right and downwards, whatever the box.",
)

SAMPLES = Exercise(
    "4.3",
    "Samples of a box of 140 x 280 px at stride 16, 7 x 7 bins, sampling_ratio=-1.",
    294,
    (
        Mistake(
            "four a bin",
            196,
            "49 bins of four samples: that is sampling_ratio=2. Here it is -1: how large is a "
            "bin in cells, along each axis?",
        ),
        Mistake(
            "rounded down",
            98,
            "You rounded 1.25 and 2.5 down. A bin takes ceil(size) samples along an axis.",
        ),
        Mistake("rounded", 147, "You rounded 1.25 to 1 and 2.5 to 3. It is ceil along both axes."),
        Mistake(
            "whole box",
            162,
            "You counted ceil(8.75) x ceil(17.5) for the box. The rounding up is done for each "
            "bin.",
        ),
        Mistake(
            "one axis for both",
            441,
            "You used the larger count along both axes. Each axis has its own.",
        ),
    ),
    praise="Right: 2 x 3 samples in each of 49 bins.",
)

ONE_AXIS = Exercise(
    "4.4",
    "Write roi_align_1d(values, x1, x2, spatial_scale, bins, samples), aligned.",
    roi_align_1d,
    (
        Mistake(
            "no -0.5",
            partial(wrong_places, after=0.0),
            "Every sample is half a cell too far right: x is a continuous coordinate, values are "
            "read by index. Which is smaller, and by how much?",
        ),
        Mistake(
            "half before the scale",
            partial(wrong_places, before=0.5, after=0.0),
            "You took half an image pixel off. It is half a cell: scale first.",
        ),
        Mistake(
            "rounded corners",
            partial(wrong_places, rounded=True),
            "You rounded the box to whole cells. That is RoIPool's first line; leave it out.",
        ),
        Mistake(
            "thirds",
            partial(wrong_places, parts=lambda n: np.arange(1, n + 1) / (n + 1)),
            "Your samples stand at 1/(n + 1), 2/(n + 1) ... Put each at the centre of its part: "
            "(k + 0.5) / n.",
        ),
        Mistake(
            "edge to edge",
            partial(wrong_places, parts=lambda n: np.linspace(0, 1, n)),
            "Your samples run from edge to edge of the bin, so that neighbouring bins share one. "
            "Put each at the centre of its part: (k + 0.5) / n.",
        ),
        Mistake(
            "max", partial(wrong_sum, take=largest), "You keep the largest sample. Average them."
        ),
        Mistake(
            "wrong count",
            partial(wrong_sum, take=mean_inside),
            "You divide by the samples inside the band. The sum is divided by all of them, so a "
            "box that hangs over the border fades.",
        ),
        Mistake(
            "no band",
            partial(wrong_sum, take=clamped),
            "Right inside the map. A sample below -1 or above len(values) counts as 0; yours "
            "reads the border there.",
        ),
    ),
    inputs=_BOXES,
    praise="Right: scale, minus a half, centres of equal parts, mean over all of them.",
)

EDGE = Exercise(
    "4.5",
    "Write left_edge_gradient(values, x1, x2, spatial_scale, samples), one bin, aligned.",
    left_edge_gradient,
    (
        Mistake(
            "whole box",
            partial(edge_gradient, lambda t: 1.0),  # noqa: ARG005
            "That is the slope when both edges move together. When only x1 moves, a sample at "
            "fraction t of the box moves by 1 - t.",
        ),
        Mistake(
            "other edge",
            partial(edge_gradient, lambda t: t),
            "That is the slope by x2. A sample near x1 follows x1 most: 1 - t.",
        ),
        Mistake(
            "per cell",
            lambda values, x1, x2, spatial_scale, samples: (
                left_edge_gradient(values, x1, x2, spatial_scale, samples) / spatial_scale
            ),
            "Per cell it is right. x1 is in image pixels: one more factor, spatial_scale.",
        ),
        Mistake(
            "not averaged",
            lambda values, x1, x2, spatial_scale, samples: (
                samples * left_edge_gradient(values, x1, x2, spatial_scale, samples)
            ),
            "You added the samples' slopes. The bin is their mean: divide by samples.",
        ),
        Mistake(
            "sign",
            partial(edge_gradient, lambda t: t - 1),
            "The sign is turned: moving x1 to the right moves samples to the right.",
        ),
    ),
    inputs=_EDGES,
    praise="Right: slope of the map, times 1 - t, times spatial_scale, averaged.",
)

EXERCISES = (BY_HAND, HALF_IN_PIXELS, SAMPLES, ONE_AXIS, EDGE)
"""In the order of the page; 4.6 is open and has no check."""
