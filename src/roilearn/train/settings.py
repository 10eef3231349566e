"""All that decides how a training run goes, in one place, written into every checkpoint."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from roilearn.arguments import check_between, check_choice, check_count, check_number, check_share

SCHEDULES = ("cosine", "steps", "constant")
OPTIMIZERS = ("adamw", "sgd")
PRECISIONS = ("float32", "bfloat16", "float16")
CHANGEABLE = ("workers", "save_every")
"""Settings that leave the weights as they are: a resumed run may have others."""


@dataclass(frozen=True)
class Settings:
    """Settings of a training run.

    Parameters
    ----------
    steps : how many times the weights change.
    batch_size : images a step, all processes together.
    learning_rate : the highest of the run.
    warm_up : share of the steps over which the rate rises to it.
    schedule : how the rate falls afterwards, one of ``SCHEDULES``; see ``learning_rate``.
    optimizer : ``"adamw"``, or ``"sgd"`` with momentum 0.9.
    weight_decay : pulls weights to 0, those of more than one dimension only.
    clip : longest gradient, as the norm over all parameters; a longer one is shortened to it.
        ``math.inf`` only measures.
    average : share of the old in the moving average of weights, from 0, no average, to below 1.
    precision : what the model computes in, one of ``PRECISIONS``; weights stay float32.
        ``"float16"`` is for CUDA.
    seed : of everything that is random.
    shares : equal parts into which a batch is cut, for memory or for several processes.
    workers : processes that load images, beside each that trains.
    save_every : steps from one checkpoint to the next.

    Raises
    ------
    ValueError, TypeError: a setting out of its range, or a batch that cannot be cut into shares.

    Examples
    --------
    >>> Settings(steps=300).learning_rate
    0.002
    >>> Settings(steps=300, batch_size=8, shares=3)
    Traceback (most recent call last):
    ValueError: shares must divide batch_size evenly; got 3 for a batch of 8.
    """

    steps: int
    batch_size: int = 8
    learning_rate: float = 2e-3
    warm_up: float = 0.1
    schedule: str = "cosine"
    optimizer: str = "adamw"
    weight_decay: float = 0.01
    clip: float = 5.0
    average: float = 0.998
    precision: str = "float32"
    seed: int = 0
    shares: int = 1
    workers: int = 0
    save_every: int = 200

    def __post_init__(self) -> None:
        """Check every setting."""
        for name in ("steps", "batch_size", "shares", "save_every"):
            check_count(name, getattr(self, name))
        check_between("seed", self.seed, 0, 2**63 - 1)
        check_between("workers", self.workers, 0, 256)
        for name in ("learning_rate", "clip"):
            if not check_number(name, getattr(self, name)) > 0:
                raise ValueError(f"{name} must be above 0; got {getattr(self, name)}.")
        if self.learning_rate == math.inf:
            raise ValueError("learning_rate must be finite; got inf.")
        if not 0 <= check_number("weight_decay", self.weight_decay) < math.inf:
            raise ValueError(f"weight_decay must be finite, 0 or more; got {self.weight_decay}.")
        check_share("warm_up", self.warm_up)
        if check_share("average", self.average) == 1:
            raise ValueError("average must be below 1; got 1, which keeps the first weights.")
        check_choice("schedule", self.schedule, SCHEDULES)
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        check_choice("precision", self.precision, PRECISIONS)
        if self.batch_size % self.shares:
            raise ValueError(
                f"shares must divide batch_size evenly; got {self.shares} for a batch of "
                f"{self.batch_size}."
            )

    def deciding(self) -> dict[str, Any]:
        """Name the settings on which the weights depend."""
        return {k: v for k, v in asdict(self).items() if k not in CHANGEABLE}
