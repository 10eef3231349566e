"""Figures of ablations: AP of trained models, a dot for each seed.

They draw recorded results: objects with the attributes of ``Trained``, and the metrics.
"""

from collections.abc import Iterable, Mapping, Sequence
from statistics import mean
from typing import Any, Protocol

from matplotlib.figure import Figure

from roilearn.palette import COLOURS
from roilearn.plot.base import new_figure

LOOKS = {
    "RoIPool": (COLOURS["pool"], "s"),
    "RoIAlign, aligned=False": (COLOURS["bin"], "^"),
    "RoIAlign, aligned=True": (COLOURS["align"], "o"),
}
"""Colour and marker of each variant."""
APART = 0.12
"""Horizontal distance between two variants at one stride; neighbouring strides are 1 apart."""


class Trained(Protocol):
    """A recorded result. It also has the metrics as attributes."""

    variant: str
    stride: int
    seed: int


def ap_by_stride(results: Iterable[Trained], metrics: Sequence[str]) -> Figure:
    """Draw mask AP, in hundredths, at each stride: a panel for each metric.

    Parameters
    ----------
    results : recorded results of the variants in ``LOOKS``; others are left out.
    metrics : names such as ``"AP50"``, which each result has as an attribute.
    """
    own = [result for result in results if result.variant in LOOKS]
    strides = sorted({result.stride for result in own})
    figure, panels = new_figure(len(metrics), height=3.4, sharey=True, squeeze=False)
    for axes, metric in zip(panels[0], metrics, strict=True):
        for number, (variant, (colour, mark)) in enumerate(LOOKS.items()):
            shift = APART * (number - (len(LOOKS) - 1) / 2)
            found = [(r.stride, 100 * getattr(r, metric)) for r in own if r.variant == variant]
            places = [strides.index(stride) + shift for stride, _ in found]
            axes.plot(places, [value for _, value in found], mark, color=colour, alpha=0.45)
            means = [mean(v for s, v in found if s == stride) for stride, _ in found]
            line = sorted(set(zip(places, means, strict=True)))
            axes.plot(
                *zip(*line, strict=True), mark + "-", color=colour, label=variant, markersize=8
            )
        axes.set_xticks(range(len(strides)), [str(stride) for stride in strides])
        axes.set(title=metric, xlabel="stride (image pixels)")
    panels[0][0].set_ylim(bottom=0)
    panels[0][0].set_ylabel("mask AP, hundredths")
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(LOOKS), frameon=False)
    return figure


def ap_by_mask_loss(results: Iterable[Any], metrics: Mapping[str, str]) -> Figure:
    """Draw AP, in hundredths, of each variant: a panel for each metric, a line for each seed.

    A black bar is the mean over the seeds. Lines that rise together show a difference that the
    seeds share. Every scale begins at 0.

    Parameters
    ----------
    results : recorded results, with ``variant``, ``seed`` and the metrics as attributes. Variants
        are drawn in the order in which they come.
    metrics : by the attribute's name, such as ``"AP50"``, the title of its panel.
    """
    results = list(results)
    variants = list(dict.fromkeys(result.variant for result in results))
    figure, panels = new_figure(len(metrics), height=2.8, squeeze=False)
    for axes, (metric, title) in zip(panels[0], metrics.items(), strict=True):
        for seed in sorted({result.seed for result in results}):
            own = [r for r in results if r.seed == seed]
            places = [variants.index(r.variant) for r in own]
            points = sorted(zip(places, [100 * getattr(r, metric) for r in own], strict=True))
            axes.plot(*zip(*points, strict=True), "o-", color="0.6", markersize=5)
        for place, variant in enumerate(variants):
            average = mean(100 * getattr(r, metric) for r in results if r.variant == variant)
            axes.hlines(average, place - 0.2, place + 0.2, color="black", linewidth=2.5)
        axes.set_xticks(range(len(variants)), variants)
        axes.set(title=title, xlim=(-0.5, len(variants) - 0.5))
        axes.set_ylim(bottom=0)
    panels[0][0].set_ylabel("hundredths")
    return figure


def paired_gains(gains: Mapping[str, Mapping[str, Sequence[float]]]) -> Figure:
    """Draw differences of two variants, in hundredths: a dot for each seed, a bar for the mean.

    Dots are blue above 0, red below it and grey on it.

    Parameters
    ----------
    gains : by the panel's title, and in it by the metric, a difference for each seed.
    """
    figure, panels = new_figure(len(gains), width=7.4, height=2.6, sharey=True, squeeze=False)
    for axes, (title, metrics) in zip(panels[0], gains.items(), strict=True):
        axes.axhline(0, color="0.5", linewidth=0.8)
        for place, values in enumerate(metrics.values()):
            hundredths = [100 * value for value in values]
            around = [place + 0.12 * (n - (len(values) - 1) / 2) for n in range(len(values))]
            signs = [(value > 0) - (value < 0) for value in values]
            colours = [("0.5", COLOURS["align"], COLOURS["loss"])[sign] for sign in signs]
            axes.scatter(around, hundredths, s=34, c=colours, zorder=3)
            average = mean(hundredths)
            axes.hlines(average, place - 0.3, place + 0.3, color="black", linewidth=2)
        axes.set_xticks(range(len(metrics)), list(metrics))
        axes.set(title=title, xlim=(-0.6, len(metrics) - 0.4))
    panels[0][0].set_ylabel("difference, hundredths")
    return figure
