"""The still picture of ``NmsSteps``: the boxes on the scene, and their IoU with the kept box."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from roilearn.explore.scene import HEIGHT, SHAPE_COLOURS, WIDTH, scene_pixels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

LINES = {
    "kept now": {"linewidth": 4},
    "kept": {"linewidth": 2.6},
    "waiting": {"linewidth": 1.2},
    "removed now": {"linewidth": 1.8, "dashes": (4, 2)},
    "removed": {"linewidth": 1.2, "dashes": (1, 2)},
}
"""Line of a box by what has become of it."""

SMALL = 20
"""Width in image pixels below which the name of a box stands above it."""


def draw_boxes(
    axes: Axes,
    boxes: list[list[float]],
    rows: list[dict[str, Any]],
    lines: Mapping[str, dict[str, Any]] = LINES,
) -> None:
    """Draw the boxes on the scene: the colour says the class, the line what has become of them."""
    axes.imshow(scene_pixels(), extent=(0, WIDTH, HEIGHT, 0))
    for (x1, y1, x2, y2), row in zip(boxes, rows, strict=True):
        line = lines[row["state"].partition(" by ")[0]]
        corners = ([x1, x2, x2, x1, x1], [y1, y1, y2, y2, y1])
        axes.plot(*corners, color="black", linewidth=line["linewidth"] + 1.5)
        axes.plot(*corners, color=SHAPE_COLOURS[row["class"]], **line)
        tag = {"facecolor": SHAPE_COLOURS[row["class"]], "edgecolor": "black", "linewidth": 0.6}
        above = x2 - x1 < SMALL <= y1  # the name would hide a small box
        at = {"va": "bottom" if above else "top", "fontsize": 8, "bbox": {"pad": 1.5, **tag}}
        axes.text(x1 + 2, y1 - 3 if above else y1 + 2, row["box"], **at)
    axes.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0))
    axes.set(xlabel="x (image pixels)", ylabel="y (image pixels)")


def draw_overlaps(axes: Axes, numbers: dict[str, Any]) -> None:
    """Draw a bar for the IoU of each box with the box kept in this step; hollow: not compared."""
    rows, now = numbers["rows"], numbers["now"]
    for y, row in enumerate(rows):
        grey = "0.55" if row["compared"] else "none"
        axes.barh(y, row["iou"] or 0, height=0.55, color=grey, edgecolor="0.4")
        iou = "" if now is None else f"{row['iou']:.3f}  "
        axes.text(1.04, y, iou + row["state"], va="center")
    axes.axvline(numbers["iou_threshold"], color="black", linewidth=1.2, linestyle="--")
    titles = [f"{row['box']}  {row['class']} {row['score']:.2f}" for row in rows]
    axes.set_yticks(range(len(rows)), titles)
    axes.set(xlim=(0, 1), ylim=(len(rows) - 0.4, -0.6))
    axes.set(xlabel=f"IoU with {now}, kept in step {numbers['step']}" if now else "IoU")
