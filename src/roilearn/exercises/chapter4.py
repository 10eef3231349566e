"""Exercises of chapter 4 (RoIAlign), with the mistakes they are set to catch."""

import numpy as np

from roilearn import reference
from roilearn.exercises.exercise import Edit, Exercise, Mistake, OpenTask
from roilearn.exercises.operators.roi_align import ROI_ALIGN

_random = np.random.RandomState(4)
_ROW = _random.randint(0, 20, 9).astype(float)
_LONG = _random.randint(0, 20, 14).astype(float)
_SHORT = np.array([3.0, 8.0, 1.0])

BY_HAND = Exercise(
    "4.1",
    "A row of cells holds 0, 1, 4, 9, 16, 25, 36, 49. A box reaches from x = 2 to x = 5, in cells; "
    "it "
    "is one bin with two samples, aligned=True. What is its value?",
    9.75,
    (
        Mistake(
            "no -0.5",
            13.0,
            "You read columns 2.75 and 4.25. Those are x coordinates: 0.5 has to come off before a "
            "row of values is read by index.",
        ),
        Mistake(
            "half added",
            16.75,
            "You added the half. The centre of cell i is at x = i + 0.5, so 0.5 comes off.",
        ),
        Mistake(
            "thirds",
            9.5,
            "You put the samples at 1/3 and 2/3 of the bin. Two samples stand at the centres of "
            "two halves: 1/4 and 3/4.",
        ),
        Mistake("max", 14.25, "14.25 is the larger of the two readings. RoIAlign averages them."),
        Mistake("sum", 19.5, "You added the two readings. RoIAlign averages them."),
        Mistake(
            "one sample", 9.0, "9 is one reading at the bin's middle. Two samples were asked for."
        ),
        Mistake(
            "edges",
            11.5,
            "You read at the two edges of the box. Samples stand inside the bin, at 1/4 and 3/4.",
        ),
        Mistake(
            "cells",
            29 / 3,
            "29/3 is the mean of cells 2, 3 and 4, or of three samples. Two samples stand at 1/4 "
            "and "
            "3/4 of the bin, between the cells' centres.",
        ),
        Mistake(
            "nearest",
            (4 + 16) / 2,
            "You read the nearest cells, 4 and 16. A sample is interpolated between two cells.",
        ),
        Mistake(
            "exact mean",
            29.75 / 3,
            "That is the mean of the whole interpolated line. RoIAlign reads it at two places "
            "only.",
        ),
    ),
    tolerance=1e-3,
    praise="Right: columns 2.25 and 3.75 hold 5.25 and 14.25.",
)

