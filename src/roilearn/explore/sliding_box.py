"""Live figure: the value of one bin as its box slides by one cell, by three operators."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from roilearn import plot, reference
from roilearn.explore import checks
from roilearn.explore.explorable import Checked, Explorable
from roilearn.explore.maps import FEATURE_MAP
from roilearn.palette import COLOURS
from roilearn.reference.pooling.roi_pool import box_bins

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STEP = 0.25
"""Image pixels between two points of the curves."""
SIZE = (2, 2)
"""Bins of the box."""
LINES = {
    "exact": {"linestyle": "--", "marker": "D"},
    "align": {"linestyle": "-", "marker": "o"},
    "pool": {"linestyle": "-", "marker": "s", "drawstyle": "steps-post"},
}
NAMES = {"pool": "RoIPool", "align": "RoIAlign", "exact": "exact integral"}


class SlidingBox(Explorable):
    """Slide a box by one cell: RoIPool jumps, RoIAlign and the exact integral do not.

    Parameters
    ----------
    features : (H, W) map, one channel, 2 to 16 cells a side.
    box : x1, y1, x2, y2 in image pixels before sliding; it slides to the right.
    stride : image pixels a cell, and the length of the slide.
    sampling_ratio : RoIAlign's samples a bin along each axis, 1 to 4 (``aligned=True``).
    bin : (row, column) of the one of its 2 x 2 bins whose value is followed.
    offset : how far the box has slid, in image pixels.
    """

    modules = ("operators.mjs", "sliding_box.mjs")
    stylesheets = ("sliding_box.css",)

    features = Checked(FEATURE_MAP, checks.feature_map(2, 16))
    box = Checked([34, 19, 93, 70], checks.extent("x1, y1, x2, y2", 0, 1024))
    stride = Checked(16, checks.whole(1, 64))
    sampling_ratio = Checked(2, checks.whole(1, 4))
    bin = Checked([0, 0], checks.several(checks.whole(0, 1), 2))
    offset = Checked(6, checks.number(0, 64))

    def numbers(self) -> dict[str, Any]:
        """Every number that the figure shows, computed by ``roilearn.reference``."""
        offsets = np.arange(0, self.stride + STEP / 2, STEP)
        points = [self.bin_values(offset) for offset in offsets]
        curves = {kind: [point[kind] for point in points] for kind in NAMES}
        largest = {kind: float(np.abs(np.diff(curve)).max()) for kind, curve in curves.items()}
        offset = min(self.offset, self.stride)
        return {
            "offset": offset,
            "box": self.moved_box(offset),
            "bin": self.bin,
            "sampling_ratio": self.sampling_ratio,
            "here": self.bin_values(offset),
            "curves": curves,
            "largest": largest,
            "jumps": [
                {"offset": float(at), "from": before, "to": after}
                for at, (before, after) in zip(offsets[1:], pairwise(curves["pool"]), strict=True)
                if before != after
            ],
        }

    def moved_box(self, offset: float) -> list[float]:
        """Return the box moved to the right by ``offset`` image pixels."""
        x1, y1, x2, y2 = self.box
        return [x1 + float(offset), y1, x2 + float(offset), y2]

    def bin_values(self, offset: float) -> dict[str, float]:
        """Value of the bin by the three operators, with the box moved by ``offset``."""
        features = np.array(self.features, dtype=np.float64)
        rois = np.array([[0.0, *self.moved_box(offset)]])
        shared = (features[None, None], rois, SIZE, 1 / self.stride)
        pool = reference.roi_pool(*shared)[0, 0]
        align = reference.roi_align(*shared, sampling_ratio=self.sampling_ratio, aligned=True)[0, 0]
        row, column = self.bin
        x1, y1, x2, y2 = rois[0, 1:] / self.stride - 0.5
        down = mean_weights(*part(y1, y2, SIZE[0], row), len(features))
        across = mean_weights(*part(x1, x2, SIZE[1], column), features.shape[1])
        return {
            "pool": float(pool[row, column]),
            "align": float(align[row, column]),
            "exact": float(down @ features @ across),
        }

    @property
    def alt(self) -> str:
        """What is to be seen in the figure's present state."""
        numbers = self.numbers()
        steps = "; ".join(
            f"{jump['from']:g} to {jump['to']:g} at {jump['offset']:g} px"
            for jump in numbers["jumps"]
        )
        here = numbers["here"]
        return (
            f"Above, a box on a map of {len(self.features)} by {len(self.features[0])} numbers. "
            f"Below, the value of its bin at row {numbers['bin'][0]}, column {numbers['bin'][1]} "
            f"while the box slides right by 0 to {self.stride} image pixels. RoIPool is a "
            f"staircase ({steps or 'no jump on this way'}); RoIAlign and the dashed exact integral "
            f"are smooth curves close together. At {numbers['offset']:g} px: RoIPool "
            f"{here['pool']:.2f}, RoIAlign {here['align']:.2f}, exact {here['exact']:.2f}."
        )

    def draw(self) -> Figure:
        """Draw the present state with matplotlib, in the live figure's visual language."""
        numbers = self.numbers()
        options: dict[str, Any] = {"gridspec_kw": {"width_ratios": [1, 1.2]}}
        figure, (left, right) = plot.new_figure(2, width=8.0, height=3.5, **options)
        plot.draw_map(left, self.features)
        rois = np.array([0.0, *numbers["box"]])
        shape = np.shape(self.features)
        rows, columns = box_bins(rois, SIZE, 1 / self.stride, shape)
        row, column = numbers["bin"]
        (top, bottom), (start, stop) = rows[row], columns[column]
        plot.draw_box(left, (start, top, stop, bottom), kind="pool", dashed=True)
        plot.draw_box(left, [side / self.stride for side in numbers["box"]])
        draw_curves(right, numbers)
        return figure


def part(start: float, stop: float, bins: int, n: int) -> tuple[float, float]:
    """Start and stop of the n-th of ``bins`` equal parts."""
    return start + n * (stop - start) / bins, start + (n + 1) * (stop - start) / bins


def mean_weights(start: float, stop: float, size: int) -> np.ndarray:
    """Weight of each value in the mean of ``reference.linear`` from ``start`` to ``stop``.

    Between whole positions the interpolated line is straight, so the trapezoid rule is exact.

    Examples
    --------
    >>> mean_weights(0.5, 1.5, 3)
    array([0.125, 0.75 , 0.125])
    """
    cuts = [start, *(whole for whole in range(size) if start < whole < stop), stop]
    weights = np.zeros(size)
    for before, after in pairwise(cuts):
        half = (after - before) / 2 / (stop - start)
        for position in (before, after):
            weights += reference.linear_adjoint(half, position, size)
    return weights


def draw_curves(axes: Axes, numbers: dict[str, Any]) -> None:
    """Draw the values by three operators against the offset, and mark the present ones."""
    for kind, style in LINES.items():
        offsets = np.arange(len(numbers["curves"][kind])) * STEP
        line = {"color": COLOURS[kind], "label": NAMES[kind], **style, "markersize": 6}
        axes.plot(offsets, numbers["curves"][kind], markevery=[], **line)
        axes.plot(numbers["offset"], numbers["here"][kind], style["marker"], color=COLOURS[kind])
    axes.axvline(numbers["offset"], color="0.3", linewidth=0.8, zorder=0)
    axes.set(xlabel="box moved right by (image pixels)", ylabel="value of the bin")
    axes.legend(fontsize=8)
