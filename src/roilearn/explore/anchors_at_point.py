"""Live figure: the twelve anchors at four cells of a map, and their IoU with an object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from roilearn import plot, reference
from roilearn.explore import checks
from roilearn.explore.explorable import Checked, Explorable
from roilearn.explore.scene import HEIGHT, WIDTH, scene_address, scene_pixels
from roilearn.palette import CLASSES
from roilearn.reference.boxes.anchors import ASPECT_RATIOS
from roilearn.reference.detection.matching import BELOW_LOW_THRESHOLD, BETWEEN_THRESHOLDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CORNER = (32, 64)
"""Top left corner of the four cells, in image pixels: a corner of cells at every stride here."""
WINDOW = (4, 36, 84, 116)
"""Part of the example scene that is shown, in image pixels."""
HIGH, LOW = 0.7, 0.3
"""IoU from which an anchor is positive, and below which it is negative."""
OFFSETS = {"corner": 0, "centre": 0.5}
LABELS = {0: "positive", BETWEEN_THRESHOLDS: "ignored", BELOW_LOW_THRESHOLD: "negative"}
SQUARE = CLASSES[1]
"""Colour of the class of the object in the opening state, and of anchors matched with it."""


class AnchorsAtPoint(Explorable):
    """Drag an object over twelve anchors: three ratios at each of 2 x 2 cells.

    The cells are four of a larger map over the example scene; their top left corner is
    ``CORNER``. The anchors are those of ``reference.generate_anchors``, numbered from 1.

    Parameters
    ----------
    box : x1, y1, x2, y2 of the object in image pixels; opens on the square of the scene.
    stride : image pixels a cell: 4, 8 or 16.
    size : square root of an anchor's area, in image pixels: 12, 18, 24, 30 or 36.
    offset : place of an anchor's centre in its cell: 0, the top left corner, or 0.5, the centre.
    rounded : whether an anchor's edges about its centre are rounded to whole pixels.
    """

    modules = ("operators.mjs", "boxes.mjs", "box_gestures.mjs", "anchors_at_point.mjs")
    stylesheets = ("anchors_at_point.css",)
    constants = {  # noqa: RUF012 - declared as a class variable by the base class
        "SCENE": {"address": scene_address(), "height": HEIGHT, "width": WIDTH},
        "CORNER": CORNER,
        "WINDOW": WINDOW,
        "RATIOS": ASPECT_RATIOS,
        "THRESHOLDS": {"high": HIGH, "low": LOW},
        "SQUARE": SQUARE,
    }

    box = Checked([18, 54, 50, 86], checks.extent("x1, y1, x2, y2", 0, 160))
    stride = Checked(8, checks.one_of(4, 8, 16))
    size = Checked(24, checks.one_of(12, 18, 24, 30, 36))
    offset = Checked(0.5, checks.one_of(*OFFSETS.values()))
    rounded = Checked(False, checks.flag)

    def numbers(self) -> dict[str, Any]:
        """Every number that the figure shows, computed by ``roilearn.reference``."""
        anchors = self.anchors(self.offset)
        ious = self.ious(anchors)
        return {
            "box": self.box,
            "stride": self.stride,
            "size": self.size,
            "shapes": [[x2 - x1, y2 - y1] for x1, y1, x2, y2 in self.base_anchors().tolist()],
            "centres": self.centres(),
            "anchors": anchors.tolist(),
            "ious": ious.tolist(),
            "labels": label_anchors(ious),
            "best": self.best(self.offset),
            "offsets": {name: self.best(offset) for name, offset in OFFSETS.items()},
        }

    def base_anchors(self) -> np.ndarray:
        """(3, 4) anchors of one cell, about the origin."""
        return reference.base_anchors(self.size, ASPECT_RATIOS, self.rounded)

    def anchors(self, offset: float) -> np.ndarray:
        """(12, 4) anchors: three of each cell, the cells row by row."""
        options = {"offset": offset, "rounded": self.rounded}
        anchors = reference.generate_anchors((2, 2), self.stride, self.size, **options)
        return anchors + np.array([*CORNER, *CORNER])

    def centres(self) -> list[list[float]]:
        """x, y at which the anchors of each cell are centred, the cells row by row."""
        places = [(place + self.offset) * self.stride for place in (0, 1)]
        return [[x + CORNER[0], y + CORNER[1]] for y in places for x in places]

    def ious(self, anchors: np.ndarray) -> np.ndarray:
        """(12,) IoU of the object with each anchor."""
        return reference.box_iou([self.box], anchors)[0]

    def best(self, offset: float) -> dict[str, Any]:
        """Anchor of the highest IoU, the first in a tie; none where no anchor meets the object."""
        anchors = self.anchors(offset)
        ious = self.ious(anchors)
        best = int(ious.argmax())
        if ious[best] == 0:
            nothing = dict.fromkeys(("number", "iou", "label"))
            return nothing | {"anchor": [None] * 4, "deltas": [None] * 4}
        return {
            "number": best + 1,
            "iou": float(ious[best]),
            "label": label_anchors(ious)[best],
            "anchor": anchors[best].tolist(),
            "deltas": reference.encode_boxes([self.box], anchors[best : best + 1])[0].tolist(),
        }

    @property
    def alt(self) -> str:
        """What is to be seen in the figure's present state."""
        x1, y1, x2, y2 = (f"{edge:g}" for edge in self.box)
        best = {name: describe_best(self.best(offset)) for name, offset in OFFSETS.items()}
        counts = label_anchors(self.ious(self.anchors(self.offset)))
        told = ", ".join(f"{counts.count(word)} {word}" for word in dict.fromkeys(counts))
        return (
            f"Part of the example scene with four cells of stride {self.stride} and twelve anchors "
            f"of size {self.size}{', rounded' if self.rounded else ''}, centred at offset "
            f"{self.offset:g} of their cells: at each, one wide, one square, one high. The object "
            f"is a box, x {x1} to {x2}, y {y1} to {y2} image pixels. Bars show the IoU of each "
            f"anchor with it, with lines at {LOW} and {HIGH}: {told}. At offset 0, "
            f"{best['corner']}; at offset 0.5, {best['centre']}."
        )

    def draw(self) -> Figure:
        """Draw the present state with matplotlib, in the live figure's visual language."""
        numbers = self.numbers()
        options: dict[str, Any] = {"gridspec_kw": {"width_ratios": [1.1, 1]}}
        figure, (left, right) = plot.new_figure(2, width=8.6, height=4.2, **options)
        draw_anchors(left, numbers)
        draw_ious(right, numbers)
        return figure


