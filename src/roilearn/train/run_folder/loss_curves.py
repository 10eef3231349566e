"""The loss curves of a run: every loss by step, raw and smoothed."""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from roilearn.train.run_folder.loss_log import read_loss_log

NOT_LOSSES = ("step", "learning_rate", "grad_norm")
"""Columns of the loss log that are not losses."""


def draw_curves(loss_log: str | Path, image: str | Path) -> None:
    """Draw the losses of a ``losses.csv``, and below them learning rate and gradient norm.

    The losses of single steps vary much around a slowly falling mean, so each loss is drawn twice:
    pale as it is, and as a moving mean. The axes of losses and gradient norm are logarithmic.

    Parameters
    ----------
    loss_log : path of the CSV file; see ``LossLog``.
    image : path of the image to write: PNG, SVG or PDF, as its name ends.
    """
    columns = {name: np.array(values) for name, values in read_loss_log(loss_log).items()}
    figure = Figure(figsize=(8, 7), layout="constrained")
    losses, rate = figure.subplots(2, height_ratios=(3, 1), sharex=True)
    for name, values in columns.items():
        if name not in NOT_LOSSES:
            (line,) = losses.plot(
                *smooth(columns["step"], values), label=name.removeprefix("loss_")
            )
            losses.plot(columns["step"], values, color=line.get_color(), alpha=0.2, lw=0.5)
    losses.set(yscale="log", ylabel="loss")
    legend = figure.legend(loc="outside upper center", ncols=6, frameon=False)
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


def log_ticks(values: np.ndarray) -> np.ndarray:
    """Four tick positions of two digits from the smallest value to the largest, evenly in the log.

    Matplotlib labels only powers of ten, of which a short axis has none.

    Examples
    --------
    >>> log_ticks(np.array([0.0, 0.5, 4.0])).tolist()
    [0.5, 1.0, 2.0, 4.0]
    """
    there = values[(values > 0) & np.isfinite(values)]
    spread = np.geomspace(there.min(), there.max(), 4) if len(there) else ()
    return np.unique([float(f"{value:.2g}") for value in spread])


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
