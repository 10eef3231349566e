"""Live figure: a small mask pasted into a box, and the pixels that two rules get wrong."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from roilearn import plot, reference
from roilearn.explore import checks
from roilearn.explore.explorable import Checked, Explorable
from roilearn.explore.paste_mask_still import describe, draw_errors, draw_pixels
from roilearn.explore.scene import (
    BY_NAME,
    HEIGHT,
    MASK_TARGETS,
    SHAPES,
    WIDTH,
    mask_target,
    object_mask,
    scene_address,
)
from roilearn.palette import CLASSES
from roilearn.reference.boxes.masks import pasted_region

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDES = (7, 14, 28)
PADDING, THRESHOLD = 1, 0.5
"""Rings of zeros around a mask, and the value above which a pixel is pasted."""
RULES = {
    "on": (True, False),
    "off": (False, False),
    "on_rounded": (True, True),
    "off_rounded": (False, True),
}
"""The four ways to paste: with or without half pixels, box as it is or rounded."""
MARGIN = 6
"""Image pixels shown around an object."""


def window(shape: str) -> list[int]:
    """Part of the scene that is shown with an object, in image pixels."""
    x1, y1, x2, y2 = BY_NAME[shape]["box"]
    ends = min(x2 + MARGIN, WIDTH), min(y2 + MARGIN, HEIGHT)
    return [max(x1 - MARGIN, 0), max(y1 - MARGIN, 0), *ends]


@lru_cache(maxsize=16)  # a still, its alt text and its numbers need the same masks
def paste_in_region(shape: str, side: int, *region: float) -> np.ndarray:
    """Paste an object's mask target, with its ring of zeros, into a region of the scene."""
    cells = np.pad(mask_target(shape, side), PADDING)[None, None]
    options: dict[str, Any] = {"padding": 0, "threshold": THRESHOLD, "coordinates": "aligned"}
    return reference.paste_masks_in_image(cells, [region], (HEIGHT, WIDTH), **options)[0, 0]