def label_anchors(ious: np.ndarray) -> list[str]:
    """Say for each anchor whether training takes it as positive, rescued, ignored or negative.

    An anchor is rescued if it is positive only because no anchor has a higher IoU with the object.
    The twelve anchors are part of a larger map: where none of them overlaps the object, its best
    anchor is another one, and none of the twelve is rescued.

    Examples
    --------
    >>> label_anchors(np.array([0.6, 0.2]))
    ['rescued', 'negative']
    """
    alone = reference.match(ious[None], HIGH, LOW, allow_low_quality_matches=False)
    rescued = (reference.match(ious[None], HIGH, LOW) != alone) & (ious > 0)
    pairs = zip(alone.tolist(), rescued, strict=True)
    return ["rescued" if low_quality else LABELS[one] for one, low_quality in pairs]


def describe_best(best: dict[str, Any]) -> str:
    """Put the best anchor, its IoU and its label in words."""
    if best["number"] is None:
        return "no anchor meets the object"
    return f"anchor {best['number']} is the best, IoU {best['iou']:.2f}, {best['label']}"


def draw_anchors(axes: Axes, numbers: dict[str, Any]) -> None:
    """Draw the cells, their centres, the anchors and the object over the scene."""
    x1, y1, x2, y2 = WINDOW
    axes.imshow(scene_pixels(), extent=(0, WIDTH, HEIGHT, 0), alpha=0.55)
    edges = [(CORNER[axis] + n * numbers["stride"], axis) for n in range(3) for axis in (0, 1)]
    ends = [[start, start + 2 * numbers["stride"]] for start in CORNER]
    for edge, axis in edges:
        line = [[edge] * 2, ends[1 - axis]]
        axes.plot(*(line[::-1] if axis else line), color="white", linewidth=2.5)
    styles = {"negative": (":", "0.35"), "ignored": ("--", "0.15")}
    for n, (anchor, label) in enumerate(zip(numbers["anchors"], numbers["labels"], strict=True), 1):
        line, colour = styles.get(label, ("-", SQUARE))
        width = 3 if n == numbers["best"]["number"] else 1.2
        left, top, right, bottom = anchor
        outline = [left, right, right, left, left], [top, top, bottom, bottom, top]
        axes.plot(*outline, linestyle=line, color=colour, linewidth=width)
    plot.draw_points(axes, *zip(*numbers["centres"], strict=True))
    plot.draw_box(axes, numbers["box"])
    axes.set(xlim=(x1, x2), ylim=(y2, y1), xlabel="x (image pixels)", ylabel="y (image pixels)")


def draw_ious(axes: Axes, numbers: dict[str, Any]) -> None:
    """Draw the IoU of each anchor as a bar, with its label in words."""
    shades = {"negative": "0.85", "ignored": "0.6"}
    for n, (iou, label) in enumerate(zip(numbers["ious"], numbers["labels"], strict=True), 1):
        axes.barh(n, iou, height=0.7, color=shades.get(label, SQUARE))
        best = ", best" if n == numbers["best"]["number"] else ""
        words = axes.text(iou + 0.02, n, f"{iou:.2f} {label}{best}", va="center", fontsize=8)
        words.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})
    for threshold in (LOW, HIGH):
        axes.axvline(threshold, color="0.3", linewidth=1, zorder=0)
    axes.set(xlim=(0, 1.35), ylim=(12.6, 0.4), xlabel="IoU with the object", ylabel="anchor")
    axes.set_xticks([0, LOW, HIGH, 1])
    axes.set_yticks(range(1, 13))
