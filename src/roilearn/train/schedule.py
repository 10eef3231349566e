"""The learning rate schedule: warm-up, then cosine, step or constant.

The learning rate is a function of the step alone, so a resumed run has nothing to replay. It rises
while the first gradients are large and vary much, and falls while the last ones are mostly noise
around a minimum.
"""

import math

from roilearn.arguments import check_between
from roilearn.train.settings import Settings

DROPS = (2 / 3, 8 / 9)
"""Where ``"steps"`` divides the learning rate by ten, as fractions of the run: Mask R-CNN's 60,000
and 80,000 of 90,000 steps."""


def learning_rate(step: int, settings: Settings) -> float:
    """Learning rate of a step, counted from 0.

    During the warm-up it rises linearly, and the last step of the warm-up has all of
    ``settings.learning_rate``. Then ``"cosine"`` follows half a cosine wave down to 0, ``"steps"``
    divides by ten at each of ``DROPS``, and ``"constant"`` stays.

    Raises
    ------
    ValueError, TypeError: a step that the run does not have.

    Source
    ------
    Goyal et al., Accurate, Large Minibatch SGD (2017), section 2.2, for the warm-up; Loshchilov and
    Hutter, SGDR (2017), equation 5, for the cosine.

    Examples
    --------
    >>> settings = Settings(steps=100, learning_rate=1.0, warmup_fraction=0.1)
    >>> [round(learning_rate(step, settings), 3) for step in (0, 4, 9, 10, 55, 99)]
    [0.1, 0.5, 1.0, 1.0, 0.5, 0.0]
    """
    check_between("step", step, 0, settings.steps - 1)
    warmup_steps = int(settings.warmup_fraction * settings.steps)
    if step < warmup_steps:
        return settings.learning_rate * (step + 1) / warmup_steps
    progress = (step - warmup_steps) / (settings.steps - warmup_steps)
    return settings.learning_rate * _factor(progress, step / settings.steps, settings.schedule)


def _factor(progress_after_warmup: float, progress: float, schedule: str) -> float:
    """Factor of the highest learning rate; both progresses run from 0 to 1."""
    if schedule == "cosine":
        return (1 + math.cos(math.pi * progress_after_warmup)) / 2
    if schedule == "steps":
        return 0.1 ** sum(progress >= drop for drop in DROPS)
    return 1.0
