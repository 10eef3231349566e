"""The loss curves of a run: every loss by step, raw and smoothed."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter

from roilearn.train.run_folder.loss_log import read_loss_log
from roilearn.train.run_folder.validation_log import VALIDATION, read_validation_log

NOT_LOSSES = ("step", "learning_rate", "grad_norm")
"""Columns of the loss log that are not losses."""
MAX_TICKS = 7
"""Maximum number of ticks of a logarithmic axis that has more than powers of ten."""


def draw_curves(loss_log: str | Path, image: str | Path) -> None:
    """Draw the losses of a ``losses.csv``, and below them learning rate and gradient norm.

    The losses of single steps vary much around a slowly falling mean, so each loss is drawn twice:
    pale as it is, and as a moving mean. The axes of losses and gradient norm are logarithmic. If
    there is a ``validation.csv`` beside the file, its metrics are drawn as well.

    Parameters
    ----------
    loss_log : path of the CSV file; see ``LossLog``.
    image : path of the image to write: PNG, SVG or PDF, as its name ends.
    """
    columns = {name: np.array(values) for name, values in read_loss_log(loss_log).items()}
    figure = Figure(figsize=(8, 7), layout="constrained")
    validation = Path(loss_log).with_name(VALIDATION)
    rows = read_validation_log(validation) if validation.is_file() else []
    heights = (3, 1, 1) if rows else (3, 1)
    losses, *between, rate = figure.subplots(len(heights), height_ratios=heights, sharex=True)
    drawn = sum(name not in NOT_LOSSES for name in columns)
    for axes in between:
        draw_validation(axes, rows, first_colour=drawn)
    for name, values in columns.items():
        if name not in NOT_LOSSES:
            (line,) = losses.plot(
                *smooth(columns["step"], values), label=name.removeprefix("loss_")
            )
            losses.plot(columns["step"], values, color=line.get_color(), alpha=0.2, lw=0.5)
    losses.set(yscale="log", ylabel="loss")
    named = losses.get_legend_handles_labels()
    legend = figure.legend(*named, loc="outside upper center", ncols=6, frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)  # the names of losses are anyone's words
    rate.plot(columns["step"], columns["learning_rate"], color="black")
    rate.set(xlabel="step", ylabel="learning rate")
    norm = rate.twinx()
    norm.plot(columns["step"], columns["grad_norm"], color="grey", alpha=0.5, lw=0.5)
    norm.set(yscale="log", ylabel="gradient norm")
    all_losses = np.concatenate([v for k, v in columns.items() if k not in NOT_LOSSES])
    for axes, values in ((losses, all_losses), (norm, columns["grad_norm"])):
        axes.set_yticks(log_ticks(values))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    figure.savefig(image, dpi=110)


def draw_validation(axes: Axes, rows: Sequence[Mapping[str, float]], first_colour: int = 0) -> None:
    """Draw the metrics of the evaluations during a run, from 0 to 1, a point for each.

    Parameters
    ----------
    first_colour : place of the first metric's colour in matplotlib's cycle, after those of losses.
    """
    steps = [row["step"] for row in rows]
    for colour, name in enumerate(list(rows[0])[1:], first_colour):
        axes.plot(steps, [row[name] for row in rows], ".-", color=f"C{colour}", label=name)
    axes.set(ylabel="validation", ylim=(0, 1.05), yticks=(0, 0.5, 1))
    axes.legend(frameon=False, fontsize="small")


def log_ticks(values: np.ndarray) -> np.ndarray:
    """Choose round numbers within the values as ticks of a logarithmic axis.

    They are 1, 2 and 5 times powers of ten, or of many such the powers alone. If fewer than two lie
    within the values, round numbers at equal distances are chosen.

    Examples
    --------
    >>> log_ticks(np.array([0.0, 0.4, 7.0])).tolist()
    [0.5, 1.0, 2.0, 5.0]
    >>> log_ticks(np.array([2.1, 2.4])).tolist()
    [2.1, 2.2, 2.3, 2.4]
    """
    there = values[(values > 0) & np.isfinite(values)]
    if not len(there):
        return np.array([])
    low, high = there.min(), there.max()
    for factors in ((1, 2, 5), (1,)):
        powers = np.arange(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        ticks = np.unique([float(f"{factor}e{power}") for power in powers for factor in factors])
        ticks = ticks[(ticks >= low) & (ticks <= high)]
        if len(ticks) <= MAX_TICKS:
            break
    if len(ticks) < 2:
        even = MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(low, high)
        ticks = np.unique([float(f"{tick:.4g}") for tick in even if low <= tick <= high])
    return ticks if len(ticks) else np.array([float(f"{low:.2g}")])


def smooth(steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute the moving mean over a twentieth of the steps, and the middle step of each window.

    Examples
    --------
    >>> steps, values = smooth(np.arange(60), np.arange(60) % 3)
    >>> float(steps[0]), bool((values == 1).all())
    (1.0, True)
    """
    window = np.full(max(1, len(values) // 20), 1.0) / max(1, len(values) // 20)
    return np.convolve(steps, window, "valid"), np.convolve(values, window, "valid")
