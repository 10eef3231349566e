"""Live figure: RoIPool and RoIAlign of the same box, with their outputs and gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from roilearn import plot, reference
from roilearn.explore import checks
from roilearn.explore.explorable import Checked, Explorable
from roilearn.explore.maps import FEATURE_MAP
from roilearn.explore.pool_and_align_still import draw_align, draw_pool, grid_text
from roilearn.reference.pooling.roi_align import bin_average, box_samples, region
from roilearn.reference.pooling.roi_pool import argmax_cell, box_bins

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class PoolAndAlign(Explorable):
    """RoIPool rounds a box to whole cells; RoIAlign reads the map between them.

    Parameters
    ----------
    features : (H, W) map, one channel, 2 to 16 cells a side.
    box : x1, y1, x2, y2 in image pixels, x2 and y2 exclusive.
    stride : image pixels a cell; ``spatial_scale`` is 1 / stride.
    output_size : (rows, columns) of bins, 1 to 4 each.
    sampling_ratio : samples a bin along each axis, up to 4; below 1: adaptive.
    aligned : whether RoIAlign subtracts half a cell.
    selected : (row, column) of the bin whose sum is shown.
    show : ``"values"``, or ``"gradient"`` for the gradient of the map if each bin has gradient 1.
    """

    modules = ("operators.mjs", "box_gestures.mjs", "pool_and_align.mjs")
    stylesheets = ("pool_and_align.css",)

    features = Checked(FEATURE_MAP, checks.feature_map(2, 16))
    box = Checked([37, 19, 100, 70], checks.extent("x1, y1, x2, y2", 0, 1024))
    stride = Checked(16, checks.whole(1, 64))
    output_size = Checked([2, 2], checks.several(checks.whole(1, 4), 2))
    sampling_ratio = Checked(2, checks.whole(-1, 4))
    aligned = Checked(True, checks.flag)
    selected = Checked([0, 1], checks.several(checks.whole(0, 3), 2))
    show = Checked("values", checks.one_of("values", "gradient"))

    def numbers(self) -> dict[str, Any]:
        """Every number that the figure shows, computed by ``roilearn.reference``."""
        sizes = zip(self.selected, self.output_size, strict=True)
        row, column = (min(place, size - 1) for place, size in sizes)
        return {
            "box": self.box,
            "cells": [side * (1 / self.stride) for side in self.box],
            "output_size": self.output_size,
            "sampling": self.sampling_ratio if self.sampling_ratio > 0 else "adaptive",
            "selected": [row, column],
            "pool": self.pool_numbers(row, column),
            "align": self.align_numbers(row, column),
        }

    def arguments(self) -> tuple[np.ndarray, np.ndarray, tuple[int, int], float]:
        """Features (1, 1, H, W), boxes (1, 5), output size and spatial scale, in float64."""
        features = np.array(self.features, dtype=np.float64)[None, None]
        boxes = np.array([[0.0, *self.box]])
        return features, boxes, tuple(self.output_size), 1 / self.stride

    def pool_numbers(self, row: int, column: int) -> dict[str, Any]:
        """Numbers of RoIPool, with the bin at (row, column) in detail."""
        features, boxes, size, scale = self.arguments()
        rows, columns = box_bins(boxes[0], size, scale, features.shape)
        output = reference.roi_pool(features, boxes, size, scale)[0, 0]
        ones = np.ones((1, 1, *size))
        gradient = reference.roi_pool_backward(ones, features, boxes, scale)[0, 0]
        winners = [
            [winning_cell(features[0, 0], down, across) for across in columns] for down in rows
        ]
        (top, bottom), (left, right) = rows[row], columns[column]
        return {
            "corners": list(reference.quantize_box(self.box, scale)),
            "rows": [list(edges) for edges in rows],
            "columns": [list(edges) for edges in columns],
            "winners": winners,
            "output": output.tolist(),
            "gradient": gradient.tolist(),
            "learning": int(np.count_nonzero(gradient)),
            "bin": {
                "cells": [left, top, right, bottom],
                "winner": winners[row][column],
                "value": float(output[row, column]),
            },
        }

    def align_numbers(self, row: int, column: int) -> dict[str, Any]:
        """Numbers of RoIAlign, with the bin at (row, column) in detail."""
        features, boxes, size, scale = self.arguments()
        options = {"sampling_ratio": self.sampling_ratio, "aligned": self.aligned}
        rows, columns = box_samples(boxes[0], size, scale, **options)
        output = reference.roi_align(features, boxes, size, scale, **options)[0, 0]
        top, left, height, width = (float(side) for side in region(boxes[0], scale, self.aligned))
        every = np.ones((1, 1, *size))
        chosen = np.zeros_like(every)
        chosen[0, 0, row, column] = 1
        gradient, weights = (
            reference.roi_align_backward(arriving, features, boxes, scale, **options)[0, 0]
            for arriving in (every, chosen)
        )
        return {
            "region": [left, top, left + width, top + height],
            "rows": [[float(place) for place in places] for places in rows],
            "columns": [[float(place) for place in places] for places in columns],
            "output": output.tolist(),
            "gradient": gradient.tolist(),
            "learning": int(np.count_nonzero(gradient)),
            "bin": {
                "samples": list_samples(features[0], rows[row], columns[column]),
                "weights": weights.tolist(),
                "value": float(output[row, column]),
            },
        }

    @property
    def alt(self) -> str:
        """What is to be seen in the figure's present state."""
        numbers = self.numbers()
        x1, y1, x2, y2 = (f"{side:g}" for side in self.box)
        pool, align = numbers["pool"], numbers["align"]
        first_column, first_row, last_column, last_row = pool["corners"]
        return (
            f"Two copies of one feature map of {len(self.features)} by {len(self.features[0])} "
            f"numbers under the same box, x {x1} to {x2} and y {y1} to {y2} image pixels at stride "
            f"{self.stride}. Left, RoIPool: a dashed outline of whole cells, columns "
            f"{first_column} to {last_column} and rows {first_row} to {last_row}, with a ring "
            f"around the largest number of each bin; output {grid_text(pool['output'])}. Right, "
            f"RoIAlign: the box as given, sampling points between the cells, and circles for how "
            f"much each cell weighs; output {grid_text(align['output'])}. Gradient would reach "
            f"{pool['learning']} cells on the left and {align['learning']} on the right."
        )

    def draw(self) -> Figure:
        """Draw the present state with matplotlib, in the live figure's visual language."""
        numbers = self.numbers()
        figure, panels = plot.new_figure(2, width=8.0, height=3.9)
        for axes in panels:
            plot.draw_map(axes, self.features)
            plot.draw_box(axes, numbers["cells"])
        draw_pool(panels[0], numbers, self.show)
        draw_align(panels[1], numbers, self.show)
        return figure


def winning_cell(
    values: np.ndarray, rows: tuple[int, int], columns: tuple[int, int]
) -> list[int] | None:
    """[row, column] of the maximum of a bin; None for an empty bin."""
    (top, bottom), (left, right) = rows, columns
    if top >= bottom or left >= right:
        return None
    row, column = argmax_cell(values[top:bottom, left:right])
    return [top + row, left + column]


def list_samples(features: np.ndarray, rows: list[float], columns: list[float]) -> list[dict]:
    """Position and value of each sample of one bin, from (1, H, W) features."""
    height, width = features.shape[-2:]
    return [
        {
            "row": float(row),
            "column": float(column),
            "counts": -1 <= row <= height and -1 <= column <= width,
            "value": float(bin_average(features, [row], [column])[0]),
        }
        for row in rows
        for column in columns
    ]
