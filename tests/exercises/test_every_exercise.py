"""Every check of the book: the right answer passes, each known mistake meets its own sentence."""

import re
from itertools import combinations

import numpy as np
import pytest

from roilearn import exercises
from roilearn.exercises.registry import CHAPTERS, open_tasks
from roilearn.exercises.writing import shown

ALL = list(exercises.exercises().values())
MISTAKES = [(exercise, mistake) for exercise in ALL for mistake in exercise.mistakes]


def by_number(exercise):
    return exercise.number


def by_names(pair):
    return f"{pair[0].number} {pair[1].name}"


def test_every_chapter_has_checks():
    assert {exercise.number.split(".")[0] for exercise in ALL} == {
        chapter.removeprefix("chapter") for chapter in CHAPTERS
    }


@pytest.mark.parametrize("exercise", ALL, ids=by_number)
def test_the_right_answer_passes(exercise):
    verdict = exercises.check(exercise.number, exercise.answer)
    assert verdict
    assert repr(verdict) == exercise.praise


@pytest.mark.parametrize("pair", MISTAKES, ids=by_names)
def test_a_known_mistake_meets_its_own_sentence(pair):
    exercise, mistake = pair
    for answer in exercise.answers_of(mistake):
        verdict = exercises.check(exercise.number, answer)
        assert not verdict
        assert verdict.mistake == mistake.name
        assert repr(verdict) == mistake.message


@pytest.mark.parametrize("exercise", ALL, ids=by_number)
def test_there_are_three_mistakes_or_more_and_no_two_say_the_same(exercise):
    assert len(exercise.mistakes) >= 3
    for one, other in combinations(exercise.mistakes, 2):
        assert one.name != other.name
        assert one.message != other.message


@pytest.mark.parametrize("exercise", ALL, ids=by_number)
def test_an_answer_nobody_foresaw_is_told_apart_from_the_known_ones(exercise):
    unheard_of = "none of these" if isinstance(exercise.answer, str) else 123456.789
    verdict = exercises.diagnose(
        exercise, unheard_of_by(exercise) if exercise.groups else unheard_of
    )
    assert not verdict
    assert verdict.mistake is None
    assert "Not yet" in verdict.message


def unheard_of_by(exercise):
    return lambda *arguments: np.full(np.shape(exercise.answer(*arguments)), 123456.789)


CODED = [exercise for exercise in ALL if exercise.groups]


@pytest.mark.parametrize("exercise", CODED, ids=by_number)
def test_code_that_raises_is_reported(exercise):
    def broken(*_):
        raise ZeroDivisionError("by nothing")

    verdict = exercises.diagnose(exercise, broken)
    assert not verdict
    assert "raises ZeroDivisionError: by nothing; " in verdict.message
    assert verdict.failed == tuple(exercise.groups)


@pytest.mark.parametrize("exercise", CODED, ids=by_number)
def test_a_value_where_a_function_is_wanted_is_named(exercise):
    for value in (1.0, "clamp the position first", None, [1, 2]):
        verdict = exercises.diagnose(exercise, value)
        assert verdict.form == "no function"
        assert f'exercises.show("{exercise.number}")' in verdict.message


@pytest.mark.parametrize("exercise", CODED, ids=by_number)
def test_the_failing_call_can_be_pasted_and_gives_what_the_verdict_says(exercise):
    def wrong(*arguments):
        return np.asarray(exercise.answer(*arguments), dtype=float) + 1000

    wrong.__name__ = exercise.answer.__name__
    verdict = exercises.diagnose(exercise, wrong)
    (call,) = re.findall(r"^    (.*)$", verdict.message, re.MULTILINE)
    returned = pasted(call, np=np, **{wrong.__name__: wrong})
    right = pasted(call, np=np, **{wrong.__name__: exercise.answer})
    np.testing.assert_allclose(returned, np.asarray(right, dtype=float) + 1000)
    assert shown(returned) in verdict.message
    assert shown(np.asarray(right, dtype=float)) in verdict.message


@pytest.mark.parametrize("exercise", CODED, ids=by_number)
def test_groups_have_names_and_calls_of_the_right_length(exercise):
    assert len(exercise.groups) >= 4
    for name, calls in exercise.groups.items():
        assert name
        assert all(len(call) == len(exercise.parameters) for call in calls)
        assert calls


@pytest.mark.parametrize("exercise", ALL, ids=by_number)
def test_show_prints_the_task_and_a_stub_that_runs(exercise, capsys):
    exercises.show(exercise.number)
    task, _, stub = capsys.readouterr().out.partition("\n\n")
    assert " ".join(task.split()) == f"{exercise.number} {exercise.task}"
    verdict = pasted(stub, exercises=exercises)
    assert not verdict
    assert verdict.form in {"nothing returned", "empty", "no word"}


def pasted(source, **names):
    """Run a cell and return the value of its last line, as a notebook shows it."""
    *before, last = source.strip().rsplit("\n\n", 1)
    exec("\n\n".join(before), names)  # noqa: S102 - our own text
    return eval(last, names)  # noqa: S307 - our own text


@pytest.mark.parametrize("exercise", CODED, ids=by_number)
def test_a_task_names_the_function_with_its_arguments(exercise):
    name = exercise.answer.__name__
    assert exercise.task.startswith(f"Write {name}({', '.join(exercise.parameters)})")


@pytest.mark.parametrize(
    "number",
    [
        "1.6",
        "3.5",
        "4.6",
        "5.7",
        "6.6",
        "6b.5",
        "7.7",
        "8.6",
        "9.6",
        "10.6",
        "11.6",
        "12.6",
        "13.6",
        "14.5",
        "14b.5",
        "15.10",
    ],
)
def test_an_open_task_is_shown_and_has_no_check(number, capsys):
    exercises.show(number)
    assert capsys.readouterr().out.startswith(number)
    verdict = exercises.check(number, "average first")
    assert verdict.form == "open task"
    assert "no check" in verdict.message


def test_numbers_are_used_once_and_run_without_gaps():
    numbers = [exercise.number for exercise in ALL] + list(open_tasks())
    assert len(numbers) == len(set(numbers))
    for chapter in {number.split(".")[0] for number in numbers}:
        own = sorted(int(n.split(".")[1]) for n in numbers if n.split(".")[0] == chapter)
        assert own == list(range(1, len(own) + 1))
