"""Timing: calls of several implementations in turns, and the ratios of their times.

A busy machine slows calls that take turns roughly alike, so it changes their ratio little.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

PAUSE = 0.01
"""Seconds of sleep before each call: threads of the call before may still wait busily for work."""

LEAST_ROUNDS = 2
"""Timed rounds however long they take."""


@dataclass(frozen=True)
class Timing:
    """Time of one implementation, and the ratio of the baseline's time to it."""

    milliseconds: float  # median over the rounds
    slowest: float  # milliseconds of the slowest round
    ratio: float  # median over the rounds of baseline's time / this time: above 1 is faster
    ratio_min: float  # the smallest ratio of a round
    ratio_max: float  # the largest ratio of a round


def interleave(
    implementations: Mapping[str, Callable[[], object]],
    rounds: int,
    seconds_enough: float = math.inf,
) -> dict[str, list[float]]:
    """Time every implementation once a round, after one warm-up round.

    Parameters
    ----------
    implementations : functions of no arguments, by name.
    rounds : timed rounds, at most.
    seconds_enough : no round begins later than this, after two timed ones.

    Returns
    -------
    The seconds of each round, by name.
    """
    seconds: dict[str, list[float]] = {name: [] for name in implementations}
    began = time.perf_counter()
    for number in range(rounds + 1):
        if number > LEAST_ROUNDS and time.perf_counter() - began > seconds_enough:
            break
        for name, function in implementations.items():
            time.sleep(PAUSE)
            start = time.perf_counter()
            function()
            if number:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def ratios(seconds: Mapping[str, list[float]], baseline: str) -> dict[str, Timing]:
    """Compare every implementation with the baseline, round by round.

    Examples
    --------
    >>> ratios({"ours": [1, 2, 1], "theirs": [4, 4, 3]}, baseline="theirs")["ours"]
    Timing(milliseconds=1000, slowest=2000, ratio=3.0, ratio_min=2.0, ratio_max=4.0)
    """
    timings = {}
    for name, own in seconds.items():
        faster = [theirs / ours for theirs, ours in zip(seconds[baseline], own, strict=True)]
        times = (1000 * median(own), 1000 * max(own))
        timings[name] = Timing(*times, median(faster), min(faster), max(faster))
    return timings
