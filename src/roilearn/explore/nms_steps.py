"""Live figure: greedy non-maximum suppression, a kept box at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from roilearn import plot, reference
from roilearn.explore import checks
from roilearn.explore.explorable import Checked, Explorable
from roilearn.explore.nms_steps_still import draw_boxes, draw_overlaps
from roilearn.explore.scene import HEIGHT, SHAPE_COLOURS, SHAPES, WIDTH, scene_address

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BOXES = "ABCDEF"
"""Name of each box, in the order of the arguments."""

OPENING = {
    "A": ("disc", 0.97, [40, 1, 117, 77]),
    "B": ("square", 0.95, [18, 54, 50, 86]),
    "C": ("disc", 0.90, [57, 6, 135, 82]),  # A removes it; it would have removed E
    "D": ("triangle", 0.86, [119, 104, 133, 117]),
    "E": ("disc", 0.74, [71, 10, 149, 86]),
    "F": ("triangle", 0.62, [20, 61, 52, 91]),  # of another class than B, the box under it
}


class NmsSteps(Explorable):
    """Six boxes with scores: each step keeps the best box that is left and removes others.

    A step removes the boxes whose IoU with the kept box is above ``iou_threshold``; with
    ``class_wise``, only those of its class.

    Parameters
    ----------
    boxes : six boxes A to F as x1, y1, x2, y2 in image pixels of the example scene.
    scores : six scores from 0 to 1; of equal scores the first box comes first.
    classes : six of ``"disc"``, ``"square"`` and ``"triangle"``.
    iou_threshold : IoU above which a box is removed, 0.1 to 0.9.
    class_wise : whether boxes of different classes leave each other alone.
    step : number of boxes kept so far; 0: nothing is decided. Beyond the last step: the last.
    chosen : name of the box that can be dragged, ``"A"`` to ``"F"``.
    """

    modules = ("box_gestures.mjs", "nms_steps_picture.mjs", "nms_steps.mjs")
    stylesheets = ("nms_steps.css",)
    constants = {  # noqa: RUF012 - declared as a class variable by the base class
        "SCENE": {"address": scene_address(), "height": HEIGHT, "width": WIDTH},
        "BOXES": list(BOXES),
        "SHAPE_COLOURS": SHAPE_COLOURS,
    }

    boxes = Checked(
        [box for _, _, box in OPENING.values()],
        checks.several(checks.extent("x1, y1, x2, y2", 0, WIDTH), len(BOXES)),
    )
    scores = Checked(
        [score for _, score, _ in OPENING.values()],
        checks.several(checks.number(0, 1), len(BOXES)),
    )
    classes = Checked(
        [shape for shape, _, _ in OPENING.values()],
        checks.several(checks.one_of(*SHAPES), len(BOXES)),
    )
    iou_threshold = Checked(0.5, checks.number(0.1, 0.9))
    class_wise = Checked(True, checks.flag)
    step = Checked(1, checks.whole(0, len(BOXES)))
    chosen = Checked("E", checks.one_of(*BOXES))

    def numbers(self) -> dict[str, Any]:
        """Every number that the figure shows, computed by ``roilearn.reference``."""
        kept, ious = self.kept(), reference.box_iou(self.boxes, self.boxes)
        step = min(self.step, len(kept))
        now = kept[step - 1] if step else None
        return {
            "iou_threshold": self.iou_threshold,
            "step": step,
            "steps": len(kept),
            "now": None if now is None else BOXES[now],
            "kept": [BOXES[i] for i in kept[:step]],
            "rows": [self.row(i, kept, step, ious) for i in range(len(BOXES))],
            "would_have_removed": [] if now is None else self.removed_rivals(now, kept, ious),
        }

    def kept(self) -> list[int]:
        """Return indices of the boxes that are kept in the end, by descending score."""
        boxes, scores = np.array(self.boxes, float), np.array(self.scores, float)
        groups = [SHAPES.index(shape) if self.class_wise else 0 for shape in self.classes]
        return reference.batched_nms(boxes, scores, groups, self.iou_threshold).tolist()

    def same_group(self, i: int, j: int) -> bool:
        """Whether two boxes may remove each other at all."""
        return not self.class_wise or self.classes[i] == self.classes[j]

    def row(self, i: int, kept: list[int], step: int, ious: np.ndarray) -> dict[str, Any]:
        """One box in this step: its IoU with the kept box, and what has become of it."""
        remover = None if i in kept else self.remover(i, kept, ious)
        decided = kept.index(i if remover is None else remover) + 1
        now = kept[step - 1] if step else None
        return {
            "box": BOXES[i],
            "class": self.classes[i],
            "score": self.scores[i],
            "iou": None if now is None else float(ious[now, i]),
            "compared": now not in (None, i) and decided >= step and self.same_group(now, i),
            "state": state_words(decided, step, remover),
        }

    def remover(self, i: int, kept: list[int], ious: np.ndarray) -> int:
        """Return the first kept box of the group whose IoU with this box is above the threshold."""
        return next(j for j in kept if self.same_group(i, j) and ious[i, j] > self.iou_threshold)

    def removed_rivals(self, now: int, kept: list[int], ious: np.ndarray) -> list[str]:
        """Name the removed boxes that would have removed the box kept now: they came before it."""
        order = np.argsort(-np.array(self.scores), kind="stable").tolist()
        before = order[: order.index(now)]
        return [
            BOXES[i]
            for i in before
            if i not in kept and self.same_group(i, now) and ious[i, now] > self.iou_threshold
        ]

    @property
    def alt(self) -> str:
        """What is to be seen in the figure's present state."""
        numbers = self.numbers()
        boxes = ", ".join(
            f"{row['box']} ({row['class']}, {row['score']:.2f}) {row['state']}"
            + (f" at IoU {row['iou']:.2f}" if row["state"] == "removed now" else "")
            for row in numbers["rows"]
        )
        return (
            f"Six boxes over the disc, the square and the triangle of the example scene, and "
            f"non-maximum suppression at the threshold {self.iou_threshold:.2f}, "
            f"{'class by class' if self.class_wise else 'all classes together'}. After step "
            f"{numbers['step']} of {numbers['steps']}: {boxes}. Beside the scene, a bar for the "
            f"IoU of each box with the box kept in this step, and a line at the threshold."
        )

    def draw(self) -> Figure:
        """Draw the present state with matplotlib, in the live figure's visual language."""
        numbers = self.numbers()
        options: dict[str, Any] = {"gridspec_kw": {"width_ratios": [1, 1.1]}}
        figure, (left, right) = plot.new_figure(2, width=9.0, height=3.4, **options)
        draw_boxes(left, self.boxes, numbers["rows"])
        draw_overlaps(right, numbers)
        return figure


def state_words(decided: int, step: int, remover: int | None) -> str:
    """Say what has become of a box by ``step``, if it is decided at the step ``decided``.

    Examples
    --------
    >>> state_words(2, 1, None), state_words(2, 2, None), state_words(2, 3, 0)
    ('waiting', 'kept now', 'removed by A')
    """
    if decided > step:
        return "waiting"
    if decided == step:
        return "kept now" if remover is None else "removed now"
    return "kept" if remover is None else f"removed by {BOXES[remover]}"
