"""Live figure: five detections, which are right, and which kind of error the others are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from roilearn import plot, reference
from roilearn.explore import checks
from roilearn.explore.explorable import Checked, Explorable
from roilearn.explore.nms_steps_still import draw_boxes
from roilearn.explore.scene import (
    HEIGHT,
    OBJECTS,
    SHAPE_COLOURS,
    SHAPES,
    WIDTH,
    scene_address,
)
from roilearn.reference.detection.detection_errors import BACKGROUND_IOU
from roilearn.reference.detection.mended_detections import METRICS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BOXES = "ABCDE"
"""Name of each detection, in the order of the arguments."""

OPENING = {
    "A": ("disc", 0.97, [40, 1, 117, 77]),  # right
    "B": ("disc", 0.86, [48, 6, 128, 82]),  # a duplicate
    "C": ("square", 0.74, [24, 62, 58, 96]),  # misplaced
    "D": ("square", 0.91, [119, 103, 134, 117]),  # of the wrong class: a triangle lies there
    "E": ("triangle", 0.55, [120, 20, 150, 50]),  # background
}

LINES = {
    "right": {"linewidth": 3.2},
    "misplaced": {"linewidth": 1.8, "dashes": (4, 2)},
    "wrong class": {"linewidth": 1.8, "dashes": (4, 2)},
    "both": {"linewidth": 1.8, "dashes": (4, 2)},
    "duplicate": {"linewidth": 1.8, "dashes": (1, 2)},
    "background": {"linewidth": 1.8, "dashes": (1, 2)},
}
"""Line of a detection in the still picture, by its kind."""


class ErrorKinds(Explorable):
    """Five detections on the example scene: their kinds of errors, and the average precision.

    Parameters
    ----------
    boxes : five boxes A to E as x1, y1, x2, y2 in image pixels of the example scene.
    scores : five scores from 0 to 1; of equal scores the first box comes first.
    classes : five of ``"disc"``, ``"square"`` and ``"triangle"``.
    threshold : IoU from which on a detection finds an object of its class, 0.5 or 0.75.
    chosen : name of the detection that can be dragged and changed, ``"A"`` to ``"E"``.
    """

    modules = ("boxes.mjs", "box_gestures.mjs", "nms_steps_picture.mjs", "error_kinds.mjs")
    stylesheets = ("error_kinds.css",)
    constants = {  # noqa: RUF012 - declared as a class variable by the base class
        "SCENE": {"address": scene_address(), "height": HEIGHT, "width": WIDTH},
        "BOXES": list(BOXES),
        "SHAPE_COLOURS": SHAPE_COLOURS,
        "OBJECTS": [{"name": one["name"], "box": one["box"]} for one in OBJECTS],
        "BACKGROUND_IOU": BACKGROUND_IOU,
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
    threshold = Checked(0.5, checks.one_of(*METRICS.values()))
    chosen = Checked("C", checks.one_of(*BOXES))

    def detections(self) -> dict[str, np.ndarray]:
        """Return the detections as ``roilearn.reference`` takes them."""
        labels = np.array([SHAPES.index(shape) + 1 for shape in self.classes])
        return {"boxes": np.array(self.boxes), "labels": labels, "scores": np.array(self.scores)}

    def targets(self) -> dict[str, np.ndarray]:
        """Return the objects of the scene as ``roilearn.reference`` takes them."""
        return {
            "boxes": np.array([one["box"] for one in OBJECTS], float),
            "labels": np.array([one["label"] for one in OBJECTS]),
        }

    def numbers(self) -> dict[str, Any]:
        """Every number that the figure shows, computed by ``roilearn.reference``."""
        detections, targets = self.detections(), self.targets()
        errors = reference.detection_errors(detections, targets, threshold=self.threshold)
        ious = reference.box_iou(self.boxes, targets["boxes"])
        return {
            "threshold": self.threshold,
            "score": self.scores[BOXES.index(self.chosen)],
            "rows": [self.row(i, errors, ious[i]) for i in range(len(BOXES))],
            "missed": [one["name"] for one, no in zip(OBJECTS, errors.missed, strict=True) if no],
            "right": int(errors.found.sum()),
            "ap": self.average_precisions(detections, targets),
        }

    def row(self, i: int, errors: reference.DetectionErrors, ious: np.ndarray) -> dict[str, Any]:
        """One detection: its kind, and the object with which it is matched or overlaps most."""
        iou = float(ious[errors.nearest[i]])
        return {
            "box": BOXES[i],
            "class": self.classes[i],
            "score": self.scores[i],
            "iou": iou,
            "object": OBJECTS[errors.nearest[i]]["name"] if iou > 0 else None,
            "state": errors.kinds[i],
        }

    def average_precisions(self, *images: dict[str, np.ndarray]) -> dict[str, float]:
        """Average precision of each class at the threshold, and their mean."""
        metric = next(name for name, value in METRICS.items() if value == self.threshold)
        numbers = {}
        for one in OBJECTS:
            found, wanted = (
                {name: values[image["labels"] == one["label"]] for name, values in image.items()}
                for image in images
            )
            numbers[one["name"]] = reference.average_precision([found], [wanted])[metric]
        return numbers | {"mean": float(np.mean(list(numbers.values())))}

    @property
    def alt(self) -> str:
        """What is to be seen in the figure's present state."""
        numbers = self.numbers()
        rows = "; ".join(
            f"{row['box']}, {row['class']}, score {row['score']:.2f}, {row['state']}"
            for row in numbers["rows"]
        )
        missed = ", ".join(numbers["missed"]) or "none"
        return (
            f"Five boxes over the disc, the square and the triangle of the example scene: {rows}. "
            f"Missed objects: {missed}. At the IoU {self.threshold:.2f} the average precision is "
            f"{numbers['ap']['mean']:.2f}, the mean of the three classes."
        )

    def draw(self) -> Figure:
        """Draw the present state with matplotlib, in the live figure's visual language."""
        numbers = self.numbers()
        options: dict[str, Any] = {"gridspec_kw": {"width_ratios": [1, 1.1]}}
        figure, (left, right) = plot.new_figure(2, width=9.0, height=3.4, **options)
        draw_boxes(left, self.boxes, numbers["rows"], LINES)
        draw_kinds(right, numbers)
        return figure


def draw_kinds(axes: Axes, numbers: dict[str, Any]) -> None:
    """Draw a bar for the IoU of each detection, in the colour of its class; write its kind."""
    for y, row in enumerate(numbers["rows"]):
        hue = SHAPE_COLOURS[row["class"]]
        axes.barh(y, row["iou"], height=0.55, color=hue, edgecolor="black", linewidth=0.6)
        axes.text(1.04, y, f"{row['iou']:.2f}  {row['state']}", va="center")
    axes.axvline(numbers["threshold"], color="black", linewidth=1.2, linestyle="--")
    titles = [f"{row['box']}  {row['class']} {row['score']:.2f}" for row in numbers["rows"]]
    axes.set_yticks(range(len(BOXES)), titles)
    axes.set(xlim=(0, 1), ylim=(len(BOXES) - 0.4, -0.6))
    ap = ", ".join(f"{name} {value:.2f}" for name, value in numbers["ap"].items())
    axes.set_xlabel(f"IoU with the object that it overlaps most\nAP: {ap}")
