"""Live figure: what a proposal is to learn, from its IoU with the objects and two thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from roilearn import plot, reference
from roilearn.explore import checks
from roilearn.explore.explorable import Checked, Explorable
from roilearn.explore.scene import HEIGHT, OBJECTS, WIDTH, scene_address, scene_masks, scene_pixels
from roilearn.palette import CLASSES
from roilearn.reference.detection.matching import BELOW_LOW_THRESHOLD, BETWEEN_THRESHOLDS
from roilearn.reference.detection.targets import BACKGROUND, DELTA_WEIGHTS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BOXES = np.array([one["box"] for one in OBJECTS], dtype=float)
MASKS = scene_masks()
HUES = [CLASSES[one["label"] - 1] for one in OBJECTS]
UNMATCHED = {BETWEEN_THRESHOLDS: "ignored", BELOW_LOW_THRESHOLD: "negative"}
INSIDE = 0.5
"""Fraction of a cell that the mask must cover for the cell to be 1."""


def inside_scene(name: str, value: Any) -> list[float]:
    """Check for a box within the scene: proposals are clipped to the image."""
    box = checks.extent("x1, y1, x2, y2", 0, WIDTH)(name, value)
    if box[3] > HEIGHT:
        raise ValueError(f"{name} must end at y2 = {HEIGHT} or above; got {value!r}.")
    return box


def low_and_high(name: str, value: Any) -> list[float]:
    """Check for two thresholds of the IoU, the lower one first."""
    low, high = checks.several(checks.number(0.05, 1), 2)(name, value)
    if low > high:
        raise ValueError(f"{name} must be the lower threshold and the upper one; got {value!r}.")
    return [low, high]


class DetectionTargets(Explorable):
    """Drag a proposal over the example scene: its IoU with each object, its label and its targets.

    Parameters
    ----------
    box : x1, y1, x2, y2 of the proposal in image pixels, within the image of 160 x 128.
    thresholds : IoU below which a proposal is negative, and from which it is positive, 0.05 to 1;
        between the two it is ignored.
    mask_size : cells along a side of the mask target: 7, 14 or 28.
    thresholded : whether a cell is 1 where the mask covers half of it, 0 elsewhere, as in
        Detectron2; or the fraction that is covered, as in torchvision.
    """

    modules = ("operators.mjs", "boxes.mjs", "box_gestures.mjs", "detection_targets.mjs")
    stylesheets = ("detection_targets.css",)
    constants = {  # noqa: RUF012 - declared as a class variable by the base class
        "SCENE": {"address": scene_address(), "height": HEIGHT, "width": WIDTH},
        "OBJECTS": [one | {"hue": hue} for one, hue in zip(OBJECTS, HUES, strict=True)],
        "DELTA_WEIGHTS": DELTA_WEIGHTS,
        "INSIDE": INSIDE,
    }

    box = Checked([18.74, 53.01, 50.16, 84.55], inside_scene)
    thresholds = Checked([0.5, 0.5], low_and_high)
    mask_size = Checked(28, checks.one_of(7, 14, 28))
    thresholded = Checked(True, checks.flag)

    def numbers(self) -> dict[str, Any]:
        """Every number that the figure shows, computed by ``roilearn.reference``."""
        low, high = self.thresholds
        ious = reference.box_iou(BOXES, [self.box])  # (objects, 1)
        (matched,) = reference.match(ious, high, low, allow_low_quality_matches=False).tolist()
        best = int(ious.argmax())
        mask = self.mask_target(matched)
        return {
            "box": self.box,
            "thresholds": {"low": low, "high": high},
            "ious": ious[:, 0].tolist(),
            "best": {
                "row": best if ious[best, 0] > 0 else None,
                "name": OBJECTS[best]["name"] if ious[best, 0] > 0 else None,
                "iou": float(ious[best, 0]),
            },
            "verdict": UNMATCHED.get(matched, "positive"),
            "class": label_of(matched),
            "deltas": self.deltas(matched, (1, 1, 1, 1)),
            "weighted": self.deltas(matched, DELTA_WEIGHTS),
            "mask": mask.tolist(),
            "mask_size": self.mask_size,
            "cells": {"inside": int((mask >= INSIDE).sum()), "of": mask.size},
        }

    def deltas(self, matched: int, weights: tuple[float, ...]) -> list[float | None]:
        """Encode the object that the proposal is matched with; none without a match."""
        if matched < 0:
            return [None] * 4
        box = BOXES[matched : matched + 1]
        return reference.encode_boxes(box, [self.box], weights)[0].tolist()

    def mask_target(self, matched: int) -> np.ndarray:
        """(mask_size, mask_size) mask of the matched object, cropped to the proposal."""
        options: dict[str, Any] = {"size": self.mask_size, "aligned": True}
        (mask,) = reference.mask_targets(MASKS, [self.box], [matched], **options)
        return (mask >= INSIDE).astype(float) if self.thresholded else mask

    @property
    def alt(self) -> str:
        """What is to be seen in the figure's present state."""
        numbers = self.numbers()
        x1, y1, x2, y2 = (f"{edge:g}" for edge in self.box)
        ious = ", ".join(
            f"{iou:.2f} with the {one['name']}"
            for one, iou in zip(OBJECTS, numbers["ious"], strict=True)
        )
        targets = {
            "positive": f"its class target is {numbers['best']['name']}, and of the "
            f"{self.mask_size} x {self.mask_size} cells of its mask target "
            f"{numbers['cells']['inside']} lie at least half inside the object",
            "negative": "its class target is background, and its mask target is all zeros",
            "ignored": "it has no target, and the mask target is drawn as zeros",
        }
        return (
            f"The example scene with a triangle, a square and a disc, each tinted in the colour of "
            f"its class. A proposal, x {x1} to {x2}, y {y1} to {y2} image pixels, has IoU {ious}, "
            f"as bars with lines at the thresholds {self.thresholds[0]:g} and "
            f"{self.thresholds[1]:g}. The proposal is {numbers['verdict']}: "
            f"{targets[numbers['verdict']]}."
        )

    def draw(self) -> Figure:
        """Draw the present state with matplotlib, in the live figure's visual language."""
        numbers = self.numbers()
        options: dict[str, Any] = {"gridspec_kw": {"width_ratios": [1.35, 1.1, 1]}}
        figure, (scene, bars, target) = plot.new_figure(3, width=9.4, height=3.3, **options)
        draw_proposal(scene, numbers)
        draw_ious(bars, numbers)
        draw_mask_target(target, numbers)
        return figure


