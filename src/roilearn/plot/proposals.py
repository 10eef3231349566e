"""Figures of chapter 10: NMS of boxes in a row, proposals on the scene, and the offset trick."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from numpy.typing import ArrayLike

from roilearn.palette import CLASSES, COLOURS
from roilearn.plot.base import draw_outlines, draw_pale, new_figure


def boxes_in_a_row(
    boxes: Mapping[str, Sequence[float]], outcomes: Mapping[str, Mapping[str, str]]
) -> Figure:
    """Draw boxes of equal height as bars below each other, a panel for each run of NMS.

    Parameters
    ----------
    boxes : by their names, boxes that differ along x only.
    outcomes : by the panel's title, what became of each box that was removed, by its name; a box
        that is not named was kept.
    """
    figure, axes = new_figure(len(outcomes), width=7, height=2.3, sharey=True)
    for panel, (title, removed) in zip(axes, outcomes.items(), strict=True):
        for row, (name, (x1, _, x2, _)) in enumerate(boxes.items()):
            kept = name not in removed
            bar = Rectangle(
                (x1, row - 0.36),
                x2 - x1,
                0.72,
                facecolor="#D9D9D9" if kept else "white",
                edgecolor=COLOURS["box"] if kept else "#8A8A8A",
                linewidth=1.6,
                linestyle="-" if kept else "--",
            )
            panel.add_patch(bar)
            said = "kept" if kept else removed[name]
            panel.text((x1 + x2) / 2, row, said, ha="center", va="center", fontsize=8)
        panel.set(title=title, xlim=(-1, 23), ylim=(len(boxes) - 0.4, -0.6), xlabel="x (pixels)")
    axes[0].set_yticks(range(len(boxes)), list(boxes))
    return figure


def proposal_steps(
    image: ArrayLike,
    steps: Mapping[str, tuple[ArrayLike, ArrayLike]],
    followed: Mapping[str, Sequence[float]],
) -> Figure:
    """Draw the boxes that each step leaves over the scene, dark where scores are high.

    Parameters
    ----------
    image : (H, W, 3) values from 0 to 1.
    steps : by the panel's title, (K, 4) boxes and their (K,) scores.
    followed : by the same titles, one box that is drawn bold, in the colour of squares.
    """
    rows = -(-len(steps) // 2)
    figure, axes = new_figure(2, rows, width=7, height=2.9 * rows)
    height, width = np.shape(image)[:2]
    for panel, (title, (boxes, scores)) in zip(axes.flat, steps.items(), strict=False):
        draw_pale(panel, image, margin=14)
        panel.add_patch(Rectangle((0, 0), width, height, fill=False, color="#8A8A8A", lw=0.6))
        draw_by_score(panel, np.asarray(boxes), np.asarray(scores))
        x1, y1, x2, y2 = followed[title]
        bold = {"edgecolor": CLASSES[1], "linewidth": 2.4, "fill": False}
        panel.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, **bold, zorder=3))
        panel.set_title(title, fontsize=9)
    return figure


def boxes_by_level(
    image: ArrayLike,
    panels: Mapping[str, Mapping[str, Sequence[float]]],
    removed: Mapping[str, Sequence[str]],
    truth: Sequence[float],
) -> Figure:
    """Draw a few named boxes over the scene; removed ones dotted, the disc's true box filled.

    Parameters
    ----------
    image : (H, W, 3) values from 0 to 1.
    panels : by the panel's title, boxes by their names.
    removed : by the panel's title, the names of the boxes that are removed there.
    truth : box of the disc.
    """
    figure, axes = new_figure(len(panels), width=7, height=2.2)
    for panel, (title, boxes) in zip(axes, panels.items(), strict=True):
        draw_pale(panel, image)
        x1, y1, x2, y2 = truth
        panel.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, color=CLASSES[0], alpha=0.55, lw=0))
        for place, name in enumerate(sorted(boxes, key=lambda name: boxes[name][0])):
            gone = name in removed.get(title, ())
            x1, y1, x2, y2 = boxes[name]
            style: dict[str, Any] = (
                {"linewidth": 1.3, "linestyle": ":"} if gone else {"linewidth": 2}
            )
            panel.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, **style))
            panel.annotate(
                f"{name}\nremoved" if gone else name,
                (x1, y2),
                (22 + 40 * place, 112),
                ha="center",
                va="center",
                fontsize=8,
                path_effects=[withStroke(linewidth=2.5, foreground="white")],
                arrowprops={"arrowstyle": "-", "lw": 0.8, "shrinkA": 1, "shrinkB": 0},
            )
        panel.set_title(title, fontsize=9)
    return figure


def offset_trick(
    boxes: Sequence[Sequence[float]],
    classes: Sequence[int],
    shifted: Sequence[Sequence[float]],
    names: Sequence[str],
) -> Figure:
    """Draw boxes of several classes before and after each class is shifted.

    Parameters
    ----------
    boxes, shifted : (K, 4) boxes, as they are and with the offset of their class added.
    classes : number of the class of each box.
    names : name of each class.
    """
    figure, axes = new_figure(2, width=7, height=3.7)
    field = np.max(boxes) + 1
    large_first = np.argsort([(y1 - y2) * (x2 - x1) for x1, y1, x2, y2 in boxes])
    for panel, each in zip(axes, (boxes, shifted), strict=True):
        for n in large_first:
            x1, y1, x2, y2 = each[n]
            for colour, width in (("black", 2.6), (CLASSES[classes[n]], 1.5)):
                style = {"edgecolor": colour, "linewidth": width, "fill": False}
                panel.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, **style))
        low, high = min(np.min(each), 0) - 6, np.max(each) + 6
        panel.set(xlim=(low, high), ylim=(high, low), aspect="equal")
    axes[0].set(title="six detections", xlabel="x (image pixels)", ylabel="y (image pixels)")
    axes[1].set(title="with the offset of their class")
    axes[1].set(xlabel="x + offset (image pixels)", ylabel="y + offset (image pixels)")
    for group, name in enumerate(names):
        start = group * field
        axes[1].add_patch(
            Rectangle((start, start), field, field, fill=False, color="#8A8A8A", ls=":")
        )
        axes[1].text(start + 4, start + field - 4, name, va="bottom", fontsize=9)
        axes[0].plot([], [], color=CLASSES[group], label=name)
    outlined = [withStroke(linewidth=3, foreground="black")]
    for line in axes[0].legend(loc="lower left", fontsize=8).get_lines():
        line.set(linewidth=1.8, path_effects=outlined)
    return figure


def draw_by_score(axes: Axes, boxes: np.ndarray, scores: np.ndarray) -> None:
    """Draw outlines whose opacity is the score; the highest score is on top.

    The lowest opacity is 0.1, or less where boxes are so many that they would hide the picture.
    """
    faintest = min(0.1, 20 / max(len(boxes), 1))
    order = np.argsort(scores, kind="stable")
    colours = [(0, 0, 0, max(float(score), faintest)) for score in scores[order]]
    draw_outlines(axes, boxes[order], colors=colours, linewidths=0.7)
