"""The verdict on an answer: its form first, then known mistakes, then the groups it fails on."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from roilearn.exercises.exercise import Exercise, Verdict
from roilearn.exercises.form import Problem, close, form_problem, numbers, shape_problem
from roilearn.exercises.running import CAUGHT, Outcome, run
from roilearn.exercises.writing import (
    call_text,
    error_text,
    function_name,
    listing,
    shown,
    side_by_side,
)


def diagnose(exercise: Exercise, answer: Any) -> Verdict:
    """Compare an answer with the right one, then with each known mistake.

    Parameters
    ----------
    exercise : the exercise.
    answer : the reader's number, array, word or function. A function that raises is reported,
        with the call on which it did; it never stops the notebook.

    Examples
    --------
    >>> from roilearn.exercises import Exercise, Mistake
    >>> half = Exercise("0.1", "Half of 3?", 1.5, (Mistake("floor", 1, "You rounded down."),))
    >>> diagnose(half, 1)
    You rounded down.
    >>> bool(diagnose(half, 1.5))
    True
    """
    if isinstance(exercise.answer, str):
        return _diagnose_word(exercise, answer)
    with np.errstate(all="ignore"):  # wrong answers may be infinite, or as good as
        return (_diagnose_function if exercise.groups else _diagnose_value)(exercise, answer)


def _diagnose_word(exercise: Exercise, answer: Any) -> Verdict:
    if not isinstance(answer, str):
        text = f"{exercise.number} asks for a word, in quotation marks."
        return Verdict(False, text, form="no word")
    if _plain(answer) == _plain(exercise.answer):
        return Verdict(True, exercise.praise)
    for mistake in exercise.mistakes:
        if any(_plain(answer) == _plain(word) for word in exercise.answers_of(mistake)):
            return Verdict(False, mistake.message, mistake.name)
    return _unknown_value(answer)


def _plain(word: str) -> str:
    """Fold case, spaces, commas, hyphens and what is around: "(Half-pixel)" is "half_pixel"."""
    return re.sub(r"[\s,_-]+", "_", word.strip(" \t\n().").lower())


def _diagnose_value(exercise: Exercise, answer: Any) -> Verdict:
    right = np.asarray(exercise.answer, dtype=float)
    asked = "a number" if right.shape == () else f"{right.size} numbers"
    problem = form_problem(answer)
    if problem:
        said = problem[1].removeprefix("returns ")
        text = f"{exercise.number} asks for {asked}. Your answer is {said}"
        return Verdict(False, text, form=problem[0])
    given = np.asarray(answer, dtype=float)
    if close(given, right, exercise.tolerance):
        return Verdict(True, exercise.praise)
    for mistake in exercise.mistakes:
        for wrong in exercise.answers_of(mistake):
            if close(given, np.asarray(wrong, dtype=float), exercise.tolerance):
                return Verdict(False, mistake.message, mistake.name)
    if given.shape != right.shape:
        got = "a number" if given.shape == () else f"an array of shape {given.shape}"
        text = f"Not yet: {exercise.number} asks for {asked}; your answer is {got}."
        return Verdict(False, text, form="shape")
    return _unknown_value(answer)


def _unknown_value(answer: Any) -> Verdict:
    text = f"Not yet: {shown(answer)} is not it, and it is none of the usual mistakes."
    return Verdict(False, text)


def _diagnose_function(exercise: Exercise, answer: Any) -> Verdict:
    problem = _call_problem(exercise, answer)
    if problem:
        return Verdict(False, problem[1], form=problem[0])
    outcomes = [run(answer, arguments) for arguments in exercise.calls]
    right = _values(exercise, exercise.answer)
    returned = [outcome for outcome in outcomes if outcome.error is None]
    name = function_name(answer, exercise.answer.__name__)
    problem = _first_form_problem(exercise, returned, name)
    if problem:
        return Verdict(False, problem[1], form=problem[0])
    given = [np.asarray(o.value, dtype=float) if o.error is None else None for o in outcomes]
    passed = [
        one is not None and close(one, other, exercise.tolerance)
        for one, other in zip(given, right, strict=True)
    ]
    if all(passed):
        return Verdict(True, exercise.praise)
    verdict = _known_mistake(exercise, given)
    lists = all(one is not None and one.ndim == 1 for one in given)
    if verdict is None and len(returned) == len(outcomes) and not (exercise.any_length and lists):
        verdict = _shape_verdict(exercise, given, right, name)
    if verdict is not None:
        return verdict
    return _group_verdict(exercise, answer, name, outcomes, passed, right)


def _values(exercise: Exercise, function: Callable[..., Any]) -> list[Any]:
    """Arrays of floats that a function of ours returns; None where it raises."""
    outcomes = [run(function, arguments) for arguments in exercise.calls]
    return [None if one.error else numbers(one.value) for one in outcomes]


def _call_problem(exercise: Exercise, answer: Any) -> Problem | None:
    """Say that the answer is no function, or one that cannot be called with these arguments."""
    names, number = ", ".join(exercise.parameters), exercise.number
    hint = f'exercises.show("{number}") prints the task and an empty function.'
    if not callable(answer):
        kind = (
            "text"
            if isinstance(answer, str | bytes)
            else f"a value of type {type(answer).__name__}"
        )
        return "no function", f"Pass a function of ({names}), not {kind}. {hint}"
    try:
        signature = inspect.signature(answer)
    except CAUGHT:  # some functions written in C do not say
        return None
    try:
        signature.bind(*exercise.parameters)
    except TypeError as error:
        return "signature", f"Your function cannot be called with ({names}): {error}. {hint}"
    return None


def _first_form_problem(exercise: Exercise, outcomes: list[Outcome], name: str) -> Problem | None:
    for outcome in outcomes:
        problem = form_problem(outcome.value)
        call = call_text(name, outcome.arguments)
        if problem and problem[0] == "nothing returned" and outcome.printed.strip():
            said = shown(outcome.printed.strip()).strip("'")
            text = f"Your function prints {said} and returns nothing: end it with `return`."
            return "printed", f"{text} Try\n\n    {call}"
        if problem and problem[0] in {"nothing returned", "empty"}:
            text = f"Your function {problem[1]} Does each of its ways end in `return`? Try"
            return problem[0], f"{text}\n\n    {call}"
        if problem:
            return problem[0], f"Your function {problem[1]} Try\n\n    {call}"
        if outcome.changed:
            argument = exercise.parameters[outcome.changed[0]]
            text = f"Your function changes its argument `{argument}`. Work on a copy of it."
            return "input changed", f"{text} Try\n\n    {call}"
    return None


def _known_mistake(exercise: Exercise, given: list[Any]) -> Verdict | None:
    """Find the mistake that gives the same values, and raises where the reader's function does."""
    if all(value is None for value in given):
        return None
    for mistake in exercise.mistakes:
        for wrong in exercise.answers_of(mistake):
            pairs = zip(given, _values(exercise, wrong), strict=True)
            if all(_same(one, other, exercise.tolerance) for one, other in pairs):
                return Verdict(False, mistake.message, mistake.name)
    return None


