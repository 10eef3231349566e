"""The exercises of the book by number: ask for one, have a try checked, print the task."""

import textwrap
from importlib import import_module
from types import ModuleType
from typing import Any

from roilearn.exercises.diagnosis import diagnose
from roilearn.exercises.exercise import Exercise, OpenTask, Verdict

CHAPTERS = (
    "chapter1",
    "chapter2",
    "chapter3",
    "chapter4",
    "chapter5",
    "chapter6",
    "chapter6b",
    "chapter7",
    "chapter8",
    "chapter9",
    "chapter10",
    "chapter11",
    "chapter12",
    "chapter13",
    "chapter14",
    "chapter14b",
    "chapter15",
    "chapter15b",
)
"""Modules with ``EXERCISES`` and ``OPEN_TASKS``; a new chapter adds its name here."""


def _modules() -> list[ModuleType]:
    return [import_module(f"roilearn.exercises.{chapter}") for chapter in CHAPTERS]


def exercises() -> dict[str, Exercise]:
    """Every exercise that has a check, by its number."""
    return {exercise.number: exercise for module in _modules() for exercise in module.EXERCISES}


def open_tasks() -> dict[str, OpenTask]:
    """Every task that has no check, by its number."""
    return {task.number: task for module in _modules() for task in module.OPEN_TASKS}


def _find(number: str) -> Exercise | OpenTask:
    known = {**exercises(), **open_tasks()}
    if str(number) not in known:
        raise ValueError(f"number must be one of {', '.join(sorted(known))}; got {number!r}.")
    return known[str(number)]


def check(number: str, answer: Any) -> Verdict:
    """Check ``answer`` to the exercise ``number`` and say what it shows.

    Parameters
    ----------
    number : as printed in the book, for example ``"1.2"``.
    answer : a number, an array, a word or a function, as the exercise asks.

    Raises
    ------
    ValueError: no exercise of that number.
    """
    found = _find(number)
    if isinstance(found, OpenTask):
        text = f"{number} is an open task and has no check: compare with the answer in the book."
        return Verdict(False, text, form="open task")
    return diagnose(found, answer)


def show(number: str) -> None:
    """Print the task of an exercise and, where code is asked for, an empty function to fill.

    Parameters
    ----------
    number : as printed in the book.

    Raises
    ------
    ValueError: no exercise of that number.

    Examples
    --------
    >>> show("5.5")
    5.5 Write channel_of_bin(c, i, j, bins, channels): the number of the input channel that bin
    (row i, column j) of class c reads in position-sensitive pooling. There are bins x bins bins
    and `channels` classes, all counted from 0; the channels of one class stand together, in
    reading order of its bins (torchvision's layout).
    <BLANKLINE>
    def channel_of_bin(c, i, j, bins, channels):
        ...
    <BLANKLINE>
    exercises.check("5.5", channel_of_bin)
    """
    found = _find(number)
    text = textwrap.fill(f"{found.number} {found.task}", 94, break_long_words=False)
    if isinstance(found, Exercise):
        text += "\n\n" + stub(found)
    print(text)  # noqa: T201 - to print is what it is for


def stub(exercise: Exercise) -> str:
    """Source of an empty function, and of the call that checks it."""
    if not exercise.groups:
        return f'exercises.check("{exercise.number}", ...)'
    name = exercise.answer.__name__
    head = f"def {name}({', '.join(exercise.parameters)}):\n    ..."
    return f'{head}\n\nexercises.check("{exercise.number}", {name})'
