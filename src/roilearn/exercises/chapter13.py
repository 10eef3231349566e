"""Exercises of chapter 13 (training), with the mistakes they are set to catch."""

import math
from collections.abc import Sequence
from itertools import permutations

import numpy as np

from roilearn.exercises.exercise import Edit, Exercise, Mistake, OpenTask

RATES = Exercise(
    "13.1",
    "By hand: a run of 1000 steps has a highest learning rate of 0.002, 100 steps of warm-up and "
    "then half a cosine wave down to 0. Steps are counted from 0, and the last step of the warm-up "
    "has the whole rate. Give a list of two numbers, to six decimals: the learning rates of the "
    "steps 49 and 775. The cosine of 135 degrees is -0.7071.",
    np.array([0.001, 0.0002929]),
    (
        Mistake(
            "warm-up from 0",
            np.array([0.00098, 0.0002929]),
            "The first step of the warm-up already has a rate, 1/100 of the highest: step 49 is "
            "the fiftieth.",
        ),
        Mistake(
            "cosine over the whole run",
            np.array([0.001, 0.002 * (1 + math.cos(0.775 * math.pi)) / 2]),
            "You let the wave begin at step 0. It begins when the warm-up ends, and has 900 steps.",
            also=(np.array([0.00098, 0.002 * (1 + math.cos(0.775 * math.pi)) / 2]),),
        ),
        Mistake(
            "a straight line",
            np.array([0.001, 0.0005]),
            "You let the rate fall along a straight line. The task asks for half a cosine wave.",
            also=(np.array([0.00098, 0.0005]),),
        ),
        Mistake(
            "the cosine alone",
            np.array([0.001, -0.0014142]),
            "A cosine runs from 1 to -1. Add 1 and halve, so that the rate runs from all of it to "
            "0.",
            also=(np.array([0.001, 0.0005858]), np.array([0.00098, -0.0014142])),
        ),
        Mistake(
            "no warm-up",
            np.array([0.002 * (1 + math.cos(0.049 * math.pi)) / 2, 0.0002929]),
            "Step 49 lies within the warm-up, where the rate rises along a straight line.",
            also=(
                np.array([0.002 * (1 + math.cos(share * math.pi)) / 2 for share in (0.049, 0.775)]),
            ),
        ),
    ),
    praise="Right: half of the rate after half of the warm-up, and 0.146 of it at three quarters "
    "of the wave.",
)

FIRST_LOSS = Exercise(
    "13.2",
    "By hand: a Mask R-CNN for 20 classes besides background has fresh weights, so that all its "
    "logits are about 0. What do its objectness loss, its classifier loss and its mask loss add up "
    "to? Give two decimals; ln 2 = 0.693, ln 20 = 2.996 and ln 21 = 3.045.",
    math.log(21) + 2 * math.log(2),
    (
        Mistake(
            "without background",
            math.log(20) + 2 * math.log(2),
            "Background is a class of the classifier too.",
        ),
        Mistake(
            "a softmax over the masks",
            2 * math.log(21) + math.log(2),
            "A mask cell has one sigmoid for its class. It does not choose among 21 classes.",
            also=(2 * math.log(20) + math.log(2),),
        ),
        Mistake(
            "one of the two sigmoids",
            math.log(21) + math.log(2),
            "Two of the three losses are those of a sigmoid: objectness and mask.",
        ),
        Mistake(
            "the classifier alone",
            math.log(21),
            "That is the classifier's loss. Add those of objectness and of the mask.",
        ),
        Mistake(
            "another logarithm",
            math.log2(21) + 2,
            "The losses use the natural logarithm, and you took that of base 2 or 10.",
            also=(math.log10(21) + 2 * math.log10(2),),
        ),
        Mistake(
            "sigmoids of 0",
            math.log(21) + 1.0,
            "A sigmoid of 0 is a probability of one half, and its loss is -ln(1/2).",
        ),
    ),
    tolerance=0.002,
    praise="Right: ln 21 + 2 ln 2. Here the mask loss of a real model begins higher, since "
    "its fresh mask logits are not so near 0.",
)


_CHARTS = "FPBL"


def _words(*, crowd_found: bool) -> tuple[str, ...]:
    """All other orders of the four letters, with P in its place or with P elsewhere."""
    words = map("".join, permutations(_CHARTS))
    return tuple(w for w in words if w != _CHARTS and (w[1] == "P") is crowd_found)


