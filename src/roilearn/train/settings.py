"""Settings of a training run: everything that decides how it goes, written into each checkpoint."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from roilearn.arguments import (
    check_between,
    check_choice,
    check_count,
    check_fraction,
    check_number,
)

SCHEDULES = ("cosine", "steps", "constant")
OPTIMIZERS = ("adamw", "sgd")
PRECISIONS = ("float32", "bfloat16", "float16")
NOT_AFFECTING_WEIGHTS = ("workers", "save_every", "evaluate_every")
"""Settings that leave the trained weights as they are. A resumed run may have others."""


@dataclass(frozen=True)
class Settings:
    """Settings of a training run.

    ``roilearn train`` has the same defaults, except that it loads images in a process of their own
    (``workers=1``), splits a batch among all processes (``micro_batches``) and evaluates five times
    in a run. A model's builder may have others: ``BUILDERS[name].training_settings``.

    Parameters
    ----------
    steps : number of optimizer steps.
    batch_size : images per step, over all micro-batches and all processes.
    learning_rate : the highest learning rate of the run.
    warmup_fraction : fraction of the steps, from 0 to 1, over which the learning rate rises to it.
    schedule : how the learning rate falls afterwards, one of ``SCHEDULES``; see ``learning_rate``.
    optimizer : ``"adamw"``, or ``"sgd"`` with momentum 0.9.
    weight_decay : weight decay of the parameters with more than one dimension.
    max_grad_norm : maximum gradient norm. Gradients whose L2 norm over all parameters is larger are
        scaled down to it. ``math.inf`` only measures the norm.
    ema_decay : decay of the moving average (EMA) of the weights, from 0 to below 1. 0 keeps none.
    precision : data type of the forward pass, one of ``PRECISIONS``; the weights stay float32.
        ``"float16"`` needs CUDA.
    seed : seed of all random numbers.
    micro_batches : gradient accumulation: number of micro-batches into which each batch is split,
        to save memory or to divide it among several processes. All processes are counted together.
    workers : processes that load images, for each process that trains.
    save_every : steps from one checkpoint to the next.
    evaluate_every : steps from one evaluation during the run to the next, where ``train`` is told
        how to evaluate; 0: none.

    Raises
    ------
    ValueError, TypeError: a setting out of its range, or a batch size that ``micro_batches`` does
        not divide.

    Examples
    --------
    >>> Settings(steps=300).learning_rate
    0.002
    >>> Settings(steps=300, batch_size=8, micro_batches=3)
    Traceback (most recent call last):
    ValueError: micro_batches must divide batch_size evenly; got 3 for a batch of 8.
    """

    steps: int = 1000
    batch_size: int = 4
    learning_rate: float = 2e-3
    warmup_fraction: float = 0.1
    schedule: str = "cosine"
    optimizer: str = "adamw"
    weight_decay: float = 0.01
    max_grad_norm: float = 5.0
    ema_decay: float = 0.999
    precision: str = "float32"
    seed: int = 0
    micro_batches: int = 1
    workers: int = 0
    save_every: int = 200
    evaluate_every: int = 0

    def __post_init__(self) -> None:
        """Check every setting."""
        for name in ("steps", "batch_size", "micro_batches", "save_every"):
            check_count(name, getattr(self, name))
        check_between("seed", self.seed, 0, 2**63 - 1)
        check_between("workers", self.workers, 0, 256)
        check_between("evaluate_every", self.evaluate_every, 0, 2**63 - 1)
        for name in ("learning_rate", "max_grad_norm"):
            if not check_number(name, getattr(self, name)) > 0:
                raise ValueError(f"{name} must be above 0; got {getattr(self, name)}.")
        if self.learning_rate == math.inf:
            raise ValueError("learning_rate must be finite; got inf.")
        if not 0 <= check_number("weight_decay", self.weight_decay) < math.inf:
            raise ValueError(f"weight_decay must be finite, 0 or more; got {self.weight_decay}.")
        check_fraction("warmup_fraction", self.warmup_fraction)
        if check_fraction("ema_decay", self.ema_decay) == 1:
            raise ValueError(
                "ema_decay must be below 1; got 1, with which the average never changes."
            )
        check_choice("schedule", self.schedule, SCHEDULES)
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        check_choice("precision", self.precision, PRECISIONS)
        if self.batch_size % self.micro_batches:
            raise ValueError(
                f"micro_batches must divide batch_size evenly; got {self.micro_batches} for a "
                f"batch of {self.batch_size}."
            )

    def affecting_weights(self) -> dict[str, Any]:
        """Return the settings on which the trained weights depend, by name."""
        return {k: v for k, v in asdict(self).items() if k not in NOT_AFFECTING_WEIGHTS}
