"""Exercises of chapter 12 (heads and losses), with the mistakes they are set to catch."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from roilearn import reference
from roilearn.exercises.exercise import Edit, Exercise, Mistake, OpenTask

_random = np.random.RandomState(12)

CELL = Exercise(
    "12.1",
    "A mask cell has the logit ln 4 = 1.3863, and its target is 0: the object does not cover it. "
    "What is its binary cross-entropy, to three decimals?",
    math.log(5),
    (
        Mistake(
            "the other target",
            math.log(5 / 4),
            "That is the loss if the object covers the cell. Its target is 0.",
        ),
        Mistake(
            "the probability",
            0.8,
            "That is the predicted probability. The loss is minus the logarithm of the probability "
            "of what is true.",
            also=(0.2,),
        ),
        Mistake(
            "squared error",
            0.64,
            "That is a squared error. Cross-entropy takes a logarithm.",
            also=(0.32,),
        ),
        Mistake(
            "the logit",
            math.log(4),
            "That is the logit itself, which is near the loss only where it is large.",
        ),
        Mistake(
            "another base",
            math.log2(5),
            "Your logarithm has another base. Take the natural one.",
            also=(math.log10(5),),
        ),
        Mistake(
            "the wrong sign", -math.log(5), "The logarithm of a probability is below 0; turn it."
        ),
    ),
    tolerance=1e-3,
    praise="Right: the sigmoid of ln 4 is 4/5, so not covered has 1/5, and -ln(1/5) = 1.609.",
)

_SUM = 4.5 * 0.1**2 + (1.4 - 1 / 18) + 4.5 * 0.05**2
_L1 = 0.1 + 1.4 + 0.05
_SQUARES = (0.1**2 + 1.4**2 + 0.05**2) / 2
_BETA_1 = (0.1**2 + 0.05**2) / 2 + 1.4 - 0.5

BOX_LOSS = Exercise(
    "12.2",
    "Eight proposals were sampled, two of them positive. One positive predicts its deltas exactly. "
    "The other predicts 0.2, 0.7, -0.1, 0, where 0.1, -0.7, -0.1, 0.05 is right. What is "
    "loss_box_reg, with a beta of 1/9? Give three decimals.",
    _SUM / 8,
    (
        Mistake(
            "divided by the positives",
            _SUM / 2,
            "You divided by the number of positives. The divisor is the number of all sampled "
            "proposals.",
        ),
        Mistake("not divided", _SUM, "That is the sum. Divide it by the number of all proposals."),
        Mistake(
            "divided by the deltas",
            _SUM / 32,
            "You took the mean over the deltas as well. The four deltas of a box are added.",
            also=(_SUM / 4,),
        ),
        Mistake(
            "beta of 1",
            _BETA_1 / 8,
            "Your beta is 1. With 1/9 the line begins at an error of 0.111.",
        ),
        Mistake(
            "absolute errors",
            _L1 / 8,
            "You added absolute errors. Small ones lie on the parabola, and the line is beta / 2 "
            "lower.",
        ),
        Mistake(
            "squared errors",
            _SQUARES / 8,
            "You squared all errors. From beta on the loss is a line.",
            also=(2 * _SQUARES / 8, 9 * _SQUARES / 8),
        ),
        Mistake(
            "the line not lowered",
            (_SUM + 1 / 18) / 8,
            "Your line is not lowered by beta / 2, so it does not meet the parabola.",
        ),
    ),
    tolerance=1e-3,
    praise="Right: 0.045 + 1.3444 + 0.01125, divided by 8.",
)

PLACE = Exercise(
    "12.3",
    "A mask of 28 x 28 cells is pasted, without rounding, into a box whose edges are x1 = 10.4 and "
    "x2 = 24.4. At which column of the mask, in index coordinates, does the pixel with index 12 "
    "read?",
    3.7,
    (
        Mistake(
            "no half of a pixel",
            2.7,
            "You started from the pixel's left edge, 12. Its centre is at 12.5.",
        ),
        Mistake(
            "no half of a cell",
            4.2,
            "You forgot the half of a cell: the centre of cell 0 lies half a cell inside the box.",
        ),
        Mistake(
            "no half at all",
            3.2,
            "Both halves are missing: that of the pixel, before scaling, and that of the cell, "
            "after it.",
        ),
        Mistake(
            "end included",
            2.1 * 28 / 15 - 0.5,
            "You added 1 to the width of the box. It is 14 pixels wide.",
        ),
        Mistake(
            "rounded",
            4.5,
            "You rounded the box to whole pixels.",
            also=(2.5 * 28 / 15 - 0.5,),
        ),
        Mistake(
            "the other way",
            2.1 / 2 - 0.5,
            "You divided by 2. A pixel is two cells here.",
        ),
    ),
    praise="Right: 2.1 pixels inside the box are 4.2 cells, and half a cell less is 3.7.",
)


def mask_loss(mask_logits: np.ndarray, labels: Sequence[int], targets: np.ndarray) -> float:
    """Compute the mean loss of the cells of each box's true class: the answer to 12.4."""
    total, count = 0.0, 0
    for maps, label, target in zip(mask_logits, labels, targets, strict=True):
        for logits, wanted in zip(maps[label], target, strict=True):
            for t, q in zip(logits, wanted, strict=True):
                total += max(t, 0.0) - t * q + math.log1p(math.exp(-abs(t)))
                count += 1
    return total / max(count, 1)