DIAGNOSES = Exercise(
    "13.3",
    "Figure 13.7 has the charts 1 to 4 of four training runs, each solid beside a healthy run. In "
    "one the learning rate is 25 times too high (L); in one x and y of the boxes are swapped (B); "
    "in one every object is marked as a crowd, so that no box is positive (P); and in one the "
    "backbone is frozen at random weights (F). Give a word of four letters, in the order of the "
    "charts, without commas.",
    _CHARTS,
    (
        Mistake(
            "learning rate and boxes",
            "FPLB",
            "You have exchanged L and B. Too large a step throws losses up at the beginning: see "
            "the scale of rpn_box_reg.",
        ),
        Mistake(
            "frozen and boxes",
            "BPFL",
            "You have exchanged F and B. With wrong boxes the masks still learn something. Random "
            "features spoil the masks most.",
        ),
        Mistake(
            "frozen and learning rate",
            "LPBF",
            "You have exchanged F and L. With a frozen backbone no loss jumps at the beginning. "
            "With too large steps some of them do.",
        ),
        Mistake(
            "all but the crowds",
            "BPLF",
            "P is right, and the other three are not. Look at the masks: in B their loss falls "
            "lower than in F and L. Of these two, L jumps up in its first steps.",
            also=("LPFB",),
        ),
        Mistake(
            "crowds not found",
            _words(crowd_found=False)[0],
            "Begin with P: without positives there is no box and no mask to learn, so three of "
            "the losses are exactly 0 from the first step. Only one chart has that.",
            also=_words(crowd_found=False)[1:],
        ),
    ),
    praise="Right: all four can be told by their losses. Shifted labels cannot.",
)


def flip_boxes(
    boxes: Sequence[Sequence[float]], height: float, width: float, left_right: bool, up_down: bool
) -> list[list[float]]:
    """Boxes of a mirrored image, by loops: the answer to 13.4."""
    flipped = []
    for x1, y1, x2, y2 in boxes:
        if left_right:
            x1, x2 = width - x2, width - x1  # noqa: PLW2901  as a reader would write it
        if up_down:
            y1, y2 = height - y2, height - y1  # noqa: PLW2901
        flipped.append([x1, y1, x2, y2])
    return flipped


_BOXES = [[2.0, 3.0, 10.0, 5.0], [0.0, 0.5, 1.25, 9.0]]
_random = np.random.RandomState(13)


def _many() -> list[list[float]]:
    corners = _random.uniform(0, 20, (12, 2))
    return np.hstack([corners, corners + _random.uniform(0, 10, (12, 2))]).tolist()


FLIP = Exercise(
    "13.4",
    "Write flip_boxes(boxes, height, width, left_right, up_down): the boxes of an image that is "
    "mirrored left to right if `left_right` is true, and top to bottom if `up_down` is true. "
    "`boxes` is a list of x1, y1, x2, y2 in image pixels, ends exclusive, in an image of `height` "
    "x `width` pixels. Return a list of boxes in the same order, each with x1 <= x2 and y1 <= y2.",
    flip_boxes,
    (
        Mistake(
            "corners not exchanged",
            Edit(
                "width - x2, width - x1",
                "width - x1, width - x2",
                "height - y2, height - y1",
                "height - y1, height - y2",
            ),
            "The right edge becomes the left one: x1 of your boxes lies to the right of x2.",
        ),
        Mistake(
            "end included",
            Edit(
                "width - x2, width - x1",
                "width - 1 - x2, width - 1 - x1",
                "height - y2, height - y1",
                "height - 1 - y2, height - 1 - y1",
            ),
            "You subtract from the last pixel's index. Edges are positions, so they are mirrored "
            "at width - x: a box that reaches the border must reach the other one.",
        ),
        Mistake(
            "directions exchanged",
            Edit("if left_right:", "if up_down :", "if up_down:", "if left_right:"),
            "You change y where the image is mirrored left to right. Left and right are x.",
        ),
        Mistake(
            "height and width exchanged",
            Edit(
                "width - x2, width - x1",
                "height - x2, height - x1",
                "height - y2, height - y1",
                "width - y2, width - y1",
            ),
            "You mirror x within the height, or y within the width.",
        ),
        Mistake(
            "only the first direction",
            Edit("if up_down:", "if up_down and not left_right:"),
            "Right but for an image that is mirrored in both directions.",
        ),
        Mistake(
            "always mirrored",
            lambda boxes, height, width, left_right, up_down: flip_boxes(  # noqa: ARG005
                boxes, height, width, True, True
            ),
            "You mirror in both directions, whatever the arguments say.",
        ),
        Mistake(
            "the image and not the boxes",
            lambda boxes, height, width, left_right, up_down: boxes,  # noqa: ARG005
            "You return the boxes as they are. They move with the picture.",
        ),
    ),
    groups={
        "left to right": [(_BOXES, 9, 12, True, False)],
        "top to bottom": [(_BOXES, 9, 12, False, True)],
        "both": [(_BOXES, 10, 14, True, True)],
        "neither": [(_BOXES, 9, 12, False, False)],
        "at the border": [([[0, 0, 12, 9], [11, 8, 12, 9]], 9, 12, True, False)],
        "many": [(_many(), 30, 40, True, False), (_many(), 33, 31, True, True)],
    },
    praise="Right: an edge at x comes to lie at width - x, and the right edge becomes the left.",
)