def label_of(matched: int) -> int | None:
    """Class target of a proposal: that of its object, background, or none if it is ignored.

    Examples
    --------
    >>> label_of(1), label_of(-1), label_of(-2)
    (2, 0, None)
    """
    if matched >= 0:
        return OBJECTS[matched]["label"]
    return BACKGROUND if matched == BELOW_LOW_THRESHOLD else None


def draw_proposal(axes: Axes, numbers: dict[str, Any]) -> None:
    """Draw the scene, its objects and the proposal: solid if positive, dashed, or dotted."""
    axes.imshow(scene_pixels(), extent=(0, WIDTH, HEIGHT, 0), alpha=0.6)
    for mask, hue in zip(MASKS, HUES, strict=True):
        axes.contourf(mask, levels=[0.5, 1], colors=[hue], alpha=0.6, extent=(0, WIDTH, 0, HEIGHT))
    x1, y1, x2, y2 = numbers["box"]
    outline = [x1, x2, x2, x1, x1], [y1, y1, y2, y2, y1]
    under, over, style = {
        "positive": ("black", HUES[numbers["best"]["row"] or 0], "-"),
        "ignored": ("white", "black", "--"),
        "negative": ("white", "black", ":"),
    }[numbers["verdict"]]
    axes.plot(*outline, color=under, linewidth=4.5)
    axes.plot(*outline, color=over, linewidth=2.2, linestyle=style)
    axes.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0), xlabel="x (image pixels)")
    axes.set_ylabel("y (image pixels)")
    axes.set_title(f"The proposal is {numbers['verdict']}")


def draw_ious(axes: Axes, numbers: dict[str, Any]) -> None:
    """Draw the IoU with each object as a bar, between the two thresholds."""
    for row, (iou, hue) in enumerate(zip(numbers["ious"], HUES, strict=True)):
        axes.barh(row, iou, height=0.6, color=hue, edgecolor="black", linewidth=0.8)
        words = axes.text(iou + 0.03, row, f"{iou:.2f}", va="center")
        words.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})
    for threshold in numbers["thresholds"].values():
        axes.axvline(threshold, color="0.3", linewidth=1, zorder=0)
    axes.set(xlim=(0, 1.2), ylim=(2.6, -0.6), xlabel="IoU with the proposal")
    axes.set_xticks([0, *sorted({*numbers["thresholds"].values()}), 1])
    axes.set_yticks(range(len(OBJECTS)), [one["name"] for one in OBJECTS])


def draw_mask_target(axes: Axes, numbers: dict[str, Any]) -> None:
    """Draw the cells of the mask target, dark where they are 1."""
    axes.imshow(numbers["mask"], cmap="Greys", vmin=0, vmax=1.2)
    axes.spines[:].set_visible(True)
    axes.set(
        xticks=[],
        yticks=[],
        xlabel="{inside} of {of} cells at 0.5 or more".format(**numbers["cells"]),
    )
    axes.set_title("Mask target, {0} x {0} cells".format(numbers["mask_size"]))
