"""Exercises of chapter 15 (the same code with real weights), with the mistakes they catch."""

import math
from collections.abc import Sequence

from roilearn.exercises.exercise import Edit, Exercise, Mistake, OpenTask

COCO_GAPS = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)
"""Numbers from 1 to 90 that no class of COCO has."""
COCO_IDS = tuple(id_ for id_ in range(1, 91) if id_ not in COCO_GAPS)
"""Numbers of COCO's 80 classes, in their order."""

CLASS_NUMBER = Exercise(
    "15.1",
    "COCO numbers its 80 classes from 1 to 90 and leaves out 12, 26, 29, 30, 45, 66, 68, 69, 71 "
    "and 83. Detectron2 numbers them from 0 without gaps, in the same order. Which number has "
    "COCO's 67, the dining table, in Detectron2?",
    COCO_IDS.index(67),
    (
        Mistake("the id", 67, "That is COCO's number itself, as torchvision's labels have it."),
        Mistake("no gaps", 66, "You counted from 0 and left the gaps in. Six numbers below 67 are "
                "missing."),
        Mistake("from 1", 61, "That is one too many: six numbers below 67 are missing, and the "
                "count starts at 0."),
        Mistake("all ten gaps", 57, "You subtracted all ten gaps. Only six of them lie below 67.",
                also=(56,)),
        Mistake("one gap too many", 59, "That is one too few: six gaps lie below 67, and 68 lies "
                "above it."),
    ),
    praise="Right: 67 - 1 - 6 = 60.",
)  # fmt: skip

_DW = 5 * math.log(1.5)

DECODED = Exercise(
    "15.2",
    "A proposal has the edges x1 = 20, y1 = 40, x2 = 60, y2 = 120 (ends exclusive). For its class "
    "the box head gives the deltas 2, 0, 2.0273 and 0, and the delta weights are 10, 10, 5 and 5; "
    "exp(2.0273 / 5) = 1.5. What is x1 of the detection?",
    18.0,
    (
        Mistake(
            "weights left out",
            120 - 20 * math.exp(_DW),
            "You left the delta weights out. Divide dx and dy by 10, dw and dh by 5.",
        ),
        Mistake(
            "weights of dx alone",
            48 - 20 * math.exp(_DW),
            "You divided dx by its weight, and not dw by 5.",
        ),
        Mistake(
            "weights of dw alone",
            90.0,
            "You divided dw by its weight, and not dx by 10.",
        ),
        Mistake(
            "one weight for all",
            48 - 20 * math.exp(_DW / 10),
            "You divided dw by 10. Its weight is 5.",
            also=(56 - 30,),
        ),
        Mistake(
            "powers of 2",
            48 - 20 * 2 ** (_DW / 5),
            "You took a power of 2. Sides are coded by the natural logarithm.",
        ),
        Mistake(
            "moved corner",
            28.0,
            "You moved x1 and kept the width. Move the centre, scale the width, then go back half "
            "of it.",
        ),
        Mistake(
            "the width kept as a sum",
            48 - (40 + _DW / 5) / 2,
            "You added dw to the width. The width is multiplied by exp(dw / 5).",
        ),
        Mistake(
            "end included",
            40.5 + 0.2 * 41 - 0.5 * 41 * 1.5,
            "You took a width of 41. The ends are exclusive, so it is 40.",
        ),
        Mistake(
            "the other edge",
            78.0,
            "That is x2.",
        ),
    ),
    tolerance=1e-3,
    praise="Right: the centre 40 moves by 2 / 10 of 40 to 48, and the width becomes 60.",
)


def move_logits(logits: Sequence[float], ids: Sequence[int], count: int) -> list[float]:
    """Put logits with background last into the order of labels: the answer to 15.3."""
    moved = [-100.0] * count
    moved[0] = logits[-1]
    for number, label in enumerate(ids):
        moved[label] = logits[number]
    return moved