def _all_maps(mask_logits: np.ndarray, labels: Sequence[int], targets: np.ndarray) -> float:
    """Mean over the maps of all classes, the true class's target for each of them."""
    every = [
        mask_loss(mask_logits, [c] * len(labels), targets)
        for c in range(len(mask_logits[0]) if len(labels) else 1)
    ]
    return float(np.mean(every))


def _others_empty(mask_logits: np.ndarray, labels: Sequence[int], targets: np.ndarray) -> float:
    """Mean over the maps of all classes, with an empty target for the wrong ones."""
    if not len(labels):
        return 0.0
    logits, targets = np.asarray(mask_logits, float), np.asarray(targets, float)
    wanted = np.zeros_like(logits)
    wanted[np.arange(len(labels)), labels] = targets
    return float((np.logaddexp(0, logits) - logits * wanted).mean())


def _softmax(mask_logits: np.ndarray, labels: Sequence[int], targets: np.ndarray) -> float:
    """Probability of the true class by a softmax over the classes of each cell."""
    if not len(labels):
        return 0.0
    logits, targets = np.asarray(mask_logits, float), np.asarray(targets, float)
    logits = logits - logits.max(axis=1, keepdims=True)
    every = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    chosen = every[np.arange(len(labels)), labels]
    return float((-targets * np.log(chosen) - (1 - targets) * np.log(1 - chosen)).mean())


def _highest(mask_logits: np.ndarray, labels: Sequence[int], targets: np.ndarray) -> float:
    """Loss of the map with the largest mean logit in place of the true class's."""
    del labels
    best = [int(np.asarray(maps, float).mean(axis=(1, 2)).argmax()) for maps in mask_logits]
    return mask_loss(mask_logits, best, targets)


def _as_probabilities(mask_logits: np.ndarray, labels: Sequence[int], targets: np.ndarray) -> float:
    """Logits taken for probabilities, held between 0 and 1."""
    if not len(labels):
        return 0.0
    logits = np.asarray(mask_logits, float)[np.arange(len(labels)), labels]
    held = logits.clip(1e-12, 1 - 1e-12)
    targets = np.asarray(targets, float)
    return float((-targets * np.log(held) - (1 - targets) * np.log(1 - held)).mean())


def _clipped(smallest: float) -> Callable[..., float]:
    """Return the loss of probabilities, none of which is nearer to 0 or 1 than ``smallest``."""

    def loss(mask_logits: np.ndarray, labels: Sequence[int], targets: np.ndarray) -> float:
        if not len(labels):
            return 0.0
        logits = np.asarray(mask_logits, float)[np.arange(len(labels)), labels]
        covered, not_covered = np.exp(-np.logaddexp(0, [-logits, logits])).clip(smallest, 1)
        targets = np.asarray(targets, float)
        return float((-targets * np.log(covered) - (1 - targets) * np.log(not_covered)).mean())

    return loss


_TERM = "max(t, 0.0) - t * q + math.log1p(math.exp(-abs(t)))"


def _masks(boxes: int, classes: int, side: int, spread: float = 2.0) -> tuple[list, list, list]:
    """Random logits, labels from 1 and soft targets, as nested lists."""
    logits = _random.normal(0, spread, (boxes, classes, side, side)).round(3)
    labels = _random.randint(1, classes, boxes)
    targets = _random.choice([0.0, 0.25, 0.7, 1.0], (boxes, side, side))
    return logits.tolist(), labels.tolist(), targets.tolist()


