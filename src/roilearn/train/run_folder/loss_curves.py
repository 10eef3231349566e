"""The picture of a run: every loss by step, as it came and smoothed."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from roilearn.train.run_folder.loss_log import read_record

ASIDE = ("step", "learning_rate", "gradient")
"""Columns that are no losses."""


def draw_curves(record: str | Path, picture: str | Path) -> None:
    """Draw the losses of a ``losses.csv``, and below them the learning rate and the gradient.

    Losses of a step are noise around a slow fall, so each is drawn twice: pale, and as the mean of
    its neighbours. Axes of losses and of the gradient's norm are logarithmic.

    Parameters
    ----------
    record : the table; see ``Record``.
    picture : file to write: PNG, SVG or PDF, as its name ends.
    """
    columns = {name: np.array(values) for name, values in read_record(record).items()}
    figure = Figure(figsize=(8, 7), layout="constrained")
    losses, rate = figure.subplots(2, height_ratios=(3, 1), sharex=True)
    for name, values in columns.items():
        if name not in ASIDE:
            (line,) = losses.plot(
                *smooth(columns["step"], values), label=name.removeprefix("loss_")
            )
            losses.plot(columns["step"], values, color=line.get_color(), alpha=0.2, lw=0.5)
    losses.set(yscale="log", ylabel="loss")
    figure.legend(loc="outside upper center", ncols=6, frameon=False)
    rate.plot(columns["step"], columns["learning_rate"], color="black")
    rate.set(xlabel="step", ylabel="learning rate")
    gradient = rate.twinx()
    gradient.plot(columns["step"], columns["gradient"], color="grey", alpha=0.5, lw=0.5)
    gradient.set(yscale="log", ylabel="norm of the gradient")
    everything = np.concatenate([v for k, v in columns.items() if k not in ASIDE])
    for axes, values in ((losses, everything), (gradient, columns["gradient"])):
        axes.set_yticks(round_steps(values))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    figure.savefig(picture, dpi=110)


def round_steps(values: np.ndarray) -> np.ndarray:
    """Four numbers of two digits from the smallest value to the largest, each the same factor on.

    A logarithmic axis numbers decades, of which a short one has none.

    Examples
    --------
    >>> round_steps(np.array([0.0, 0.5, 4.0])).tolist()
    [0.5, 1.0, 2.0, 4.0]
    """
    there = values[(values > 0) & np.isfinite(values)]
    spread = np.geomspace(there.min(), there.max(), 4) if len(there) else ()
    return np.unique([float(f"{value:.2g}") for value in spread])


def smooth(steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means of neighbours, a twentieth of all at a time, and the step in the middle of each.

    Examples
    --------
    >>> steps, values = smooth(np.arange(60), np.arange(60) % 3)
    >>> float(steps[0]), bool((values == 1).all())
    (1.0, True)
    """
    window = np.full(max(1, len(values) // 20), 1.0) / max(1, len(values) // 20)
    return np.convolve(steps, window, "valid"), np.convolve(values, window, "valid")
