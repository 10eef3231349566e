"""Live figure: the level of a feature pyramid that a box is pooled from, by two rules."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from roilearn import plot, reference
from roilearn.explore import checks
from roilearn.explore.explorable import Checked, Explorable
from roilearn.explore.scene import HEIGHT, WIDTH, scene_address, scene_pixels
from roilearn.palette import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIDES = (128, 800)
"""Shorter side of the image: the scene as it is, or enlarged as a COCO model's input."""
BINS = 7
AXIS = (8, 1024)
"""Ends of the axis of sizes, in image pixels."""


def level_range(name: str, value: Any) -> list[int]:
    """Check for a first and a last level, from 2 to 6, in this order."""
    first, last = checks.several(checks.whole(2, 6), 2)(name, value)
    if first > last:
        raise ValueError(f"{name} must be the first level and the last; got {value!r}.")
    return [first, last]


class LevelOfBox(Explorable):
    """Resize a box: its level when k is rounded down, and when k is rounded to the nearest.

    k = canonical_level + log2(sqrt(width * height) / canonical_scale), kept within ``levels``.

    Parameters
    ----------
    box : x1, y1, x2, y2 in image pixels.
    side : shorter side of the image: 128, the example scene, or 800, the scene enlarged.
    canonical_scale : side in pixels of a square box of ``canonical_level``, 14 to 896.
    canonical_level : 2 to 6.
    levels : first and last level of the pyramid, 2 to 6; level k has stride 2**k.
    """

    modules = ("operators.mjs", "box_gestures.mjs", "level_of_box.mjs")
    stylesheets = ("level_of_box.css",)
    constants = {  # noqa: RUF012 - declared as a class variable by the base class
        "SCENE": {"address": scene_address(), "height": HEIGHT, "width": WIDTH},
        "LEVEL_EPSILON": 1e-6,
    }

    box = Checked([112.5, 337.5, 312.5, 537.5], checks.extent("x1, y1, x2, y2", 0, 1000))
    side = Checked(800, checks.one_of(*SIDES))
    canonical_scale = Checked(224, checks.number(14, 896))
    canonical_level = Checked(4, checks.whole(2, 6))
    levels = Checked([2, 5], level_range)

    def numbers(self) -> dict[str, Any]:
        """Every number that the figure shows, computed by ``roilearn.reference``."""
        x1, y1, x2, y2 = self.box
        width, height = x2 - x1, y2 - y1
        size = math.sqrt(width * height)
        doublings = math.log2(size / self.canonical_scale)
        rules = {rule: self.assigned(rule, width, height) for rule in reference.LEVEL_RULES}
        return {
            "image": [WIDTH * self.side / HEIGHT, self.side],
            "width": width,
            "height": height,
            "size": size,
            "canonical_scale": self.canonical_scale,
            "canonical_level": self.canonical_level,
            "levels": self.levels,
            "doublings": doublings,
            "unrounded": self.canonical_level + doublings,
            "rules": rules,
            "differ": rules["floor"]["level"] != rules["round"]["level"],
            "edges": {"floor": self.edges(0), "round": self.edges(0.5)},
        }

    def assigned(self, rule: str, width: float, height: float) -> dict[str, Any]:
        """Level of the box under one rule, its stride, and the cells that the box covers there."""
        (level,) = reference.assign_levels(
            [self.box],
            *self.levels,
            canonical_scale=self.canonical_scale,
            canonical_level=self.canonical_level,
            rule=rule,
        )
        stride = 2 ** int(level)
        cells = [width / stride, height / stride]
        return {
            "level": int(level),
            "stride": stride,
            "cells": cells,
            "bin": [side / BINS for side in cells],
        }

    def edges(self, lower: float) -> list[float]:
        """Sizes at which a box gets the next level; rounding has them half a level lower."""
        first, last = self.levels
        return [
            self.canonical_scale * 2 ** (level - self.canonical_level - lower)
            for level in range(first + 1, last + 1)
        ]

    @property
    def alt(self) -> str:
        """What is to be seen in the figure's present state."""
        numbers = self.numbers()
        floor, rounded = (numbers["rules"][rule]["level"] for rule in reference.LEVEL_RULES)
        edges = {
            rule: ", ".join(f"{edge:.0f}" for edge in numbers["edges"][rule]) or "no size"
            for rule in reference.LEVEL_RULES
        }
        return (
            f"The example scene as an image of {numbers['image'][0]:g} by {self.side} pixels, a "
            f"box of {numbers['width']:g} by {numbers['height']:g} pixels. Below, two strips over "
            f"an axis of sizes: rounded down, levels change at {edges['floor']} pixels; rounded to "
            f"the nearest, at {edges['round']}. A bar between the strips marks the sizes at which "
            f"they differ. The box, of size {numbers['size']:.1f}, has level {floor} rounded down "
            f"and level {rounded} rounded to the nearest."
        )

    def draw(self) -> Figure:
        """Draw the present state with matplotlib, in the live figure's visual language."""
        numbers = self.numbers()
        options: dict[str, Any] = {"gridspec_kw": {"width_ratios": [1, 1.5]}}
        figure, (left, right) = plot.new_figure(2, width=9.0, height=3.4, **options)
        left.imshow(scene_pixels(), extent=(0, numbers["image"][0], self.side, 0))
        plot.draw_box(left, self.box)
        left.patches[-1].set_clip_on(True)  # a box may reach outside the image
        left.set(xlabel="x (image pixels)", ylabel="y (image pixels)")
        draw_strips(right, numbers)
        return figure


def parts(levels: list[int], edges: list[float]) -> list[tuple[int, float, float]]:
    """Each level with the sizes from which and up to which it is assigned, within the axis.

    Examples
    --------
    >>> parts([2, 4], [112.0, 224.0])
    [(2, 8, 112.0), (3, 112.0, 224.0), (4, 224.0, 1024)]
    """
    low, high = AXIS
    ends = [low, *(min(max(edge, low), high) for edge in edges), high]
    numbers = range(levels[0], levels[1] + 1)
    return list(zip(numbers, ends[:-1], ends[1:], strict=True))


def draw_strips(axes: Axes, numbers: dict[str, Any]) -> None:
    """Draw the levels by size under both rules, the sizes where they differ, and the box."""
    for y, rule in enumerate(reference.LEVEL_RULES):
        for level, start, stop in parts(numbers["levels"], numbers["edges"][rule]):
            grey = str(0.95 - 0.1 * (level - 2))
            axes.barh(y, stop - start, left=start, height=0.5, color=grey, edgecolor="white")
            if stop > start:
                axes.text(math.sqrt(start * stop), y, f"P{level}", ha="center", va="center")
            if AXIS[0] < start < stop:
                axes.text(start, y - 0.36, f"{start:.0f}", ha="center", fontsize=8)
    for floor, rounded in zip(*numbers["edges"].values(), strict=True):
        axes.plot([rounded, floor], [0.5, 0.5], color=COLOURS["box"], linewidth=4)
    axes.plot([numbers["size"]] * 2, [-0.25, 1.25], color=COLOURS["sample"], linewidth=2, zorder=2)
    axes.set(xscale="log", xlim=AXIS, ylim=(1.5, -0.6), xlabel="sqrt(width x height), image pixels")
    axes.set_xticks([8, 16, 32, 64, 128, 256, 512, 1024])
    axes.set_xticklabels(["8", "16", "32", "64", "128", "256", "512", "1024"])
    axes.minorticks_off()
    axes.set_yticks([0, 0.5, 1], ["floor", "differ", "round"])
