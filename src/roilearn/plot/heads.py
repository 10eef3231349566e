"""Figures of chapter 12: losses, classes of a proposal, detections, and masks pasted into boxes."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from roilearn.palette import CLASSES, COLOURS
from roilearn.plot.base import draw_box, new_figure

STYLES = ("-", "--", ":")


def loss_curves(
    logits: ArrayLike,
    entropies: Mapping[str, ArrayLike],
    errors: ArrayLike,
    distances: Mapping[str, ArrayLike],
) -> Figure:
    """Draw binary cross-entropy over the logit, and losses of a delta over its error.

    Parameters
    ----------
    logits, errors : the values along the two horizontal axes.
    entropies, distances : by the name of a curve, a loss for each of them.
    """
    figure, panels = new_figure(2, width=7, height=2.9)
    groups = ((logits, entropies), (errors, distances))
    for axes, (places, curves) in zip(panels, groups, strict=True):
        for (name, values), style in zip(curves.items(), STYLES, strict=False):
            axes.plot(places, values, style, color=COLOURS["loss"], lw=1.8, label=name)
        axes.set_ylim(bottom=0)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)
    panels[0].set(xlabel="logit of a mask cell", ylabel="loss")
    panels[1].set(xlabel="error of a delta")
    return figure


def classes_of_proposal(
    image: ArrayLike,
    scores: Mapping[str, float],
    boxes: Sequence[Sequence[float]],
    proposal: Sequence[float],
) -> Figure:
    """Draw the score of each class as a bar, and in a panel each the box it would give a proposal.

    Parameters
    ----------
    image : (H, W, 3) with values from 0 to 1.
    scores : by the class's name, background first.
    boxes : of the classes without background, x1, y1, x2, y2 in image pixels.
    proposal : x1, y1, x2, y2; its surroundings are shown.
    """
    ratios = {"width_ratios": [1.3, *[1] * len(boxes)]}
    figure, (bars, *scenes) = new_figure(1 + len(boxes), width=8, height=2.5, gridspec_kw=ratios)
    colours = ("#B0B0B0", *CLASSES[: len(boxes)])
    bars.barh(list(scores), list(scores.values()), color=colours, edgecolor="black", linewidth=0.6)
    for row, score in enumerate(scores.values()):
        bars.text(score + 0.03, row, f"{score:.3f}", va="center")
    bars.set(xlim=(0, 1.5), xticks=(0, 0.5, 1), xlabel="score")
    bars.invert_yaxis()
    for axes, name, box, colour in zip(scenes, [*scores][1:], boxes, colours[1:], strict=True):
        show_part(axes, image, proposal, 8)
        draw_box(axes, proposal, dashed=True)
        outline(axes, box, colour)
        axes.set(title=name, xlabel="x (image pixels)")
    scenes[0].set_ylabel("y")
    return figure


def outline(axes: Axes, box: Sequence[float], colour: str, width: float = 1.4) -> None:
    """Outline a box in a colour, on a black line so that it is seen on photographs."""
    x1, y1, x2, y2 = box
    x, y = (x1, x2, x2, x1, x1), (y1, y1, y2, y2, y1)
    axes.plot(x, y, color="black", lw=1.9 * width)
    axes.plot(x, y, color=colour, lw=width)


def show_part(axes: Axes, image: ArrayLike, box: Sequence[float], margin: float) -> None:
    """Show the image around a box."""
    image = np.asarray(image)
    height, width = image.shape[:2]
    x1, y1, x2, y2 = box
    axes.imshow(image, extent=(0, width, height, 0))
    axes.set(xlim=(max(x1 - margin, 0), min(x2 + margin, width)))
    axes.set(ylim=(min(y2 + margin, height), max(y1 - margin, 0)))


def detection_steps(
    image: ArrayLike,
    steps: Mapping[str, tuple[ArrayLike, Sequence[int]]],
    classes: Sequence[str],
) -> Figure:
    """Draw the boxes that are left after each step, in the colours of their classes.

    Parameters
    ----------
    image : (H, W, 3) with values from 0 to 1.
    steps : by the panel's title, (n, 4) boxes in image pixels and the label of each, from 1. The
        first box lies on top.
    classes : names of the classes without background, for the legend.
    """
    image = np.asarray(image)
    height, width = image.shape[:2]
    pale = 0.5 + 0.5 * image
    figure, panels = new_figure(len(steps), width=9, height=3.1, sharey=True)
    for axes, (title, (boxes, labels)) in zip(panels, steps.items(), strict=True):
        axes.imshow(pale, extent=(0, width, height, 0))
        for box, label in zip(np.asarray(boxes)[::-1], labels[::-1], strict=True):
            outline(axes, box, CLASSES[label - 1], width=1)
        axes.set(title=title, xticks=(0, width), yticks=(0, height))
        axes.set(xlim=(0, width), ylim=(height, 0))
    panels[0].set(xlabel="x (image pixels)", ylabel="y")
    keys = [
        Line2D([], [], color=colour, lw=4, label=name)
        for name, colour in zip(classes, CLASSES, strict=False)
    ]
    figure.legend(handles=keys, loc="outside lower center", ncols=len(keys), frameon=False)
    return figure


def maps_of_classes(rows: Mapping[str, Mapping[str, ArrayLike]]) -> Figure:
    """Draw small maps of values from 0 to 1, a row for each rule and a column for each class.

    Parameters
    ----------
    rows : by the rule's name, maps by the class's name; white is 0 and black is 1.
    """
    columns = list(next(iter(rows.values())))
    figure, panels = new_figure(len(columns), len(rows), width=7, height=1.75 * len(rows))
    for row, (rule, maps) in zip(np.atleast_2d(panels), rows.items(), strict=True):
        for axes, name in zip(row, columns, strict=True):
            axes.imshow(np.asarray(maps[name]), "Greys", vmin=0, vmax=1)
            axes.set(xticks=[], yticks=[], title=name)
            axes.spines[:].set_visible(True)
        row[0].set_ylabel(rule)
    return figure


def paste_errors(
    truth: ArrayLike, pasted: Mapping[str, ArrayLike], box: Sequence[float], margin: float = 4
) -> Figure:
    """Draw pasted masks with the pixels that are missing and those that are too many.

    Parameters
    ----------
    truth : (H, W) booleans, the object's own mask.
    pasted : by the panel's title, (H, W) booleans.
    box : x1, y1, x2, y2 in image pixels, into which the masks were pasted; its surroundings are
        shown.
    """
    truth = np.asarray(truth, bool)
    height, width = truth.shape
    figure, panels = new_figure(len(pasted), width=7, height=2.7, sharey=True)
    x1, y1, x2, y2 = box
    for axes, (title, mask) in zip(panels, pasted.items(), strict=True):
        mask = np.asarray(mask, bool)  # noqa: PLW2901 - the same thing as an array
        parts = {
            "#D0D0D0": truth & mask,
            COLOURS["loss"]: truth & ~mask,
            COLOURS["align"]: mask & ~truth,
        }
        for colour, chosen in parts.items():
            axes.imshow(
                np.ma.masked_array(chosen, ~chosen),
                ListedColormap([colour]),
                extent=(0, width, height, 0),
            )
        draw_box(axes, box)
        axes.set(title=title, xticks=(round(x1), round(x2)), yticks=(round(y1), round(y2)))
        axes.set(xlim=(x1 - margin, x2 + margin), ylim=(y2 + margin, y1 - margin))
        axes.set_xlabel("x (image pixels)")
    panels[0].set_ylabel("y")
    return figure


def life_of_an_anchor(
    image: ArrayLike, stages: Mapping[str, Sequence[float]], mask: ArrayLike
) -> Figure:
    """Draw a box after each stage, and the mask in the last panel.

    Parameters
    ----------
    image : (H, W, 3) with values from 0 to 1.
    stages : by the panel's title, x1, y1, x2, y2 in image pixels.
    mask : (H, W) booleans.
    """
    mask = np.asarray(mask, bool)
    height, width = mask.shape
    figure, panels = new_figure(len(stages), width=7, height=2.3, sharey=True)
    last = list(stages.values())[-1]
    for axes, (title, box) in zip(panels, stages.items(), strict=True):
        show_part(axes, image, last, 14)
        draw_box(axes, box, dashed=True)
        axes.set(title=title, xlabel="x (image pixels)")
    panels[-1].imshow(
        np.ma.masked_array(mask, ~mask),
        ListedColormap([COLOURS["exact"]]),
        extent=(0, width, height, 0),
        alpha=0.6,
    )
    panels[0].set_ylabel("y")
    return figure
