"""The style of all figures (size, fonts, greys), and the drawing of maps, boxes and points.

Axes are in continuous coordinates, y downwards: cell i covers [i, i + 1), its centre is i + 0.5.
"""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike

from roilearn.palette import COLOURS

STYLE: dict[Any, Any] = {
    "figure.dpi": 110,
    "savefig.dpi": 110,
    "figure.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "svg.hashsalt": "roilearn",
}
GREYS = LinearSegmentedColormap.from_list("cells", ["#F7F7F7", "#8A8A8A"])


def new_figure(
    columns: int = 1, rows: int = 1, *, width: float = 7.0, height: float = 3.0, **options: Any
) -> tuple[Figure, Any]:
    """Make a figure in the book's style.

    Parameters
    ----------
    columns, rows : panels.
    width, height : inches of the whole figure; 7 fills the page's text column.
    options : further options of ``matplotlib.pyplot.subplots``.

    Returns
    -------
    The figure and its axes (one, or an array of them), as ``subplots`` gives them.
    """
    with mpl.rc_context(STYLE):
        return plt.subplots(rows, columns, figsize=(width, height), layout="constrained", **options)


def draw_map(
    axes: Axes, values: ArrayLike, *, numbers: bool = True, unit: str = "cells", digits: int = 3
) -> None:
    """Draw a feature map: light is small, dark is large, each value at its cell's centre.

    Parameters
    ----------
    values : (H, W) map.
    numbers : write each value into its cell.
    unit : unit of the axes, ``"cells"`` or ``"image pixels"``.
    digits : significant digits of the numbers.
    """
    values = np.asarray(values)
    height, width = values.shape
    axes.imshow(values, cmap=GREYS, extent=(0, width, height, 0), interpolation="nearest")
    if numbers:
        for row, column in np.ndindex(height, width):
            axes.text(
                column + 0.5,
                row + 0.5,
                f"{values[row, column]:.{digits}g}",
                ha="center",
                va="center",
                fontsize=9,
            )
    axes.set_xticks(range(width + 1))
    axes.set_yticks(range(height + 1))
    axes.set_xlabel(f"x ({unit})")
    axes.set_ylabel(f"y ({unit})")


def draw_box(
    axes: Axes,
    box: Sequence[float] | np.ndarray,
    *,
    kind: str = "box",
    label: str | None = None,
    dashed: bool = False,
) -> None:
    """Outline a box in the colour of its kind, a key of ``palette.COLOURS``.

    Parameters
    ----------
    box : x1, y1, x2, y2 in the unit of the axes.
    """
    x1, y1, x2, y2 = box
    outline = Rectangle(
        (x1, y1),
        x2 - x1,
        y2 - y1,
        fill=False,
        edgecolor=COLOURS[kind],
        linewidth=2,
        linestyle="--" if dashed else "-",
        label=label,
        clip_on=False,
        path_effects=[withStroke(linewidth=3.5, foreground="white")],  # seen on photographs too
    )
    axes.add_patch(outline)


def draw_points(
    axes: Axes, x: ArrayLike, y: ArrayLike, *, kind: str = "sample", label: str | None = None
) -> None:
    """Draw points, by default sampling points, in continuous coordinates."""
    axes.scatter(
        x, y, s=28, color=COLOURS[kind], edgecolors="black", linewidths=0.6, zorder=3, label=label
    )


def draw_pale(axes: Axes, image: ArrayLike, margin: float = 0) -> None:
    """Draw a picture so pale that thin lines are seen on it, without ticks.

    Parameters
    ----------
    image : (H, W, 3) values from 0 to 1.
    margin : image pixels that are shown around it.
    """
    pixels = np.asarray(image)
    height, width = pixels.shape[:2]
    colours = 0.45 + 0.55 * pixels
    axes.imshow(colours, extent=(0, width, height, 0), interpolation="nearest")  # small as a PNG
    axes.set(xticks=[], yticks=[], xlim=(-margin, width + margin), ylim=(height + margin, -margin))
    axes.spines[:].set_visible(False)


def draw_outlines(axes: Axes, boxes: ArrayLike, **options: Any) -> None:
    """Draw the outlines of many boxes as one collection of lines, black unless told otherwise.

    Parameters
    ----------
    boxes : (K, 4) boxes x1, y1, x2, y2 in the unit of the axes.
    options : of matplotlib's ``LineCollection``.
    """
    x1, y1, x2, y2 = np.asarray(boxes, float).reshape(-1, 4).T
    corners = np.stack([[x1, y1], [x2, y1], [x2, y2], [x1, y2], [x1, y1]])  # [5, 2, K]
    options = {"colors": COLOURS["box"], **options}
    axes.add_collection(LineCollection(list(corners.transpose(2, 0, 1)), **options))
