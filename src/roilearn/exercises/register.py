"""The exercises of the book by number, chapter by chapter."""

from importlib import import_module
from typing import Any

from roilearn.exercises.exercise import Exercise, Verdict, diagnose

CHAPTERS = ("chapter1", "chapter2", "chapter3", "chapter4", "chapter5", "chapter6", "chapter6b")


def exercises() -> dict[str, Exercise]:
    """Every exercise that has a check, by its number."""
    modules = [import_module(f"roilearn.exercises.{chapter}") for chapter in CHAPTERS]
    return {exercise.number: exercise for module in modules for exercise in module.EXERCISES}


def check(number: str, answer: Any) -> Verdict:
    """Check ``answer`` to the exercise ``number`` and say what it shows.

    Parameters
    ----------
    number : as printed in the book, for example ``"1.2"``.
    answer : a number, an array or a function, as the exercise asks.

    Raises
    ------
    ValueError: no exercise of that number.
    """
    known = exercises()
    if str(number) not in known:
        raise ValueError(f"number must be one of {', '.join(known)}; got {number!r}.")
    return diagnose(known[str(number)], answer)
