"""Live figure: average precision of a dozen detections, and the order of equal scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from roilearn import plot, reference
from roilearn.explore import checks
from roilearn.explore.average_precision_still import draw_curve, draw_ranking
from roilearn.explore.example_detections import (
    DETECTIONS,
    LABELS,
    OBJECTS,
    best_overlaps,
    example_images,
)
from roilearn.explore.explorable import Checked, Explorable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = "".join(DETECTIONS)
"""Name of each detection, in the order of the results file."""
OVERLAPS = best_overlaps()
COUNTS = {label: sum(one[1] == label for one in OBJECTS) for label in LABELS}
TIES = ("listed", "reversed", "best", "worst")


class AveragePrecision(Explorable):
    """Twelve detections with scores: which are right, precision over recall, and three summaries.

    Parameters
    ----------
    scores : twelve scores from 0 to 1, of the detections A to L.
    iou_threshold : IoU from which on a detection is right, 0.5 to 0.95.
    ties : order of equal scores: as they are ``"listed"``, ``"reversed"``, with the right
        detections first (``"best"``) or last (``"worst"``).
    chosen : name of the detection whose score can be moved; the curve is that of its class.
    """

    modules = ("average_precision_picture.mjs", "average_precision.mjs")
    stylesheets = ("average_precision.css",)
    constants = {  # noqa: RUF012 - declared as a class variable by the base class
        "DETECTIONS": OVERLAPS,
        "COUNTS": COUNTS,
        "RECALLS_101": reference.RECALLS_101.tolist(),
        "RECALLS_11": reference.RECALLS_11.tolist(),
    }

    scores = Checked(
        [score for _, _, score, _ in DETECTIONS.values()],
        checks.several(checks.number(0, 1), len(NAMES)),
    )
    iou_threshold = Checked(0.5, checks.number(0.5, 0.95))
    ties = Checked("listed", checks.one_of(*TIES))
    chosen = Checked("B", checks.one_of(*NAMES))

    def images(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return detections and targets of the two images, for ``reference.average_precision``."""
        return example_images(self.scores)

    def numbers(self) -> dict[str, Any]:
        """Every number that the figure shows, computed by ``roilearn.reference``."""
        label = OVERLAPS[NAMES.index(self.chosen)]["class"]
        here = self.summaries(self.ties)
        worst, best = (  # as they are shown, so that their difference is that of the shown numbers
            float(f"{self.summaries(ties)['coco']['mean']:.4f}") for ties in ("worst", "best")
        )
        return {
            "class": label,
            "objects": COUNTS[label],
            "chosen": {"name": self.chosen, "score": self.scores[NAMES.index(self.chosen)]},
            "iou_threshold": self.iou_threshold,
            "rows": self.rows(label),
            "summaries": here,
            "spread": {"worst": worst, "best": best, "width": best - worst},
        }

    def ranked(self, label: str, ties: str) -> tuple[list[int], list[bool]]:
        """Sort the detections of a class by descending score, and say which of them are right."""
        listed = [n for n, one in enumerate(OVERLAPS) if one["class"] == label]
        listed = listed[::-1] if ties == "reversed" else listed
        scores = np.array([self.scores[n] for n in listed])
        order = [listed[k] for k in np.argsort(-scores, kind="stable")]
        right = self.right(order)
        if ties in ("best", "worst"):  # who is right among equal scores stays, but not who is first
            first = np.array([one == (ties == "worst") for one in right])
            sort = np.lexsort((first, [-self.scores[n] for n in order]))
            order, right = [order[k] for k in sort], [right[k] for k in sort]
        return order, right

    def right(self, order: list[int]) -> list[bool]:
        """Match the detections of one class in this order, each with at most one free object."""
        ious = np.zeros((len(order), len(OBJECTS)))
        for row, n in enumerate(order):
            if OVERLAPS[n]["object"] is not None:
                ious[row, OVERLAPS[n]["object"]] = OVERLAPS[n]["iou"]
        none = np.zeros(len(OBJECTS), dtype=bool)
        return (reference.match_detections(ious, none, none, self.iou_threshold) >= 0).tolist()

    def rows(self, label: str) -> list[dict[str, Any]]:
        """Rows of the table: the detections of a class, the highest score first."""
        order, right = self.ranked(label, self.ties)
        precision, recall = reference.precision_recall(right, COUNTS[label])
        best = reference.interpolate_precision(precision)
        return [
            {
                "name": NAMES[n],
                "image": OVERLAPS[n]["image"],
                "score": self.scores[n],
                "iou": OVERLAPS[n]["iou"],
                "verdict": "right" if right[k] else "wrong",
                "precision": float(precision[k]),
                "recall": float(recall[k]),
                "interpolated": float(best[k]),
            }
            for k, n in enumerate(order)
        ]

    def summaries(self, ties: str) -> dict[str, dict[str, float]]:
        """AP of both classes and their mean: at 101 recalls, at 11, and by area."""
        ways = {
            "coco": reference.ap_101_points,
            "voc": reference.ap_11_points,
            "area": reference.area_under_curve,
        }
        curves = {
            label: reference.precision_recall(self.ranked(label, ties)[1], COUNTS[label])
            for label in LABELS
        }
        found = {
            way: {label: summary(*curve) for label, curve in curves.items()}
            for way, summary in ways.items()
        }
        return {
            way: {**each, "mean": sum(each.values()) / len(each)} for way, each in found.items()
        }

    @property
    def alt(self) -> str:
        """What is to be seen in the figure's present state."""
        numbers = self.numbers()
        rows = ", ".join(
            f"{row['name']} {row['score']:.2f} {row['verdict']}" for row in numbers["rows"]
        )
        means = [numbers["summaries"][way] for way in ("coco", "voc", "area")]
        words = ", ".join(f"{each[numbers['class']]:.4f}" for each in means)
        return (
            f"Six detections of the class {numbers['class']} by descending score, equal scores "
            f"{self.ties}, at an IoU threshold of {self.iou_threshold:.2f}: {rows}. Beside them, "
            f"precision over recall as a thin zigzag, with a point for each detection, and the "
            f"interpolated precision as thick steps above it. The AP of the class at 101 recalls, "
            f"at 11 and by area: {words}."
        )

    def draw(self) -> Figure:
        """Draw the present state with matplotlib, in the live figure's visual language."""
        numbers = self.numbers()
        options: dict[str, Any] = {"gridspec_kw": {"width_ratios": [1, 1.1]}}
        figure, (left, right) = plot.new_figure(2, width=9.0, height=3.4, **options)
        draw_ranking(left, numbers)
        draw_curve(right, numbers)
        return figure
