"""Live figure: quantization of a box, its edges to whole cells and its bins to whole cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from roilearn import plot, reference
from roilearn.explore import checks
from roilearn.explore.explorable import Checked, Explorable
from roilearn.palette import COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

IMAGE = 1024
"""Width of the image in pixels; a box ends at 896 at most, so that what is read lies inside."""
BINS = 7
CURVE = range(4, 897, 4)
"""Sizes of the IoU curve in image pixels."""


class Quantization(Explorable):
    """Round a box to cells: how far its edges move, in image pixels, and its IoU with the true box.

    Parameters
    ----------
    edges : x1, x2 of the box in image pixels, 0 to 896. The IoU is that of the square box.
    stride : image pixels a cell: 4, 8, 16, 32 or 64.
    rule : one of ``reference.ROUNDING_RULES``.
    end_included : whether the last cell is read as well, as in RoIPool.
    """

    modules = ("operators.mjs", "quantization.mjs")
    stylesheets = ("quantization.css",)

    edges = Checked([0, 665], checks.extent("x1, x2", 0, 896))
    stride = Checked(32, checks.one_of(4, 8, 16, 32, 64))
    rule = Checked("half_away", checks.one_of(*reference.ROUNDING_RULES))
    end_included = Checked(True, checks.flag)

    def numbers(self) -> dict[str, Any]:
        """Every number that the figure shows, computed by ``roilearn.reference``."""
        rules = {rule: self.read_by(rule, self.edges) for rule in reference.ROUNDING_RULES}
        chosen = rules[self.rule]
        bins = self.bins(chosen["first"], chosen["count"])
        x1, x2 = self.edges
        return {
            "edges": self.edges,
            "size": x2 - x1,
            "stride": self.stride,
            "cells": [x1 / self.stride, x2 / self.stride],
            "rules": rules,
            "chosen": chosen,
            "bins": bins,
            "overlap": sum(stop - start for start, stop in bins) - max(chosen["count"], 0),
            "farthest": self.farthest_bin_edge(bins),
            "curve": [self.read_by(self.rule, [x1, x1 + size])["iou"] for size in CURVE],
        }

    def read_by(self, rule: str, edges: list[float]) -> dict[str, Any]:
        """Cells that a box reads under one rule, the pixels its edges gain, and the IoU."""
        x1, x2 = edges
        box = [x1, x1, x2, x2]
        first, _, last, _ = reference.quantize_box(box, 1 / self.stride, rule)
        count = last - first + int(self.end_included)
        start, stop = first * self.stride, (first + count) * self.stride
        iou = reference.box_iou([box], [[start, start, stop, stop]])[0, 0]
        return {
            "first": first,
            "count": count,
            "read": [start, stop],
            "gained": [x1 - start, stop - x2],
            "iou": float(iou),
        }

    def bins(self, first: int, count: int) -> list[list[int]]:
        """Cells of each of the seven bins, (start, stop); none if no cell is read."""
        if count < 1:
            return []
        edges = reference.bin_edges(first, first + count - 1, BINS, IMAGE // self.stride)
        return [list(pair) for pair in edges]

    def farthest_bin_edge(self, bins: list[list[int]]) -> float:
        """Largest distance, in pixels, of a bin's edge from that of an equal part of the box."""
        x1, x2 = self.edges
        part = (x2 - x1) / BINS
        distances = [
            abs(edge * self.stride - (x1 + (i + end) * part))
            for i, pair in enumerate(bins)
            for end, edge in enumerate(pair)
        ]
        return max(distances, default=0.0)

    @property
    def alt(self) -> str:
        """What is to be seen in the figure's present state."""
        numbers = self.numbers()
        chosen = numbers["chosen"]
        x1, x2 = (f"{edge:g}" for edge in self.edges)
        return (
            f"A box from {x1} to {x2} image pixels above the cells of a stride-{self.stride} map. "
            f"Rounded by {self.rule.replace('_', ' ')}"
            f"{', end included' if self.end_included else ''}, it reads {chosen['count']} cells, "
            f"{chosen['read'][0]} to {chosen['read'][1]} px: its left edge "
            f"{gains(chosen['gained'][0])}, its right edge {gains(chosen['gained'][1])}. Seven "
            f"bins overlap by {numbers['overlap']} cells. A curve of IoU against size climbs in a "
            f"sawtooth from low for small boxes towards 1; this box stands at {chosen['iou']:.3f}."
        )

    def draw(self) -> Figure:
        """Draw the present state with matplotlib, in the live figure's visual language."""
        numbers = self.numbers()
        figure, (top, bottom) = plot.new_figure(1, 2, width=7.0, height=4.6)
        draw_roundings(top, numbers)
        bottom.plot(list(CURVE), numbers["curve"], color=COLOURS["pool"], linewidth=1.2)
        bottom.plot(numbers["size"], numbers["chosen"]["iou"], "s", color=COLOURS["pool"])
        bottom.set(xlabel="size of the square box (image pixels)", ylabel="IoU", ylim=(0, 1.02))
        return figure


def gains(pixels: float) -> str:
    """Say what an edge gains or loses."""
    return f"loses {-pixels:g} px" if pixels < 0 else f"gains {pixels:g} px"


def draw_roundings(axes: Axes, numbers: dict[str, Any]) -> None:
    """Draw the true box, the cells read and the bins, a line each, over the image's pixels."""
    stride, chosen = numbers["stride"], numbers["chosen"]
    (x1, x2), (start, stop) = numbers["edges"], chosen["read"]
    axes.barh(0, x2 - x1, left=x1, height=0.6, color="none", edgecolor=COLOURS["box"], linewidth=2)
    axes.barh(1, stop - start, left=start, height=0.6, color=COLOURS["pool"], alpha=0.35)
    for edge, rounded, gained in zip((x1, x2), (start, stop), chosen["gained"], strict=True):
        colour = COLOURS["loss"] if gained < 0 else COLOURS["pool"]
        axes.barh(1, rounded - edge, left=edge, height=0.6, color=colour, hatch="//")
    for i, (first, last) in enumerate(numbers["bins"]):
        level = 2 + 0.7 * (i % 2)
        place = {"left": first * stride, "height": 0.55, "color": COLOURS["bin"]}
        axes.barh(level, (last - first) * stride, edgecolor="white", **place)
        middle = {"ha": "center", "va": "center", "fontsize": 8}
        axes.text((first + last) / 2 * stride, level, f"{first}-{last}", **middle)
    axes.set_yticks([0, 1, 2.35], ["the box", f"{chosen['count']} cells", "7 bins"])
    axes.set(xlim=(0, IMAGE), ylim=(3.2, -0.5), xlabel="x (image pixels)")
