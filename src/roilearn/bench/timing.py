"""Timing two or more ways of doing one thing in turns, so that a busy machine slows all alike."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

REST = 0.01
"""Seconds before each call: threads of the one before may wait busily for more work."""


@dataclass(frozen=True)
class Timing:
    """How long one contestant took, and how often the baseline's time goes into it."""

    milliseconds: float  # median over the rounds
    ratio: float  # median over the rounds of baseline / this one: above 1 is faster
    slowest: float  # smallest ratio of a round
    fastest: float  # largest ratio of a round


def interleave(
    contestants: Mapping[str, Callable[[], object]], rounds: int
) -> dict[str, list[float]]:
    """Run every contestant once a round, after one round that does not count.

    Parameters
    ----------
    contestants : functions of no arguments, by name.
    rounds : rounds that count.

    Returns
    -------
    Seconds of each round, by name.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, function in contestants.items():
            time.sleep(REST)
            start = time.perf_counter()
            function()
            if number:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def ratios(seconds: Mapping[str, list[float]], baseline: str) -> dict[str, Timing]:
    """Compare every contestant with the baseline, round by round.

    Examples
    --------
    >>> ratios({"ours": [1, 2, 1], "theirs": [4, 4, 3]}, baseline="theirs")["ours"]
    Timing(milliseconds=1000, ratio=3.0, slowest=2.0, fastest=4.0)
    """
    timings = {}
    for name, own in seconds.items():
        faster = [theirs / ours for theirs, ours in zip(seconds[baseline], own, strict=True)]
        timings[name] = Timing(1000 * median(own), median(faster), min(faster), max(faster))
    return timings
