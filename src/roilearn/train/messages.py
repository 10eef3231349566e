"""What a run says of itself: losses in a line, divergence, an interrupt."""

import math
from collections.abc import Mapping
from pathlib import Path


def as_text(row: Mapping[str, float]) -> str:
    """Losses of a row, short enough for a progress bar.

    Examples
    --------
    >>> as_text({"step": 3, "gradient": 2.0, "loss": 1.5, "loss_mask": 0.5})
    'loss 1.5 mask 0.5'
    """
    losses = {name: value for name, value in row.items() if name.startswith("loss")}
    return " ".join(f"{name.removeprefix('loss_')} {value:.3g}" for name, value in losses.items())


def check_finite_step(row: Mapping[str, float], scaled: bool) -> None:
    """Raise unless losses and gradient are numbers; gradients of float16 may overflow at times."""
    if not math.isfinite(row["loss"] + (0 if scaled else row["gradient"])):
        raise FloatingPointError(
            f"training has diverged: in step {row['step']} {as_text(row)} gradient "
            f"{row['gradient']:.3g}. Begin anew with a lower learning_rate, a longer warm_up or a "
            "smaller clip: from the checkpoint with the same settings it would go the same way."
        )


def how_to_go_on(step: int, folder: Path | None) -> str:
    """Say what an interrupt left behind."""
    if folder is None:
        return f"interrupted after step {step}; nothing was saved, since no folder was given."
    return f"interrupted after step {step}, which is saved; the same call goes on from there."
