"""Calls of a reader's function: on copies, with what it prints and raises kept for the verdict."""

import copy
import io
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

import numpy as np

from roilearn.exercises.exercise import Call

CAUGHT = (Exception, SystemExit, GeneratorExit)
"""Whatever a reader's function or object may raise, but Ctrl-C."""


@dataclass(frozen=True)
class Outcome:
    """What one call did: the value returned, or the error raised; what was printed and changed."""

    arguments: Call
    value: Any = None
    error: BaseException | None = None
    printed: str = ""
    changed: tuple[int, ...] = ()


def run(function: Callable[..., Any], arguments: Call) -> Outcome:
    """Call ``function`` with copies of ``arguments``; nothing it does but Ctrl-C gets out."""
    given = copy.deepcopy(arguments)
    value, error, printed = None, None, io.StringIO()
    with redirect_stdout(printed), warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            value = function(*given)
        except CAUGHT as raised:
            error = raised
    changed = tuple(
        n for n, pair in enumerate(zip(given, arguments, strict=True)) if _differ(*pair)
    )
    return Outcome(arguments, value, error, printed.getvalue(), changed)


def _differ(one: Any, other: Any) -> bool:
    """Whether an argument is no longer what it was before the call."""
    if isinstance(other, np.ndarray):
        same = one.shape == other.shape and one.dtype == other.dtype
        return not (same and np.array_equal(one, other, equal_nan=True))
    if isinstance(other, list | tuple):
        return len(one) != len(other) or any(map(_differ, one, other))
    try:
        return bool(one != other)
    except CAUGHT:
        return True
