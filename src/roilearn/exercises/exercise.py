"""An exercise, the mistakes people make at it, and how an answer is told from both.

A check that says only "wrong" teaches little. Each exercise therefore carries the wrong answers
that are often given, as values or as functions that compute them; an answer that agrees with one
of these is met with the sentence that belongs to it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Mistake:
    """One way to go wrong: the answer it leads to, and what to say to somebody who gives it."""

    name: str
    answer: Any
    message: str


@dataclass(frozen=True)
class Exercise:
    """A task with its right answer.

    ``answer`` is a number or array, or a function; a function is tried on every tuple of
    arguments in ``inputs``. ``mistakes`` hold answers of the same kind.
    """

    number: str
    task: str
    answer: Any
    mistakes: tuple[Mistake, ...]
    inputs: tuple[tuple[Any, ...], ...] = ()
    tolerance: float = 1e-6
    praise: str = "Right."


@dataclass(frozen=True, repr=False)
class Verdict:
    """What a check found: true when the answer is right; its repr is the message to the reader."""

    right: bool
    message: str
    mistake: str | None = None

    def __bool__(self) -> bool:
        """Return whether the answer was right."""
        return self.right

    def __repr__(self) -> str:
        """Return the message, so that a notebook shows it."""
        return self.message


def diagnose(exercise: Exercise, answer: Any) -> Verdict:
    """Compare an answer with the right one, then with each known mistake.

    Parameters
    ----------
    exercise : the exercise.
    answer : the reader's number, array or function. A function that raises is reported, with
        the arguments it was given; it never stops the notebook.

    Examples
    --------
    >>> half = Exercise("0.1", "Half of 3?", 1.5, (Mistake("floor", 1, "You rounded down."),))
    >>> diagnose(half, 1)
    You rounded down.
    >>> bool(diagnose(half, 1.5))
    True
    """
    if exercise.inputs and not callable(answer):
        return Verdict(False, f"Pass a function of {len(exercise.inputs[0])} arguments.")
    try:
        given = _outputs(exercise, answer)
    except _ReaderError as error:
        return Verdict(False, str(error))
    right = _outputs(exercise, exercise.answer)
    if _agree(given, right, exercise.tolerance):
        return Verdict(True, exercise.praise)
    for mistake in exercise.mistakes:
        if _agree(given, _outputs(exercise, mistake.answer), exercise.tolerance):
            return Verdict(False, mistake.message, mistake.name)
    return Verdict(False, _first_difference(exercise, given, right))


def _outputs(exercise: Exercise, answer: Any) -> list[Any]:
    if not exercise.inputs:
        return [answer]
    return [_call(answer, arguments) for arguments in exercise.inputs]


class _ReaderError(Exception):
    """The reader's function raised; the message says what, and on which arguments."""


def _call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    copies = [np.copy(a) if isinstance(a, np.ndarray) else a for a in arguments]
    try:
        return function(*copies)
    except Exception as error:
        given = ", ".join(map(_short, arguments))
        raise _ReaderError(
            f"Your function raised {type(error).__name__}: {error}. It was given ({given})."
        ) from error


def _agree(given: list[Any], wanted: list[Any], tolerance: float) -> bool:
    return all(_close(a, b, tolerance) for a, b in zip(given, wanted, strict=True))


def _close(given: Any, wanted: Any, tolerance: float) -> bool:
    if isinstance(wanted, str):
        return isinstance(given, str) and _plain(given) == _plain(wanted)
    try:
        given = np.asarray(given, dtype=float)
    except (TypeError, ValueError, RuntimeError):  # ragged, words, a tensor that wants gradients
        return False
    wanted = np.asarray(wanted, dtype=float)
    return given.shape == wanted.shape and np.allclose(
        given, wanted, rtol=tolerance, atol=tolerance, equal_nan=True
    )


def _plain(word: str) -> str:
    """Fold case, spaces, commas and hyphens: "Half-pixel" is "half_pixel"."""
    return re.sub(r"[\s,_-]+", "_", word.strip().lower())


def _first_difference(exercise: Exercise, given: list[Any], right: list[Any]) -> str:
    pairs = zip(given, right, strict=True)
    place = next(n for n, (a, b) in enumerate(pairs) if not _close(a, b, exercise.tolerance))
    if not exercise.inputs:
        return f"Not yet: {_short(given[0])} is not it, and it is none of the usual mistakes."
    arguments = ", ".join(_short(a) for a in exercise.inputs[place])
    wanted, shape = np.shape(right[place]), _shape(given[place])
    if shape != wanted:
        return f"Not yet: for ({arguments}) the shape should be {wanted}; yours is {shape}."
    return (
        f"Not yet: for ({arguments}) your function returns {_short(given[place])}, "
        f"and {_short(right[place])} is right."
    )


def _shape(value: Any) -> tuple[int, ...] | str:
    try:
        return np.shape(value)
    except (ValueError, RuntimeError):
        return "ragged, or no array"


def _short(value: Any) -> str:
    try:
        text = np.array2string(np.asarray(value), precision=4, separator=", ", threshold=12)
    except (ValueError, RuntimeError):
        text = repr(value)[:80]
    return " ".join(text.split())