MASK_LOSS = Exercise(
    "12.4",
    "Write mask_loss(mask_logits, labels, targets): the mean binary cross-entropy of the mask "
    "cells. `mask_logits` are lists (boxes, classes, M, M), `labels` the true class of each "
    "box and `targets` lists (boxes, M, M) from 0 to 1. Of each box only the map number `label` "
    "counts (map 0 is the background's), each cell by its own sigmoid. Logits may be as large "
    "as 1000, above and below 0. Without boxes return 0.",
    mask_loss,
    (
        Mistake(
            "mean over all classes",
            _all_maps,
            "You take the mean over the maps of all classes. Only the true class's map counts.",
            also=(_others_empty,),
        ),
        Mistake(
            "softmax over classes",
            _softmax,
            "You let the classes compete by a softmax. Each cell has a sigmoid of its own.",
        ),
        Mistake(
            "wrong class map",
            Edit("maps[label]", "maps[label - 1]"),
            "You read the map before the right one. Map 0 belongs to the background, so the map of "
            "class `label` has the number `label`.",
        ),
        Mistake(
            "map of the largest logits",
            _highest,
            "You choose the map with the largest logits. In training the true class chooses it.",
        ),
        Mistake(
            "background's map",
            Edit("maps[label]", "maps[0]"),
            "You read map 0, the background's, which is never trained.",
        ),
        Mistake(
            "logits as probabilities",
            _as_probabilities,
            "You take logits for probabilities. Put them through the sigmoid first.",
        ),
        Mistake(
            "sum",
            Edit("return total / max(count, 1)", "return total"),
            "You return the sum of all cells. Divide it by their number.",
        ),
        Mistake(
            "mean over boxes alone",
            Edit("total / max(count, 1)", "total / max(len(labels), 1)"),
            "You divide by the number of boxes. Divide by the number of cells.",
        ),
        Mistake(
            "covered cells alone",
            Edit(_TERM, "q * (max(-t, 0.0) + math.log1p(math.exp(-abs(t))))"),
            "Only the part with the target counts in your sum. A cell that the object does not "
            "cover costs -ln(1 - sigmoid).",
        ),
        Mistake(
            "targets as 0 and 1",
            Edit("- t * q", "- t * (q > 0.5)"),
            "You make the targets 0 or 1. A cell that is covered in part keeps its fraction.",
            also=(Edit("- t * q", "- t * (q >= 0.5)"), Edit("- t * q", "- t * (q > 0)")),
        ),
        Mistake(
            "overflow",
            Edit(_TERM, "-q * math.log(1 / (1 + math.exp(-t)))"
                        " - (1 - q) * math.log(1 - 1 / (1 + math.exp(-t)))"),
            "Right where logits are small. For large ones math.exp overflows, or a logarithm is "
            "taken of 0: write the loss as max(t, 0) - t q + ln(1 + exp(-|t|)).",
        ),
        Mistake(
            "probabilities are clipped",
            _clipped(1e-7),
            "Right where logits are small. You keep probabilities away from 0, so a logit of 1000 "
            "costs too little: write the loss as max(t, 0) - t q + ln(1 + exp(-|t|)).",
            also=(_clipped(1e-6), _clipped(1e-8), _clipped(1e-12), _clipped(math.exp(-100))),
        ),
        Mistake(
            "the other target",
            Edit("- t * q", "- t * (1 - q)"),
            "You exchange covered and not covered: a target of 1 is a cell that the object covers.",
        ),
        Mistake(
            "uncovered cells alone",
            Edit(_TERM, "(1 - q) * (max(t, 0.0) + math.log1p(math.exp(-abs(t))))"),
            "Only the part with 1 - target counts in your sum. A cell that the object covers costs "
            "-ln(sigmoid).",
        ),
        Mistake(
            "squared error",
            Edit(_TERM, "(q - (1 + math.tanh(t / 2)) / 2) ** 2"),
            "That is a squared error of the probabilities. Cross-entropy takes a logarithm.",
        ),
        Mistake(
            "the wrong sign",
            Edit("return total", "return -total"),
            "The logarithm of a probability is below 0; turn it.",
        ),
        Mistake(
            "no box is no number",
            Edit("max(count, 1)", "count"),
            "Right but for a call without boxes: it should give 0.",
        ),
    ),
    groups={
        "a covered cell": [([[[[0.0]], [[1.5]]]], [1], [[[1.0]]])],
        "one box of several cells": [_masks(1, 3, 3)],
        "several boxes and classes": [_masks(3, 4, 2), _masks(2, 5, 3)],
        "fractions as targets": [([[[[0.0]], [[0.8]]]], [1], [[[0.25]]])],
        "large logits": [
            ([[[[0.0, 0.0]] * 2, [[900.0, -900.0], [40.0, -800.0]]]], [1], [[[1.0, 0], [0, 0]]]),
            ([[[[1.0]], [[-1000.0]], [[1000.0]]]], [2], [[[0.0]]]),
        ],
        "no boxes": [([], [], [])],
    },
    praise="Right: the true class's map alone, a sigmoid for each cell, and the mean of all cells.",
)  # fmt: skip


