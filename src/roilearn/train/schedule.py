"""How fast to learn at each step. Functions of the step alone: a resumed run has nothing to replay.

The rate rises while the first gradients are large and wild, and falls while the last ones are noise
around a minimum.
"""

import math

from roilearn.arguments import check_between
from roilearn.train.settings import Settings

DROPS = (2 / 3, 8 / 9)
"""Where ``"steps"`` divides the rate by ten: shares of the run, Mask R-CNN's 60 and 80 of 90
thousand steps."""


def learning_rate(step: int, settings: Settings) -> float:
    """Learning rate of a step, counted from 0.

    In the warm-up the rate rises in a line and its last step has the whole of it. Then ``"cosine"``
    follows half a wave down to 0, ``"steps"`` divides by ten at each of ``DROPS``, ``"constant"``
    stays.

    Raises
    ------
    ValueError, TypeError: a step that the run does not have.

    Source
    ------
    Goyal et al., Accurate, Large Minibatch SGD (2017), section 2.2, for the warm-up; Loshchilov and
    Hutter, SGDR (2017), equation 5, for the cosine.

    Examples
    --------
    >>> settings = Settings(steps=100, learning_rate=1.0, warm_up=0.1)
    >>> [round(learning_rate(step, settings), 3) for step in (0, 4, 9, 10, 55, 99)]
    [0.1, 0.5, 1.0, 1.0, 0.5, 0.0]
    """
    check_between("step", step, 0, settings.steps - 1)
    warm_up = int(settings.warm_up * settings.steps)
    if step < warm_up:
        return settings.learning_rate * (step + 1) / warm_up
    done = (step - warm_up) / (settings.steps - warm_up)
    return settings.learning_rate * _share_left(done, step / settings.steps, settings.schedule)


def _share_left(after_warm_up: float, of_the_run: float, schedule: str) -> float:
    if schedule == "cosine":
        return (1 + math.cos(math.pi * after_warm_up)) / 2
    if schedule == "steps":
        return 0.1 ** sum(of_the_run >= drop for drop in DROPS)
    return 1.0