def rate_at(step: int, steps: int, highest: float, warmup_steps: int) -> float:
    """Learning rate of a step with warm-up and half a cosine wave: the answer to 13.5."""
    if step < warmup_steps:
        return highest * (step + 1) / warmup_steps
    progress = (step - warmup_steps) / (steps - warmup_steps)
    return highest * (1 + math.cos(math.pi * progress)) / 2


SCHEDULE = Exercise(
    "13.5",
    "Write rate_at(step, steps, highest, warmup_steps): the learning rate of a step, counted from "
    "0, of a run of `steps` steps. During the first `warmup_steps` steps it rises along a straight "
    "line; the first of them already has a part of it, and the last has all of `highest`. The "
    "step after the warm-up has all of it again, and from there it follows half a cosine wave, "
    "which would reach 0 one step after the last. There may be no warm-up.",
    rate_at,
    (
        Mistake(
            "warm-up from 0",
            Edit("highest * (step + 1) / warmup_steps", "highest * step / warmup_steps"),
            "Your first step has a rate of 0 and changes nothing. Count it as the first part.",
        ),
        Mistake(
            "cosine over the whole run",
            Edit("(step - warmup_steps) / (steps - warmup_steps)", "step / steps"),
            "Your wave begins at step 0, so the rate jumps down when the warm-up ends.",
        ),
        Mistake(
            "wave too long",
            Edit("(step - warmup_steps) / (steps - warmup_steps)", "(step - warmup_steps) / steps"),
            "Your wave is as long as the whole run, so the rate is far from 0 at the end.",
        ),
        Mistake(
            "reaches 0 at the last step",
            Edit(
                "(step - warmup_steps) / (steps - warmup_steps)",
                "(step - warmup_steps) / max(steps - warmup_steps - 1, 1)",
            ),
            "Your last step has a rate of 0 and changes nothing. The wave ends one step later.",
        ),
        Mistake(
            "a straight line",
            Edit("(1 + math.cos(math.pi * progress)) / 2", "(1 - progress)"),
            "Your rate falls along a straight line after the warm-up. Take half a cosine wave.",
        ),
        Mistake(
            "a quarter of a wave",
            Edit("(1 + math.cos(math.pi * progress)) / 2", "math.cos(math.pi / 2 * progress)"),
            "You take a quarter of a wave, which falls steeply at the end. Half a wave is flat "
            "there.",
        ),
        Mistake(
            "no warm-up",
            Edit("if step < warmup_steps:", "if False:"),
            "You leave the warm-up out.",
        ),
    ),
    groups={
        "warm-up": [(0, 100, 0.5, 10), (4, 100, 0.5, 10), (9, 100, 0.5, 10)],
        "after the warm-up": [(10, 100, 0.5, 10), (55, 100, 0.5, 10), (30, 100, 2.0, 10)],
        "at the end": [(99, 100, 0.5, 10), (7, 8, 1.0, 2)],
        "no warm-up": [(0, 20, 1.0, 0), (5, 20, 1.0, 0)],
        "one step of warm-up": [(0, 3, 0.25, 1), (1, 3, 0.25, 1), (2, 3, 0.25, 1)],
    },
    praise="Right: up along a line, down along half a wave, and no step with a rate of 0.",
)

EXERCISES = (RATES, FIRST_LOSS, DIAGNOSES, FLIP, SCHEDULE)
"""In the order of the page."""

OPEN_TASKS = (
    OpenTask(
        "13.6",
        "You have 60 photographs of your garden, with outlines of three kinds of birds, and you "
        "start from COCO's weights. The classifier's first loss is 1.4. After 500 steps all five "
        "losses are low, and on new photographs the detector finds birds but gives most of them "
        "the wrong kind. Write down, in order, what you would look at, and what each look can and "
        "cannot tell.",
    ),
)
