"""Figures of detection errors: examples on scenes, AP without each kind, and AP by size."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from roilearn.palette import CLASSES, COLOURS
from roilearn.plot.base import draw_pale, new_figure

MARGIN = 12
"""Image pixels shown around the objects of an example."""
READINGS = {"True": ("o-", "align", "with the half cell"), "False": ("s--", "loss", "without")}
"""Line, colour and name of a model read with a value of ``aligned``."""


def error_examples(examples: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Draw detections on grey scenes: a mask in the colour of its class, and true outlines.

    Parameters
    ----------
    examples : by the panel's title, a mapping with ``image`` (H, W, 3) from 0 to 1, ``mask``
        (H, W) of the detection or None, its ``label`` from 1, and ``objects`` (G, H, W), the masks
        of the objects near it.
    """
    columns = min(len(examples), 3)
    rows = -(-len(examples) // columns)
    figure, axes = new_figure(columns, rows, width=7.4, height=2.75 * rows, squeeze=False)
    for panel, (title, one) in zip(axes.flat, examples.items(), strict=False):
        grey = np.mean(one["image"], -1, keepdims=True)
        draw_pale(panel, np.broadcast_to(grey, np.shape(one["image"])))
        panel.set_title(title, fontsize=9)
        for mask in one["objects"]:
            outline_mask(panel, mask, COLOURS["box"], linestyles="--")
        if one["mask"] is not None:
            colour = CLASSES[one["label"] - 1]
            height, width = np.shape(one["mask"])
            filled = np.ma.masked_equal(one["mask"], False)
            options: dict[str, Any] = {"extent": (0, width, height, 0), "alpha": 0.55}
            panel.contourf(filled, levels=[0.5, 1.5], colors=[colour], **options, origin="upper")
            outline_mask(panel, one["mask"], colour)
        shown = [*one["objects"], *([] if one["mask"] is None else [one["mask"]])]
        show_around(panel, np.any(shown, 0))
        panel.set_axis_off()
    for panel in axes.flat[len(examples) :]:
        panel.set_axis_off()
    return figure


def outline_mask(axes: Axes, mask: ArrayLike, colour: str, **options: Any) -> None:
    """Draw the outline of a mask, on a black line if it has a colour of its own."""
    padded = np.pad(np.asarray(mask, float), 1)
    y, x = (np.arange(size) - 0.5 for size in padded.shape)  # centres of pixels, one more around
    if colour != COLOURS["box"]:
        axes.contour(x, y, padded, levels=[0.5], colors="black", linewidths=3.2)
    axes.contour(x, y, padded, levels=[0.5], colors=colour, linewidths=1.6, **options)


def show_around(axes: Axes, mask: np.ndarray) -> None:
    """Show a square part of a picture around the pixels of a mask, without what is beyond it."""
    y, x = np.nonzero(mask)
    half = min(max(np.ptp(x), np.ptp(y)) / 2 + MARGIN, min(mask.shape) / 2)
    ways = ((axes.set_xlim, x, mask.shape[1]), (axes.set_ylim, y, mask.shape[0]))
    for limits, places, size in ways:
        middle = np.clip((places.min() + places.max() + 1) / 2, half, size - half)
        limits((middle - half, middle + half))
    axes.invert_yaxis()


def ap_without_errors(
    results: Iterable[Any], kinds: Sequence[str], titles: Mapping[str, str]
) -> Figure:
    """Draw an average precision as it is, and how far it would rise without each kind of error.

    Parameters
    ----------
    results : recorded ``ErrorCount`` rows.
    kinds : the kinds of errors, from the top.
    titles : by the value of ``aligned``, the title of its row of panels; a column for each metric.
    """
    results = list(results)
    metrics = list(dict.fromkeys(result.metric for result in results))
    figure, axes = new_figure(
        len(metrics),
        len(titles),
        width=7.4,
        height=1.9 * len(titles) + 0.3,
        sharex=True,
        sharey=True,
    )
    for line, (aligned, title) in zip(np.atleast_2d(axes), titles.items(), strict=True):
        for panel, metric in zip(line, metrics, strict=True):
            here = {
                r.kind: r.mask_ap for r in results if (r.aligned, r.metric) == (aligned, metric)
            }
            before = here["right"]
            panel.axvline(before, color="black", linewidth=1)
            for row, kind in enumerate(kinds):
                gain = here[kind] - before
                panel.barh(row, gain, left=before, height=0.6, color=COLOURS["loss"])
                panel.text(here[kind] + 0.02, row, f"+{gain:.3f}", va="center", fontsize=8)
            panel.set_title(f"{metric} {before:.3f}, {title}", fontsize=9)
            panel.set_yticks(range(len(kinds)), kinds)
    axes.flat[0].set(xlim=(0, 1.18), ylim=(len(kinds) - 0.4, -0.6), xticks=(0, 0.5, 1))
    for panel in np.atleast_2d(axes)[-1]:
        panel.set_xlabel("mask AP without the kind")
    return figure


def ap_by_size(results: Iterable[Any], metrics: Sequence[str]) -> Figure:
    """Draw mask AP over the size of the objects, a panel for each metric and a line for each model.

    Parameters
    ----------
    results : recorded ``SizeResult`` rows.
    metrics : names such as ``"AP75"``.
    """
    results = list(results)
    figure, panels = new_figure(len(metrics), width=7.4, height=2.9, sharey=True, squeeze=False)
    for axes, metric in zip(panels[0], metrics, strict=True):
        for aligned, (line, colour, name) in READINGS.items():
            own = [result for result in results if result.aligned == aligned]
            values = [getattr(result, metric) for result in own]
            axes.plot(range(len(own)), values, line, color=COLOURS[colour], label=name)
        ranges = [f"{result.smallest}\u2013{result.largest}" for result in own]
        axes.set_xticks(range(len(own)), ranges)
        axes.set(title=metric, xlabel="size of the object, image pixels", ylim=(0, 1))
        axes.set_xlim(-0.45, len(ranges) - 0.55)
    panels[0][0].set_ylabel("mask AP")
    panels[0][0].legend(loc="lower right")
    return figure
