"""Figures of chapter 14: precision over recall, right and wrong detections, AP over a threshold."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from roilearn.palette import CLASSES
from roilearn.plot.base import draw_pale, new_figure

STYLES = ("-", "--", ":", "-.")
GREYS = ("black", "0.45", "0.3", "0.6")


def precision_recall_curves(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]],
    letters: Mapping[str, str] | None = None,
) -> Figure:
    """Draw precision over recall in a panel for each curve, with its interpolation.

    Parameters
    ----------
    curves : by the title of a panel: precision, interpolated precision and recall, all (D,).
    letters : by the same titles, a letter for each detection.
    """
    figure, panels = new_figure(len(curves), width=8, height=2.9, sharey=True, squeeze=False)
    for axes, (title, curve) in zip(panels[0], curves.items(), strict=True):
        precision, best, recall = (np.asarray(each, dtype=float) for each in curve)
        ends = [0, *recall, recall[-1]]
        axes.plot([0, *recall], [precision[0], *precision], color="0.55", label="precision")
        axes.step(ends, [best[0], *best, 0], color="black", linewidth=2.4, label="interpolated")
        right = np.diff(recall, prepend=0) > 0
        for filled, colour in ((right, "0.3"), (~right, "white")):
            axes.plot(recall[filled], precision[filled], "o", color="0.2", mfc=colour)
        for letter, x, y in zip((letters or {}).get(title, ""), recall, precision, strict=False):
            axes.annotate(letter, (x, y), (-11, -12), textcoords="offset points", fontsize=9)
        axes.set(xlim=(-0.02, 1.05), ylim=(0, 1.08), xlabel="recall", title=title)
    panels[0][0].set_ylabel("precision")
    panels[0][0].legend(loc="lower left")
    return figure


def right_and_wrong(
    images: Sequence[ArrayLike],
    objects: Sequence[ArrayLike],
    detections: Sequence[Sequence[tuple[str, Sequence[float], int, bool]]],
    margin: float = 0,
) -> Figure:
    """Draw objects thin, and detections in the colour of their class: right solid, wrong dashed.

    Parameters
    ----------
    images : (H, W, 3) each, with values from 0 to 1.
    objects : for each image (G, 4) boxes in image pixels.
    detections : for each image: words, box, label from 1, and whether it is right.
    margin : image pixels that are shown around each image.
    """
    figure, panels = new_figure(len(images), width=8, height=2.7, squeeze=False)
    for axes, image, boxes, found in zip(panels[0], images, objects, detections, strict=True):
        draw_pale(axes, image, margin)
        height, width = np.shape(image)[:2]
        placed: list[tuple[float, float]] = []
        for box in np.asarray(boxes):
            draw_frame(axes, box, "black", "-", 1)
        for words, box, label, right in found:
            hue = CLASSES[(label - 1) % len(CLASSES)]
            draw_frame(axes, box, "black", "-" if right else "--", 3.6)
            draw_frame(axes, box, hue, "-" if right else "--", 2.2)
            tag = {"facecolor": hue, "edgecolor": "black", "pad": 1, "linewidth": 0.5}
            x, y = (box[0] + 1, box[1] + 1) if right else (box[2] - 1, box[3] - 1)
            while any(abs(x - u) < width / 4 and abs(y - v) < height / 16 for u, v in placed):
                y += height / 16  # below a tag that is there
            placed.append((x, y))
            at = {"ha": "left", "va": "top"} if right else {"ha": "right", "va": "bottom"}
            axes.text(x, y, words, fontsize=7, bbox=tag, **at)
    return figure


def draw_frame(axes: Axes, box: Sequence[float], colour: str, style: str, width: float) -> None:
    """Draw the outline of a box x1, y1, x2, y2."""
    x1, y1, x2, y2 = (float(edge) for edge in box)
    axes.plot([x1, x2, x2, x1, x1], [y1, y1, y2, y2, y1], style, color=colour, linewidth=width)


def over_a_threshold(
    thresholds: ArrayLike, lines: Mapping[str, ArrayLike], xlabel: str, ylabel: str = "AP"
) -> Figure:
    """Draw one line or several, from 0 to 1, over a threshold.

    Parameters
    ----------
    thresholds : the values along the horizontal axis.
    lines : by name, a value for each of them.
    xlabel, ylabel : what stands at the axes.
    """
    figure, axes = new_figure(width=6, height=2.9)
    for n, (name, values) in enumerate(lines.items()):
        style = {"linestyle": STYLES[n % len(STYLES)], "color": GREYS[n % len(GREYS)]}
        axes.plot(thresholds, values, marker="o", markersize=4, label=name, **style)
    axes.set(ylim=(0, 1.03), xlabel=xlabel, ylabel=ylabel)
    axes.legend(loc="lower left")
    return figure