def _same(given: Any, wrong: Any, tolerance: float) -> bool:
    if given is None or wrong is None:
        return given is wrong
    return close(given, wrong, tolerance)


def _shape_verdict(
    exercise: Exercise, given: list[Any], right: list[Any], name: str
) -> Verdict | None:
    problem = shape_problem(given, right, exercise.tolerance)
    if problem is None:
        return None
    wrong = [n for n, (a, b) in enumerate(zip(given, right, strict=True)) if a.shape != b.shape]
    place = min(wrong or range(len(given)), key=lambda n: len(call_text("", exercise.calls[n])))
    call = call_text(name, exercise.calls[place])
    return Verdict(False, f"Your function {problem[1]} Try\n\n    {call}", form=problem[0])


def _group_verdict(
    exercise: Exercise,
    answer: Any,
    name: str,
    outcomes: list[Outcome],
    passed: list[bool],
    right: list[Any],
) -> Verdict:
    """Say which groups are right and which fail, with the smallest failing call in full."""
    labels = [group for group, calls in exercise.groups.items() for _ in calls]
    failed = tuple(dict.fromkeys(g for g, ok in zip(labels, passed, strict=True) if not ok))
    fine = [group for group in exercise.groups if group not in failed]
    count = f"{len(failed)} of {len(exercise.groups)} groups"
    lines = [f"Not yet. Wrong in {count}: {listing(list(failed))}."]
    if fine:
        lines.append(f"Right in: {listing(fine)}.")
    lines.append(_order_hint(exercise, answer))
    places = [n for n, ok in enumerate(passed) if not ok]
    place = min(places, key=lambda n: len(call_text(name, outcomes[n].arguments)))
    outcome = outcomes[place]
    wanted = shown(right[place])
    if outcome.error is not None:
        ending = f"raises {error_text(outcome.error)}; {wanted} is right."
    else:
        ending = "returns {}; {} is right.".format(*side_by_side(outcome.value, right[place]))
    if outcome.printed.strip():
        ending += f" It printed {shown(outcome.printed.strip())}."
    call = call_text(name, outcome.arguments)
    return Verdict(
        False,
        " ".join(filter(None, lines)) + f" The smallest call that fails,\n\n    {call}\n\n{ending}",
        failed=failed,
    )


def _order_hint(exercise: Exercise, answer: Any) -> str:
    """Say that the reader's parameters have the right names in another order."""
    try:
        names = list(inspect.signature(answer).parameters)
    except CAUGHT:
        return ""
    if names != exercise.parameters and sorted(names) == sorted(exercise.parameters):
        order = ", ".join(exercise.parameters)
        return f"Your parameters are in another order: the check passes ({order})."
    return ""
