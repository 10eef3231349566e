"""Live figure: the value of one bin as its right edge moves, by sampling and by the exact mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from roilearn import plot, reference
from roilearn.explore import checks
from roilearn.explore.explorable import Checked, Explorable
from roilearn.explore.maps import BRIGHT_CELLS
from roilearn.palette import COLOURS
from roilearn.reference.pooling.roi_align import box_samples

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 96
"""Steps of the curves, from a bin of a quarter of a cell to the end of the map."""
NAMES = {"fixed": "samples", "adaptive": "adaptive", "exact": "exact mean"}
LINES: dict[str, dict[str, Any]] = {
    "fixed": {"color": COLOURS["align"], "linestyle": "-"},
    "adaptive": {"color": COLOURS["align"], "linestyle": ":"},
    "exact": {"color": COLOURS["exact"], "linestyle": "--"},
}


class BinMean(Explorable):
    """Move the right edge of one bin, and see its weights and its value by three rules.

    Parameters
    ----------
    features : (H, W) map, one channel, 2 to 16 cells a side.
    box : x1, y1, x2, y2 in image pixels; it is one bin, and x2 is the edge that moves.
    stride : image pixels a cell.
    sampling_ratio : samples along each axis by the rule ``"fixed"``, 1 to 4.
    counted : the rule whose weights the map shows: ``"fixed"``, ``"adaptive"`` or ``"exact"``.
    """

    modules = ("operators.mjs", "bin_mean.mjs")
    stylesheets = ("bin_mean.css",)

    features = Checked(BRIGHT_CELLS, checks.feature_map(2, 16))
    box = Checked([16, 16, 112, 96], checks.extent("x1, y1, x2, y2", 0, 1024))
    stride = Checked(16, checks.whole(1, 64))
    sampling_ratio = Checked(2, checks.whole(1, 4))
    counted = Checked("fixed", checks.one_of(*NAMES))

    def numbers(self) -> dict[str, Any]:
        """Every number that the figure shows, computed by ``roilearn.reference``."""
        low, high = self.reach()
        edges = [low + n * (high - low) / POINTS for n in range(POINTS + 1)]
        weights = {rule: self.weights(rule) for rule in NAMES}
        cells = {rule: int(np.count_nonzero(weight)) for rule, weight in weights.items()}
        here = {rule: {**self.value_and_slope(rule), "read": cells[rule]} for rule in NAMES}
        return {
            "box": self.box,
            "stride": self.stride,
            "sampling_ratio": self.sampling_ratio,
            "reach": [low, high],
            "here": here,
            "weights": weights[self.counted].tolist(),
            "samples": self.samples(self.counted),
            "curves": {rule: self.curve(rule, edges) for rule in NAMES},
        }

    def reach(self) -> tuple[float, float]:
        """Smallest and largest x2, in image pixels: a quarter of a cell, and the map's end."""
        x1, end = self.box[0], float(len(self.features[0]) * self.stride)
        return x1 + max(self.stride / 4, 1.0), max(end, x1 + 2.0 * self.stride)

    def arguments(self, x2: float) -> tuple[np.ndarray, np.ndarray]:
        """Features and box as arguments of the operators, with the right edge at ``x2``."""
        x1, y1, _, y2 = self.box
        features = np.array(self.features, dtype=np.float64)[None, None]
        return features, np.array([[0.0, x1, y1, x2, y2]])

    def options(self, rule: str) -> tuple[Any, ...]:
        """Arguments after the output size: scale, then for RoIAlign the samples, then aligned."""
        ratio = {"fixed": (self.sampling_ratio,), "adaptive": (-1,), "exact": ()}[rule]
        return 1 / self.stride, *ratio, True

    def value_and_slope(self, rule: str) -> dict[str, float]:
        """Value of the bin by a rule, and its gradient to the right edge, per image pixel."""
        arguments, ones = self.arguments(self.box[2]), np.ones((1, 1, 1, 1))
        exact = rule == "exact"
        gradient = reference.prroi_pool_box_gradient if exact else reference.roi_align_box_gradient
        slopes = gradient(ones, *arguments, *self.options(rule))
        return {"value": self.curve(rule, [self.box[2]])[0], "slope": float(slopes[0, 2])}

    def curve(self, rule: str, edges: list[float]) -> list[float]:
        """Values of the bin by a rule with its right edge at each of ``edges``."""
        operator = reference.prroi_pool if rule == "exact" else reference.roi_align
        features = self.arguments(0.0)[0]
        boxes = np.concatenate([self.arguments(edge)[1] for edge in edges])
        return operator(features, boxes, 1, *self.options(rule))[:, 0, 0, 0].tolist()

    def weights(self, rule: str) -> np.ndarray:
        """Weight of each cell in the bin: the gradient of its value with respect to the map."""
        arguments, ones = self.arguments(self.box[2]), np.ones((1, 1, 1, 1))
        exact = rule == "exact"
        backward = reference.prroi_pool_backward if exact else reference.roi_align_backward
        return backward(ones, *arguments, *self.options(rule))[0, 0]

    def samples(self, rule: str) -> list[list[float]]:
        """Rows and columns of the samples, in index coordinates; none for the exact mean."""
        if rule == "exact":
            return [[], []]
        scale, ratio, aligned = self.options(rule)
        roi = self.arguments(self.box[2])[1][0]
        return [
            [float(place) for place in positions[0]]
            for positions in box_samples(roi, (1, 1), scale, ratio, aligned)
        ]

    @property
    def alt(self) -> str:
        """What is to be seen in the figure's present state."""
        numbers = self.numbers()
        x1, y1, x2, y2 = (f"{side:g}" for side in self.box)
        told = ", ".join(
            f"{NAMES[rule]} {one['value']:.2f} from {one['read']} cells"
            for rule, one in numbers["here"].items()
        )
        return (
            f"A map of {len(self.features)} by {len(self.features[0])} numbers with one bin, x "
            f"{x1} to {x2} and y {y1} to {y2} image pixels at stride {self.stride}, and discs for "
            f"how much each cell counts by the rule {NAMES[self.counted]!r}. Beside it the bin's "
            f"value against its right edge: a kinked line for {self.sampling_ratio} by "
            f"{self.sampling_ratio} samples, a dotted line with breaks for adaptive ones, a smooth "
            f"dashed line for the exact mean. Here: {told}."
        )

    def draw(self) -> Figure:
        """Draw the present state with matplotlib, in the live figure's visual language."""
        numbers = self.numbers()
        options: dict[str, Any] = {"gridspec_kw": {"width_ratios": [1, 1.2]}}
        figure, (left, right) = plot.new_figure(2, width=8.0, height=3.5, **options)
        plot.draw_map(left, self.features)
        plot.draw_box(left, [side / self.stride for side in self.box])
        weights = np.array(numbers["weights"])
        rows, columns = np.nonzero(weights)
        size = 320 * weights[rows, columns] / max(weights.max(), 1e-9)
        left.scatter(columns + 0.5, rows + 0.5, s=size, color=COLOURS["sample"], alpha=0.45)
        x, y = np.meshgrid(*numbers["samples"][::-1])
        plot.draw_points(left, x + 0.5, y + 0.5)
        draw_curves(right, numbers)
        return figure


def draw_curves(axes: Axes, numbers: dict[str, Any]) -> None:
    """Draw the values by three rules against the right edge, and mark the present ones."""
    low, high = numbers["reach"]
    edges = np.linspace(low, high, POINTS + 1)
    for rule, style in LINES.items():
        values = np.array(numbers["curves"][rule])
        breaks = jumps(edges, numbers) if rule == "adaptive" else []
        x, y = np.insert(edges, breaks, np.nan), np.insert(values, breaks, np.nan)
        axes.plot(x, y, label=NAMES[rule], linewidth=1.8, **style)
        axes.plot(numbers["box"][2], numbers["here"][rule]["value"], "o", color=style["color"])
    axes.axvline(numbers["box"][2], color="0.3", linewidth=0.8, zorder=0)
    axes.set(xlabel="right edge of the bin (image pixels)", ylabel="value of the bin")
    axes.legend(fontsize=8)


def jumps(edges: np.ndarray, numbers: dict[str, Any]) -> np.ndarray:
    """Points before which adaptive sampling adds a column of samples."""
    columns = np.ceil((edges - numbers["box"][0]) / numbers["stride"] - 1e-9)
    return np.flatnonzero(np.diff(columns)) + 1
