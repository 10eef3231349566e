"""Figures of the page on relatives: crop_and_resize, position-sensitive, rotated, deformable."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike

from roilearn.palette import COLOURS
from roilearn.plot.base import draw_box, draw_map, draw_points, new_figure


def bin_centres_and_corner_grid(box: Sequence[float], bins: int = 4) -> Figure:
    """Draw a box twice: with the centres of its bins, and with a grid from corner to corner."""
    figure, panels = new_figure(2, width=7, height=3.0, sharey=True)
    fractions_of = {
        "RoIAlign, 1 sample": (np.arange(bins) + 0.5) / bins,
        "crop and resize": np.linspace(0, 1, bins),
    }
    for axes, (title, fractions) in zip(panels, fractions_of.items(), strict=True):
        x, y = (box[n] + fractions * (box[n + 2] - box[n]) for n in (0, 1))
        if title.startswith("RoIAlign"):
            for cut in np.linspace(0, 1, bins + 1):
                across, down = (box[n] + cut * (box[n + 2] - box[n]) for n in (0, 1))
                axes.plot((across, across), box[1::2], color=COLOURS["bin"], linewidth=1)
                axes.plot(box[::2], (down, down), color=COLOURS["bin"], linewidth=1)
        draw_box(axes, box)
        draw_points(axes, *np.meshgrid(x, y))
        axes.set(title=title, xlabel="x (cells)", xlim=(box[0] - 0.5, box[2] + 0.5))
        axes.set_ylim(box[3] + 0.5, box[1] - 0.5)
        axes.set_aspect("equal")
    panels[0].set_ylabel("y (cells)")
    return figure


def maps_by_position(maps: ArrayLike, box: Sequence[float], output: ArrayLike) -> Figure:
    """Draw a map for each bin of a box, the bin that reads it filled, and the output.

    Parameters
    ----------
    maps : (P, P, H, W) the map of each bin.
    box : x1, y1, x2, y2 in cells.
    output : (P, P) values of the bins.
    """
    maps, output = np.asarray(maps), np.asarray(output)
    bins = len(maps)
    figure, panels = new_figure(bins + 1, bins, width=7, height=1.6 * bins)
    wide, tall = (box[2] - box[0]) / bins, (box[3] - box[1]) / bins
    for i, j in np.ndindex(bins, bins):
        axes = panels[i, j]
        height, width = maps[i, j].shape
        axes.imshow(maps[i, j], cmap="gray_r", extent=(0, width, height, 0), vmin=0, vmax=1)
        draw_box(axes, box)
        place = (box[0] + j * wide, box[1] + i * tall)
        axes.add_patch(Rectangle(place, wide, tall, color=COLOURS["bin"], alpha=0.6))
        axes.set_title(f"channel {i * bins + j}", fontsize=8)
    for axes in panels[1:, bins]:
        axes.set_visible(False)
    panels[0, bins].imshow(output, cmap="gray_r", vmin=0, vmax=1)
    for i, j in np.ndindex(bins, bins):
        shade = "white" if output[i, j] > 0.6 else "black"
        text = f"{output[i, j]:.2f}"
        panels[0, bins].text(j, i, text, ha="center", va="center", color=shade, fontsize=8)
    panels[0, bins].set_title("output", fontsize=8)
    for axes in panels.flat:
        axes.set(xticks=[], yticks=[])
    height, width = maps.shape[2:]
    panels[-1, 0].set(xticks=(0, width), yticks=(0, height), xlabel="x (cells)", ylabel="y (cells)")
    return figure


def rotated_box(photo: ArrayLike, box: Sequence[float], crops: Mapping[str, ArrayLike]) -> Figure:
    """Show a rotated box on its photograph, the upright box around it, and crops.

    Parameters
    ----------
    photo : (H, W) or (H, W, 3) picture.
    box : centre x, centre y, width, height in image pixels, and angle in degrees,
        counter-clockwise.
    crops : (h, w) or (h, w, 3) pictures by title.
    """
    figure, panels = new_figure(len(crops) + 1, width=7, height=2.6)
    corners = rotated_box_corners(box)
    panels[0].imshow(photo, cmap="gray")
    outline = {"fill": False, "edgecolor": COLOURS["align"], "linewidth": 2}
    edge = [withStroke(linewidth=3.5, foreground="white")]
    panels[0].add_patch(Polygon(corners, path_effects=edge, **outline))
    (x1, y1), (x2, y2) = corners.min(axis=0), corners.max(axis=0)
    draw_box(panels[0], (x1, y1, x2, y2), dashed=True)
    panels[0].set(title="photograph", xlim=(x1 - 30, x2 + 30), ylim=(y2 + 30, y1 - 30))
    for axes, (title, crop) in zip(panels[1:], crops.items(), strict=True):
        axes.imshow(np.clip(crop, 0, 1), cmap="gray")
        axes.set_title(title)
    for axes in panels:
        axes.set(xticks=[], yticks=[])
        axes.title.set_fontsize(8)
    return figure


def rotated_box_corners(box: Sequence[float]) -> np.ndarray:
    """Corners of a rotated box, (4, 2), clockwise from its own top left corner.

    Examples
    --------
    >>> rotated_box_corners((4, 4, 4, 2, 90)).round(6) + 0.0
    array([[3., 6.],
           [3., 2.],
           [5., 2.],
           [5., 6.]])
    """
    x, y, width, height, angle = box
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    across, down = np.array([-1, 1, 1, -1]) * width / 2, np.array([-1, -1, 1, 1]) * height / 2
    return np.column_stack([x + across * cos + down * sin, y - across * sin + down * cos])


def moved_window(values: ArrayLike, before: ArrayLike, after: ArrayLike) -> Figure:
    """Draw a map twice: with the points of a window, and with the points that offsets move them to.

    Parameters
    ----------
    values : (H, W) map.
    before, after : (K, 2) row and column of each point, in index coordinates.
    """
    values, before, after = np.asarray(values), np.asarray(before), np.asarray(after)
    figure, panels = new_figure(2, width=7, height=3.4, sharey=True)
    for axes, points, title in zip(
        panels, (before, after), ("without offsets", "with learned offsets"), strict=True
    ):
        draw_map(axes, values, numbers=False)
        if points is after:
            lines = np.stack([before, after], axis=1)[..., ::-1] + 0.5  # x, y of both ends
            axes.add_collection(LineCollection(list(lines), color=COLOURS["gradient"], zorder=2))
        draw_points(axes, points[:, 1] + 0.5, points[:, 0] + 0.5)
        axes.set_title(title)
    panels[1].set_ylabel("")
    return figure
