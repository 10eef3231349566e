"""Live figure: the bins of one box as bags of cells, and all bags as one sparse matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from roilearn import plot, reference
from roilearn.explore import checks
from roilearn.explore.explorable import Checked, Explorable
from roilearn.explore.maps import FIVE_BY_SIX
from roilearn.palette import COLOURS
from roilearn.reference.pooling.roi_align import box_samples

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class BagMatrix(Explorable):
    """Choose an output and see its row of weights, or a cell and see its column.

    Parameters
    ----------
    features : (H, W) map, one channel, 2 to 6 cells a side.
    box : x1, y1, x2, y2 in image pixels.
    stride : image pixels a cell.
    output_size : (height, width) in bins, 1 to 3 each.
    sampling_ratio : samples along each axis of a bin, 1 to 4; 0: adaptive.
    bag : number of the chosen bag, in row-major order of the bins.
    cell : number of the chosen cell, in row-major order of the map.
    look : ``"bag"`` shows a row of the matrix, ``"cell"`` a column.
    """

    modules = ("operators.mjs", "box_gestures.mjs", "bag_matrix.mjs")
    stylesheets = ("bag_matrix.css",)

    features = Checked(FIVE_BY_SIX, checks.feature_map(2, 6))
    box = Checked([12, 12, 76, 60], checks.extent("x1, y1, x2, y2", 0, 1024))
    stride = Checked(16, checks.whole(1, 64))
    output_size = Checked([2, 2], checks.several(checks.whole(1, 3), 2))
    sampling_ratio = Checked(2, checks.whole(0, 4))
    bag = Checked(0, checks.whole(0, 8))
    cell = Checked(8, checks.whole(0, 35))
    look = Checked("bag", checks.one_of("bag", "cell"))

    def numbers(self) -> dict[str, Any]:
        """Every number that the figure shows, computed by ``roilearn.reference``."""
        matrix, values = self.matrix(), np.ravel(self.features)
        output = reference.roi_align(*self.arguments(), *self.options())[0, 0]
        bags, cells = matrix.shape
        # The chosen number may come from a larger grid or map.
        bag, cell = min(self.bag, bags - 1), min(self.cell, cells - 1)
        read, reading = np.flatnonzero(matrix[bag]), np.flatnonzero(matrix[:, cell])
        return {
            "box": self.box,
            "output_size": self.output_size,
            "sampling": self.sampling_ratio or "adaptive",
            "bags": bags,
            "cells": cells,
            "listed": 4 * bags * self.samples_per_bin(),
            "entries": int(np.count_nonzero(matrix)),
            "matrix": matrix.tolist(),
            "output": output.tolist(),
            "bag": {
                "number": bag,
                "cells": read.tolist(),
                "weights": matrix[bag, read].tolist(),
                "values": values[read].tolist(),
                "sum": float(output.flat[bag]),
            },
            "cell": {
                "number": cell,
                "bags": reading.tolist(),
                "weights": matrix[reading, cell].tolist(),
                "sum": float(matrix[:, cell].sum()),
            },
        }

    def arguments(self) -> tuple[np.ndarray, np.ndarray]:
        """Features and box as arguments of the operator."""
        features = np.array(self.features, dtype=np.float64)[None, None]
        return features, np.array([[0.0, *self.box]])

    def options(self) -> tuple[Any, ...]:
        """Arguments of ``roi_align`` after the boxes."""
        return tuple(self.output_size), 1 / self.stride, self.sampling_ratio, True

    def matrix(self) -> np.ndarray:
        """(bags, cells) weights: row b is the gradient of output b with respect to the cells."""
        bags = int(np.prod(self.output_size))
        outputs = np.eye(bags).reshape(bags, 1, 1, *self.output_size)
        _, *options = self.options()
        rows = [reference.roi_align_backward(one, *self.arguments(), *options) for one in outputs]
        return np.reshape(rows, (bags, -1))

    def samples_per_bin(self) -> int:
        """Count the samples of each bin."""
        size, *options = self.options()
        rows, columns = box_samples(self.arguments()[1][0], size, *options)
        return len(rows[0]) * len(columns[0])

    @property
    def alt(self) -> str:
        """What is to be seen in the figure's present state."""
        numbers = self.numbers()
        bag, cell = numbers["bag"], numbers["cell"]
        x1, y1, x2, y2 = (f"{side:g}" for side in self.box)
        chosen = (
            f"Row {bag['number']} is lit, and on the map the {len(bag['cells'])} cells that it "
            f"reads; their weighted sum is {bag['sum']:.2f}."
            if self.look == "bag"
            else f"Column {cell['number']} is lit; {len(cell['bags'])} bags read this cell, with "
            f"weights that add up to {cell['sum']:.2f}."
        )
        return (
            f"A map of {len(self.features)} by {len(self.features[0])} numbers with a box, x {x1} "
            f"to {x2} and y {y1} to {y2} image pixels at stride {self.stride}. Beside it a matrix "
            f"of {numbers['bags']} rows, one for each bin, and {numbers['cells']} columns, one for "
            f"each cell of the map; {numbers['entries']} of its squares are filled. {chosen}"
        )

    def draw(self) -> Figure:
        """Draw the present state with matplotlib, in the live figure's visual language."""
        numbers = self.numbers()
        options: dict[str, Any] = {"gridspec_kw": {"width_ratios": [1, 1.5]}}
        figure, (left, right) = plot.new_figure(2, width=8.0, height=3.2, **options)
        plot.draw_map(left, self.features)
        plot.draw_box(left, [side / self.stride for side in self.box])
        matrix = np.array(numbers["matrix"])
        rows, columns = np.divmod(np.arange(numbers["cells"]), len(self.features[0]))
        if self.look == "bag":
            sizes = 900 * matrix[numbers["bag"]["number"]]
            left.scatter(columns + 0.5, rows + 0.5, s=sizes, color=COLOURS["sample"], alpha=0.4)
        else:
            n = numbers["cell"]["number"]
            sides = (columns[n], rows[n], columns[n] + 1, rows[n] + 1)
            plot.draw_box(left, sides, kind="gradient")
        plot.draw_matrix(right, matrix, **{self.look: numbers[self.look]["number"]})
        return figure