MOVED = Exercise(
    "15.3",
    "Write move_logits(logits, ids, count): the class logits of one proposal, from a program that "
    "numbers K classes from 0 and has background last, in the order of another one. `logits` are "
    "K + 1 numbers, `ids` the label of each of the K classes in the other program, from 1 and with "
    "gaps. Return `count` numbers: number 0 is the background's, number `label` that of the class, "
    "and a label that no class has gets -100, so that it never wins.",
    move_logits,
    (
        Mistake(
            "background left last",
            Edit("moved[0] = logits[-1]", "moved[-1] = logits[-1]"),
            "You leave the background last. In the other program it is number 0.",
        ),
        Mistake(
            "background taken for the first",
            Edit("logits[-1]", "logits[0]", "logits[number]", "logits[number + 1]"),
            "You read the first logit as the background's. Here it is the last one.",
            also=(Edit("logits[-1]", "logits[0]"),),
        ),
        Mistake(
            "no background",
            Edit("    moved[0] = logits[-1]\n", ""),
            "The background has no logit, so that every proposal becomes an object.",
        ),
        Mistake(
            "gaps left out",
            Edit("moved[label] = logits[number]", "moved[number + 1] = logits[number]"),
            "You number the classes without gaps. Each goes to its label in `ids`.",
        ),
        Mistake(
            "labels from 0",
            Edit("moved[label] = logits[number]",
                 "moved[max(label - 1, 0)] = logits[number]"),
            "Your labels are one too low: label 1 stands at number 1, after the background.",
        ),
        Mistake(
            "0 in the gaps",
            Edit("[-100.0] * count", "[0.0] * count"),
            "Your gaps have a logit of 0. With all others below 0 such a label would win.",
        ),
    ),
    groups={
        "two classes": [([1.5, -0.5, 2.0], [1, 2], 3)],
        "a gap": [([3.0, -1.0, 0.5], [1, 3], 4), ([-3.0, -1.0, -0.5, -2.0], [2, 3, 6], 7)],
        "labels above the last class": [([0.25, 1.0], [2], 5)],
        "another order": [([4.0, 5.0, 6.0, -7.0], [3, 1, 2], 4)],
    },
    praise="Right: background to the front, and every class to its label.",
)  # fmt: skip

_WORDS = {
    "anchors": "The anchors are the same: look at the row of rpn.anchor_generator.",
    "eps": "A wrong eps would show at backbone.body.bn1, with an input that is still the same.",
    "decoding": "Deltas that are decoded without weights would show at roi_heads, with a box "
    "predictor that is still the same.",
    "level": "Boxes that are pooled from one level would show at roi_heads.box_roi_pool, with "
    "inputs that are still the same.",
    "colours": "Exchanged colours would show in the first row, transform, and the values of a "
    "colour would be about as far apart as before.",
    "range": "A wrong range would show in the first row, transform, and the values of a colour "
    "would be nearly one number.",
    "classes": "Rows of classes in another order would show at the layer cls_score, with an input "
    "that is still the same.",
}


def _port(number: str, letter: str, word: str, praise: str) -> Exercise:
    """Ask for the mistake of a port; every other word is a known mistake."""
    return Exercise(
        number,
        f"Which mistake has port {letter}, models.broken_port({letter!r}, model)? Compare it with "
        "the model and answer with one of the words anchors, eps, decoding, level, colours, "
        "classes and range.",
        word,
        tuple(Mistake(other, other, text) for other, text in _WORDS.items() if other != word),
        praise=praise,
    )


PORT_B = _port(
    "15.4",
    "B",
    "eps",
    "Right: bn1 is the first layer with a difference, and all that it has besides its stored "
    "numbers is eps.",
)
PORT_C = _port(
    "15.5",
    "C",
    "decoding",
    "Right: logits and deltas are the same, and the boxes are not, so the decoding lies between.",
)
PORT_D = _port(
    "15.6",
    "D",
    "level",
    "Right: maps and proposals are the same, and what is pooled from them is not.",
)
PORT_E = _port(
    "15.7",
    "E",
    "colours",
    "Right: the batch is different before the network sees it.",
)
PORT_F = _port(
    "15.8",
    "F",
    "classes",
    "Right: the hidden numbers are the same and the logits are not, so the rows are wrong.",
)
PORT_G = _port(
    "15.9",
    "G",
    "range",
    "Right: the batch is nearly grey, because its pixels were taken for numbers up to 255.",
)

EXERCISES = (CLASS_NUMBER, DECODED, MOVED, PORT_B, PORT_C, PORT_D, PORT_E, PORT_F, PORT_G)
"""In the order of the page."""

OPEN_TASKS = (
    OpenTask(
        "15.10",
        "You have ported a detector. Its first difference is at roi_heads.mask_roi_pool, where the "
        "output differs by 0.03 and the input by 2e-7. Which two settings would you look at, and "
        "which test of one box would tell them apart?",
    ),
)