HALF_IN_PIXELS = Exercise(
    "4.2",
    "At stride 16, how many image pixels away from the right place does aligned=False read? To the "
    "right is positive.",
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
    "A box of 140 x 280 pixels (width x height) at stride 16, 7 x 7 bins, sampling_ratio=-1: each "
    "bin "
    "takes ceil(bin size) samples along each axis. At how many places is each channel read?",
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


def roi_align_1d(
    values: np.ndarray, x1: float, x2: float, spatial_scale: float, bins: int, samples: int
) -> np.ndarray:
    """Average the samples of each bin of a row of cells: the answer to 4.4."""
    start = x1 * spatial_scale - 0.5
    size = (x2 - x1) * spatial_scale / bins
    output = np.zeros(bins)
    for j in range(bins):
        for k in range(samples):
            position = start + (j + (k + 0.5) / samples) * size
            if -1 <= position <= len(values):
                output[j] += reference.linear(values, position) / samples
    return output


def _divided_by_those_inside(
    values: np.ndarray, x1: float, x2: float, spatial_scale: float, bins: int, samples: int
) -> np.ndarray:
    ones = roi_align_1d(np.ones(len(values)), x1, x2, spatial_scale, bins, samples)
    output = roi_align_1d(values, x1, x2, spatial_scale, bins, samples)
    return output / np.where(ones > 0, ones, 1)


_BAND = "if -1 <= position <= len(values):"
_FRACTION = "(k + 0.5) / samples"
_ADD = "output[j] += reference.linear(values, position) / samples"

ONE_AXIS = Exercise(
    "4.4",
    "Write roi_align_1d(values, x1, x2, spatial_scale, bins, samples): RoIAlign of one box along a "
    "row of cells, aligned. x1 < x2 are in image pixels; scale them to cells and subtract half a "
    "cell. Each of the `bins` equal parts of the box takes `samples` samples, at the centres of "
    "that many equal parts, and gives their mean. A sample reads the row by "
    "reference.linear(values, position); it counts as 0, and is still divided by, where position "
    "< -1 or position > len(values). Return `bins` numbers.",
    roi_align_1d,
    (
        Mistake(
            "no -0.5",
            Edit("x1 * spatial_scale - 0.5", "x1 * spatial_scale"),
            "Every sample is half a cell too far right: x is a continuous coordinate, values are "
            "read by index. Which is smaller, and by how much?",
        ),
        Mistake(
            "half before the scale",
            Edit("x1 * spatial_scale - 0.5", "(x1 - 0.5) * spatial_scale"),
            "You took half an image pixel off. It is half a cell: scale first.",
        ),
        Mistake(
            "rounded corners",
            Edit(
                "x1 * spatial_scale - 0.5",
                "reference.quantize(x1 * spatial_scale) - 0.5",
                "(x2 - x1) * spatial_scale / bins",
                "(reference.quantize(x2 * spatial_scale) - reference.quantize(x1 * spatial_scale)) "
                "/ bins",
            ),
            "You rounded the box to whole cells. That is RoIPool's first line; leave it out.",
        ),
        Mistake(
            "thirds",
            Edit(_FRACTION, "(k + 1) / (samples + 1)"),
            "Your samples stand at 1/(n + 1), 2/(n + 1) ... Put each at the centre of its part: "
            "(k + 0.5) / n.",
        ),
        Mistake(
            "edge to edge",
            Edit(_FRACTION, "k / max(samples - 1, 1)"),
            "Your samples run from edge to edge of the bin, so that neighbouring bins share one. "
            "Put each at the centre of its part: (k + 0.5) / n.",
        ),
        Mistake(
            "starts of parts",
            Edit(_FRACTION, "k / samples"),
            "Your samples stand at the starts of the equal parts. Put each at the centre of its "
            "part: (k + 0.5) / n.",
        ),
        Mistake(
            "max",
            Edit(_ADD, "output[j] = max(output[j], reference.linear(values, position))"),
            "You keep the largest sample. Average them.",
        ),
        Mistake(
            "sum",
            Edit(_ADD, "output[j] += reference.linear(values, position)"),
            "You add the samples. Divide by their number.",
        ),
        Mistake(
            "wrong count",
            _divided_by_those_inside,
            "You divide by the samples inside the band. The sum is divided by all of them, so a "
            "box that hangs over the border fades.",
        ),
        Mistake(
            "no band",
            Edit(_BAND, "if True:"),
            "Right inside the map. A sample below -1 or above len(values) counts as 0; yours "
            "reads the border there.",
        ),
        Mistake(
            "band left out",
            Edit(_BAND, "if 0 <= position <= len(values) - 1:"),
            "Right inside. You give 0 to every sample beyond the outermost centres; those up to "
            "one "
            "cell outside, from -1 to len(values), still read the border.",
        ),
        Mistake(
            "band too short",
            Edit(_BAND, "if -1 <= position <= len(values) - 1:"),
            "Right but for the last band: samples between len(values) - 1 and len(values) read the "
            "border's value, and yours are 0.",
            also=(Edit(_BAND, "if -1 <= position < len(values) - 1:"),),
        ),
        Mistake(
            "at least one cell",
            Edit("(x2 - x1) * spatial_scale / bins", "max((x2 - x1) * spatial_scale, 1) / bins"),
            "Right but for boxes under one cell, which you make one cell long. That is the rule of "
            "aligned=False; an aligned box keeps its length.",
        ),
    ),
    groups={
        "inside": [(_ROW, 1.3, 6.9, 1.0, 2, 2), (_ROW, 1.2, 7.4, 1.0, 3, 3)],
        "scale 1/4": [(_ROW, 13.0, 33.0, 1 / 4, 3, 2), (_LONG, 37.0, 171.0, 1 / 16, 3, 3)],
        "one sample": [(_ROW, 1.3, 6.5, 1.0, 3, 1)],
        "a box under one cell": [(_ROW, 13.0, 15.0, 1 / 4, 1, 2), (_ROW, 3.1, 3.9, 1.0, 2, 2)],
        "within one cell of the border": [
            (_SHORT, -0.4, 0.4, 1.0, 1, 2),
            (_SHORT, 2.6, 3.4, 1.0, 1, 2),
            (_SHORT, 2.75, 3.25, 1.0, 1, 1),
        ],
        "over the border": [
            (_ROW, -9.0, 21.0, 1 / 4, 2, 4),
            (_ROW, 25.0, 53.0, 1 / 4, 2, 4),
            (_SHORT, -3.0, 6.0, 1.0, 3, 2),
        ],
        "on the end of the band": [
            (_SHORT, -1.0, 0.0, 1.0, 1, 1),
            (_SHORT, 3.0, 4.0, 1.0, 1, 1),
        ],
        "outside": [(_SHORT, -4.0, -1.5, 1.0, 2, 2), (_SHORT, 4.5, 9.0, 1.0, 2, 2)],
    },
    praise="Right: scale, minus a half, centres of equal parts, mean over all of them.",
)


def left_edge_gradient(
    values: np.ndarray, x1: float, x2: float, spatial_scale: float, samples: int
) -> float | np.floating:
    """Differentiate a single bin's value by x1, per image pixel: the answer to 4.5."""
    start, length = x1 * spatial_scale - 0.5, (x2 - x1) * spatial_scale
    total = 0.0
    for k in range(samples):
        t = (k + 0.5) / samples
        total += reference.linear_gradient(values, start + t * length) * (1 - t)
    return total / samples * spatial_scale


def _difference(before: float, after: float):  # noqa: ANN202 - a function like the answer
    def quotient(
        values: np.ndarray, x1: float, x2: float, spatial_scale: float, samples: int
    ) -> float:
        low, high = (
            roi_align_1d(values, x1 + step, x2, spatial_scale, 1, samples)[0]
            for step in (-before, after)
        )
        return float(high - low) / (before + after)

    return quotient


_STEPS = [10.0**-n for n in range(2, 9)]

EDGE = Exercise(
    "4.5",
    "Write left_edge_gradient(values, x1, x2, spatial_scale, samples): the derivative by x1, per "
    "image pixel, of the value of one bin of a row, aligned, with `samples` samples; x2 stays. All "
    "samples lie between the first and the last centre. reference.linear_gradient(values, "
    "position) is the slope of the row; on a centre, where the row has a corner, it is the slope "
    "to "
    "the right, and that is the one to use. Return one number.",
    left_edge_gradient,
    (
        Mistake(
            "whole box",
            Edit(" * (1 - t)", ""),
            "That is the slope when both edges move together. When only x1 moves, a sample at "
            "fraction t of the box moves by 1 - t.",
        ),
        Mistake(
            "other edge",
            Edit(" * (1 - t)", " * t"),
            "That is the slope by x2. A sample near x1 follows x1 most: 1 - t.",
        ),
        Mistake(
            "per cell",
            Edit("total / samples * spatial_scale", "total / samples"),
            "Per cell it is right. x1 is in image pixels: one more factor, spatial_scale.",
        ),
        Mistake(
            "not averaged",
            Edit("total / samples * spatial_scale", "total * spatial_scale"),
            "You added the samples' slopes. The bin is their mean: divide by samples.",
        ),
        Mistake(
            "sign",
            Edit(" * (1 - t)", " * (t - 1)"),
            "The sign is turned: moving x1 to the right moves samples to the right.",
        ),
        Mistake(
            "no -0.5",
            Edit("x1 * spatial_scale - 0.5", "x1 * spatial_scale"),
            "You take the slopes half a cell too far right: 0.5 comes off after scaling.",
        ),
        Mistake(
            "difference",
            _difference(1e-3, 1e-3),
            "You divide the difference of two values by a step. Where a sample is on a cell's "
            "centre or very near it, the row has a corner there, and the two values lie on "
            "different "
            "pieces. Use the slope of the piece that the sample is on: reference.linear_gradient.",
            also=tuple(
                _difference(*steps)
                for h in _STEPS
                for steps in ((h, h), (h / 2, h / 2), (0, h), (h, 0))
            ),
        ),
    ),
    groups={
        "scale 1": [(_ROW, 1.3, 6.5, 1.0, 2), (_ROW, 2.1, 7.9, 1.0, 3)],
        "scale 1/4": [(_LONG, 9.0, 41.0, 1 / 4, 4), (_LONG, 37.0, 170.0, 1 / 16, 3)],
        "one sample": [(_ROW, 2.2, 5.3, 1.0, 1)],
        "on a centre": [(_SHORT, 1.0, 2.0, 1.0, 1), (_ROW, 2.0, 6.0, 1.0, 4)],
        "just before a centre": [(_SHORT, 1.0 - 2.0**-32, 2.0, 1.0, 1)],
    },
    praise="Right: slope of the map, times 1 - t, times spatial_scale, averaged.",
)


EXERCISES = (BY_HAND, HALF_IN_PIXELS, SAMPLES, ONE_AXIS, EDGE, ROI_ALIGN)
"""In the order of the page."""

OPEN_TASKS = (
    OpenTask(
        "4.6",
        "You may call an unknown RoIAlign once, with any map (several channels, if you like) and "
        "any "
        "box. Design the call so that its answer tells aligned=True from aligned=False, OpenVINO's "
        "half_pixel, RoIPool, 2 samples from adaptive, and 1/4 from 1/3.",
    ),
)