def paste_mask(mask: np.ndarray, box: Sequence[float], height: int, width: int) -> np.ndarray:
    """Paste one mask into its box and compare with one half: the answer to 12.5."""
    x1, y1, x2, y2 = box
    side = len(mask)
    pasted = np.zeros((height, width))
    for row in range(height):
        for column in range(width):
            x, y = column + 0.5, row + 0.5
            if x1 <= x < x2 and y1 <= y < y2:
                i = (y - y1) * side / (y2 - y1) - 0.5
                j = (x - x1) * side / (x2 - x1) - 0.5
                pasted[row, column] = reference.bilinear(mask, i, j) > 0.5
    return pasted


def _with_a_ring(mask: np.ndarray, box: Sequence[float], height: int, width: int) -> np.ndarray:
    """Paste with a ring of zeros around the mask, as detectors do."""
    x1, y1, x2, y2 = box
    grow_x, grow_y = (x2 - x1) / len(mask), (y2 - y1) / len(mask)
    region = x1 - grow_x, y1 - grow_y, x2 + grow_x, y2 + grow_y
    return paste_mask(np.pad(mask, 1), region, height, width)


_CENTRE = "column + 0.5, row + 0.5"
_I = "(y - y1) * side / (y2 - y1) - 0.5"
_J = "(x - x1) * side / (x2 - x1) - 0.5"
_READ = "reference.bilinear(mask, i, j)"
_EDGES = "x1, y1, x2, y2 = box"
_PIXEL = "            if x1 <= x < x2 and y1 <= y < y2:\n"


def _sure(side: int) -> list[list[float]]:
    """Random probabilities, none near one half."""
    values = _random.choice([0.02, 0.2, 0.81, 0.97], (side, side))
    return values.tolist()


