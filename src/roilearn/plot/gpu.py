"""Figure of the page on GPUs: the threads of one program, and the sectors that they read."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from roilearn.palette import COLOURS
from roilearn.plot.base import new_figure

WARPS, THREADS, SECTOR = 4, 32, 8
"""Warps of a program, threads of a warp, and float32 numbers of a sector."""
CHOSEN = 67
"""The place of the one number that the program of step 1 reads."""


def programs_warps_sectors() -> Figure:
    """Draw one load by one program of step 1, and one by a program of step 2, channels last.

    Each panel has the program's threads in warps above, and memory in sectors below.
    """
    figure, (alone, together) = new_figure(1, 2, width=7, height=3.9)
    numbers = np.arange(WARPS * THREADS)
    _load(alone, "step 1: all threads read the same number", [CHOSEN])
    _load(together, "step 2: each thread reads the number of its own channel", numbers)
    together.set_xlabel("memory: numbers side by side, eight in a sector")
    return figure


def _load(axes: Axes, title: str, read: Sequence[int] | np.ndarray) -> None:
    """Draw the warps above, the sectors below, and a line from each warp to what it reads."""
    places = np.asarray(read)
    for warp in range(WARPS):
        first = warp * THREADS
        axes.add_patch(Rectangle((first + 1, 2), THREADS - 2, 0.7, color=COLOURS["align"]))
        text = f"warp {warp}: {THREADS} threads"
        axes.text(first + 16, 2.35, text, ha="center", va="center", color="white", fontsize=8)
        own = places[(places >= first) & (places < first + THREADS)] if len(places) > 1 else places
        for sector in np.unique(own // SECTOR):
            end = (sector + 0.5) * SECTOR if len(places) > 1 else own[0] + 0.5
            axes.plot([first + 16, end], [2, 0.75], color=COLOURS["box"], linewidth=0.8)
    for sector in np.unique(places // SECTOR):
        axes.axvspan(
            sector * SECTOR, (sector + 1) * SECTOR, 0, 0.25, color=COLOURS["bin"], alpha=0.35
        )
    axes.bar(places + 0.5, 0.5, 0.8, color=COLOURS["sample"])
    axes.vlines(np.arange(0, WARPS * THREADS + 1, SECTOR), 0, 0.7, color="#8A8A8A", linewidth=0.6)
    axes.set(title=title, xlim=(0, WARPS * THREADS), ylim=(0, 2.8), xticks=[], yticks=[])
    axes.spines["left"].set_visible(False)