class PasteMask(Explorable):
    """Paste an object's small mask into a box: with half pixels or not, box rounded or not.

    The mask is the object's mask target in its own box, aligned, so that what is wrong in its own
    box comes from its few cells and from pasting. It is pasted with one ring of zeros; a pixel is
    pasted where the value is above 0.5.

    Parameters
    ----------
    shape : object of the example scene: "disc", "square" or "triangle".
    side : cells along a side of its mask: 7, 14 or 28.
    box : x1, y1, x2, y2 that the mask is pasted into, in image pixels; without it, the object's.
    half_pixels : True: a pixel reads the mask at its centre, 0.5 from its corner. False: at its
        top left corner.
    rounded : True: the edges of the box, grown by the ring, are first truncated to whole pixels and
        the box made one pixel wider and higher, as in torchvision 0.29.
    """

    modules = ("operators.mjs", "box_gestures.mjs", "pasting.mjs", "paste_mask.mjs")
    stylesheets = ("paste_mask.css",)
    constants = {  # noqa: RUF012 - declared as a class variable by the base class
        "SCENE": {"address": scene_address(), "height": HEIGHT, "width": WIDTH},
        "OBJECTS": {
            name: {
                "cells": MASK_TARGETS[name],
                "first": BY_NAME[name]["box"][1],
                "spans": BY_NAME[name]["rows"],
                "box": BY_NAME[name]["box"],
                "window": window(name),
                "colour": colour,
            }
            for name, colour in zip(SHAPES, CLASSES, strict=False)
        },
        "PADDING": PADDING,
        "THRESHOLD": THRESHOLD,
    }

    shape = Checked("square", checks.one_of(*SHAPES))
    side = Checked(28, checks.one_of(*SIDES))
    box = Checked(BY_NAME["square"]["box"], checks.extent("x1, y1, x2, y2", 0, 160))
    half_pixels = Checked(False, checks.flag)
    rounded = Checked(False, checks.flag)

    def __init__(self, **state: Any) -> None:
        shape = state.get("shape")
        own_box = {"box": BY_NAME[shape]["box"]} if shape in SHAPES else {}
        super().__init__(**own_box | state)

    def numbers(self) -> dict[str, Any]:
        """Every number that the figure shows, computed by ``roilearn.reference``."""
        region = self.region(self.half_pixels, self.rounded)
        cell = (region[2:] - region[:2]) / (self.side + 2 * PADDING)
        ring = np.concatenate([cell, -cell]) * PADDING
        truth, pasted = object_mask(self.shape), self.paste(self.half_pixels, self.rounded)
        return {
            "side": self.side,
            "box": self.box,
            "cell": cell.tolist(),
            "spread": (region + ring).tolist(),
            "truth": int(truth.sum()),
            "pasted": int(pasted.sum()),
            "missing": np.argwhere(truth & ~pasted).tolist(),
            "extra": np.argwhere(pasted & ~truth).tolist(),
            "here": self.errors(self.half_pixels, self.rounded),
            "rules": {name: self.errors(*rule) for name, rule in RULES.items()},
        }

    def region(self, half_pixels: bool, rounded: bool) -> np.ndarray:
        """Box of the mask with its ring, for pixels that read at their centres.

        To read at corners is to read at centres with the box half a pixel further right and down.
        """
        rule = "torchvision" if rounded else "aligned"
        region = pasted_region(np.array(self.box, float), self.side, PADDING, rule)
        return np.array(region, float) + (0 if half_pixels else 0.5)

    def paste(self, half_pixels: bool, rounded: bool) -> np.ndarray:
        """(H, W) booleans: the pixels of the scene at which the mask is above the threshold."""
        return paste_in_region(self.shape, self.side, *self.region(half_pixels, rounded).tolist())

    def errors(self, half_pixels: bool, rounded: bool) -> dict[str, Any]:
        """Pixels that are missing and those too many, their sum, and the IoU with the truth."""
        truth, pasted = object_mask(self.shape), self.paste(half_pixels, rounded)
        missing, extra = int((truth & ~pasted).sum()), int((pasted & ~truth).sum())
        iou = float(reference.mask_iou(truth[None], pasted[None])[0, 0])
        return {"missing": missing, "extra": extra, "wrong": missing + extra, "iou": iou}

    @property
    def alt(self) -> str:
        """What is to be seen in the figure's present state."""
        numbers = self.numbers()
        x1, y1, x2, y2 = (f"{edge:g}" for edge in self.box)
        here = numbers["here"]
        told = ", ".join(
            f"{describe(*RULES[name])} {one['wrong']} (IoU {one['iou']:.3f})"
            for name, one in numbers["rules"].items()
        )
        return (
            f"The {self.shape} of the example scene, magnified, with its outline and the pixels of "
            f"its mask of {self.side} by {self.side} cells, pasted into a box, x {x1} to {x2}, "
            f"y {y1} to {y2} image pixels; {describe(self.half_pixels, self.rounded)}. "
            f"{here['missing']} of the object's {numbers['truth']} pixels are missing, marked by a "
            f"minus; {here['extra']} are too many, marked by a plus. Bars give the wrong pixels: "
            f"{told}."
        )

    def draw(self) -> Figure:
        """Draw the present state with matplotlib, in the live figure's visual language."""
        options: dict[str, Any] = {"gridspec_kw": {"width_ratios": [1.25, 1]}}
        figure, (left, right) = plot.new_figure(2, width=8.6, height=4.4, **options)
        here, numbers = (self.half_pixels, self.rounded), self.numbers()
        draw_pixels(left, self.shape, numbers, self.paste(*here))
        left.set(xlim=window(self.shape)[::2], ylim=window(self.shape)[:0:-2])
        draw_errors(right, {RULES[name]: one for name, one in numbers["rules"].items()}, here)
        return figure