PASTE = Exercise(
    "12.5",
    "Write paste_mask(mask, box, height, width): paste a mask into an image of zeros and return "
    "height x width values, 1 where the mask is above 0.5 and 0 elsewhere. `mask` is a list of M "
    "rows of M probabilities, whose cells divide the box evenly; `box` is x1, y1, x2, y2 in image "
    "pixels, as it is: do not round it, and add nothing to it. A pixel counts if its centre lies "
    "in [x1, x2) and [y1, y2), and reads the mask there. reference.bilinear(mask, i, j) reads at "
    "row i and column j in index coordinates, where cell 0 has its centre at 0. A box without area "
    "pastes nothing.",
    paste_mask,
    (
        Mistake(
            "no half of a pixel",
            Edit(_CENTRE, "column, row"),
            "Your pixels read at their upper left corner. The centre is half a pixel further.",
        ),
        Mistake(
            "no half of a cell",
            Edit(_I, "(y - y1) * side / (y2 - y1)", _J, "(x - x1) * side / (x2 - x1)"),
            "You read half a cell too far right and down: index coordinates count from the centre "
            "of cell 0.",
        ),
        Mistake(
            "no half at all",
            Edit(
                _CENTRE, "column, row",
                _I, "(y - y1) * side / (y2 - y1)",
                _J, "(x - x1) * side / (x2 - x1)",
            ),
            "Both halves are missing: that of the pixel and that of the cell.",
        ),
        Mistake(
            "ends included",
            Edit(_EDGES, "x1, y1, x2, y2 = box[0], box[1], box[2] + 1, box[3] + 1"),
            "You add 1 to the box. Its ends are exclusive, so it is x2 - x1 pixels wide.",
        ),
        Mistake(
            "rounded",
            Edit(_EDGES, "x1, y1, x2, y2 = (round(edge) for edge in box)"),
            "You round the box to whole pixels. Keep it as it is.",
            also=(
                Edit(_EDGES, "x1, y1, x2, y2 = (int(edge) for edge in box)"),
                Edit(_EDGES, "x1, y1, x2, y2 = (int(e) + (k > 1) for k, e in enumerate(box))"),
            ),
        ),
        Mistake(
            "x and y exchanged",
            Edit(_READ, "reference.bilinear(mask, j, i)"),
            "You exchange rows and columns of the mask: i follows y, and j follows x.",
            also=(
                Edit(_EDGES, "y1, x1, y2, x2 = box"),
                Edit(_CENTRE, "row + 0.5, column + 0.5"),
            ),
        ),
        Mistake(
            "nearest cell",
            Edit(_READ, "mask[round(max(i, 0))][round(max(j, 0))]"),
            "You take the nearest cell. Read between the cells.",
            also=(
                Edit(_READ, "mask[int(max(i, 0))][int(max(j, 0))]"),
                Edit(_READ, "mask[int(i + 0.5)][int(j + 0.5)]"),
            ),
        ),
        Mistake(
            "a ring of zeros",
            _with_a_ring,
            "You add the ring of zeros, as detectors do. Here nothing is added to the mask or the "
            "box.",
        ),
        Mistake(
            "corners aligned",
            Edit(
                _I, "(y - y1) * (side - 1) / (y2 - y1)",
                _J, "(x - x1) * (side - 1) / (x2 - x1)",
            ),
            "You spread the centres of the cells from edge to edge of the box. The cells divide it "
            "evenly, so there are M of them, and half a cell lies before the first centre.",
        ),
        Mistake(
            "compared before it is read",
            Edit(_READ, "reference.bilinear((np.asarray(mask) > 0.5).astype(float), i, j)"),
            "You compare the cells with 0.5 first. Read between them, then compare.",
        ),
        Mistake(
            "one half counts",
            Edit("> 0.5", ">= 0.5"),
            "Right but for values of exactly 0.5, which are not above it.",
        ),
        Mistake(
            "values",
            Edit(" > 0.5", ""),
            "You return the values. Return 1 where a value is above 0.5 and 0 elsewhere.",
        ),
        Mistake(
            "the whole image",
            Edit(_PIXEL, "            if x1 < x2 and y1 < y2:\n"),
            "You paste outside the box too. There the image stays 0.",
        ),
        Mistake(
            "edges of pixels in the box",
            Edit(_PIXEL, "            if x1 <= column < x2 and y1 <= row < y2:\n"),
            "You ask whether the corner of a pixel lies in the box. Its centre counts.",
            also=(
                Edit(_PIXEL, "            if x1 <= column and column + 1 <= x2 "
                             "and y1 <= row and row + 1 <= y2:\n"),
            ),
        ),
    ),
    groups={
        "a cell for each pixel": [(_sure(4), (1.0, 2.0, 5.0, 6.0), 8, 7)],
        "a larger box": [(_sure(3), (1.0, 2.0, 13.0, 11.0), 14, 15)],
        "a smaller box": [(_sure(9), (2.0, 1.0, 6.0, 4.0), 6, 8)],
        "edges between pixels": [
            (_sure(4), (1.3, 2.6, 9.7, 8.2), 11, 12),
            (_sure(5), (0.5, 1.5, 6.5, 8.5), 10, 9),
        ],
        "not square": [(_sure(3), (2.2, 1.0, 4.9, 10.6), 12, 7)],
        "beyond the border": [
            (_sure(4), (-3.4, -2.2, 5.1, 12.3), 8, 6),
            ([[0.9]], (-3.0, -2.0, 12.0, 11.0), 5, 8),
            ([[0.9]], (-3.0, -2.0, 12.0, 11.0), 8, 5),
        ],
        "exactly one half": [([[0.5, 0.5], [0.5, 0.9]], (1.0, 1.0, 7.0, 7.0), 8, 8)],
        "no area": [
            ([[1.0]], (2.0, 3.0, 2.0, 6.0), 7, 5),
            ([[1.0]], (4.0, 3.0, 1.0, 6.0), 7, 5),
            ([[1.0]], (1.0, 6.0, 4.0, 3.0), 7, 5),
        ],
    },
    praise="Right: centres of pixels, centres of cells, and a box that nobody has rounded.",
)  # fmt: skip

EXERCISES = (CELL, BOX_LOSS, PLACE, MASK_LOSS, PASTE)
"""In the order of the page."""

OPEN_TASKS = (
    OpenTask(
        "12.6",
        "Your detector finds cells in microscope images; all are of one class, 6 to 12 pixels "
        "wide, and their masks come out about half a pixel too large on every side. Where would "
        "you look first, how would you find out with a mask that is known, and what would a mask "
        "head of 56 x 56 cells change?",
    ),
)
