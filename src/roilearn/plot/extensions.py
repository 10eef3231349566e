"""Figures of the page on ideas that plug in: where they plug in, and what each of them does."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from statistics import mean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from roilearn.palette import COLOURS
from roilearn.plot.base import new_figure

STAGES = {
    "data": (0.9, 3.2),
    "transform": (3.3, 3.2),
    "backbone": (5.7, 3.2),
    "pyramid": (8.1, 3.2),
    "proposals": (8.1, 1.2),
    "RoI operator": (5.7, 1.2),
    "heads": (3.3, 1.2),
    "detections": (0.9, 1.2),
}
"""Middle of each stage's box, in the order in which an image goes through them."""
SIZE = (1.5, 0.56)


def plug_points(ideas: Mapping[str, str]) -> Figure:
    """Draw the stages of a detector, and beside each the ideas that plug in there.

    Parameters
    ----------
    ideas : by the name of a stage in ``STAGES``, the lines that stand at it.

    Raises
    ------
    ValueError: an unknown stage.
    """
    unknown = sorted(set(ideas) - set(STAGES))
    if unknown:
        raise ValueError(f"ideas must name stages, {', '.join(STAGES)}; got {unknown[0]!r}.")
    figure, axes = new_figure(width=7.6, height=3.5)
    for (x1, y1), (x2, y2) in pairwise(STAGES.values()):
        across, down = (x2 > x1) - (x2 < x1), (y2 > y1) - (y2 < y1)
        start = (x1 + across * SIZE[0] / 2, y1 + down * SIZE[1] / 2)
        end = (x2 - across * SIZE[0] / 2, y2 - down * SIZE[1] / 2)
        axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": "black"})
    for name, place in STAGES.items():
        draw_stage(axes, name, place, filled=name in ideas)
        above = place[1] > 2
        text = ideas.get(name, "")
        edge = place[1] + (0.42 if above else -0.42)
        where = {"ha": "center", "va": "bottom" if above else "top"}
        axes.text(place[0], edge, text, fontsize=9.5, color="black", **where)
    axes.set(xlim=(0, 9), ylim=(-0.2, 4.8))
    axes.set_axis_off()
    return figure


def draw_stage(axes: Axes, name: str, place: tuple[float, float], *, filled: bool) -> None:
    """Draw one stage: filled where an idea plugs in, else outlined."""
    width, height = SIZE
    corner = (place[0] - width / 2, place[1] - height / 2)
    face, ink = (COLOURS["align"], "white") if filled else ("white", "black")
    box = FancyBboxPatch(corner, width, height, "round,pad=0,rounding_size=0.12")
    box.set(facecolor=face, edgecolor=COLOURS["align"] if filled else "black")
    axes.add_patch(box)
    axes.text(*place, name, ha="center", va="center", color=ink, fontsize=10)


def effects(
    results: Iterable[Any], metrics: Mapping[str, str], factors: Mapping[str, float] | None = None
) -> Figure:
    """Draw the recorded numbers of an idea: a panel for each metric, a line for each seed.

    A grey line joins the dots of one seed, a black bar is the mean over the seeds. Lines that run
    alike show a difference that the seeds share. Every scale begins at 0.

    Parameters
    ----------
    results : rows with ``variant``, ``seed``, ``metric`` and ``value``; variants are drawn from
        the top in the order in which they come.
    metrics : by the metric's name, the title under its panel.
    factors : of the values of a metric; 1 where none is given.
    """
    rows = [row for row in results if row.metric in metrics]
    variants = list(dict.fromkeys(row.variant for row in rows))
    height = 0.9 + 0.42 * len(variants)
    options: dict[str, Any] = {"height": height, "squeeze": False, "sharey": True}
    figure, panels = new_figure(len(metrics), **options)
    for axes, (metric, title) in zip(panels[0], metrics.items(), strict=True):
        factor = (factors or {}).get(metric, 1)
        own = [row for row in rows if row.metric == metric]
        for seed in sorted({row.seed for row in own}):
            found = {row.variant: factor * row.value for row in own if row.seed == seed}
            points = [(found[name], k) for k, name in enumerate(variants) if name in found]
            line = {"color": "0.6", "markersize": 4, "linewidth": 1, "zorder": 3}
            axes.plot(*zip(*points, strict=True), "o-", **line)
        for place, name in enumerate(variants):
            values = [factor * row.value for row in own if row.variant == name]
            if values:
                ends = (place - 0.25, place + 0.25)
                axes.vlines(mean(values), *ends, color="black", linewidth=2.5, zorder=2)
        axes.set_yticks(range(len(variants)), variants)
        axes.set(xlabel=title, ylim=(len(variants) - 0.5, -0.5))
        axes.set_xlim(0, 1.12 * max((factor * row.value for row in own), default=1.0) or 1.0)
    return figure
