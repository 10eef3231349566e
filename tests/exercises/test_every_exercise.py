"""Every check of the book: the right answer passes, each known mistake meets its own sentence."""

from itertools import combinations

import pytest

from roilearn import exercises
from roilearn.exercises.register import CHAPTERS

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
    verdict = exercises.check(exercise.number, mistake.answer)
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
        exercise, (lambda *_: unheard_of) if exercise.inputs else unheard_of
    )
    assert not verdict
    assert verdict.mistake is None
    assert "Not yet" in verdict.message


CODED = [exercise for exercise in ALL if exercise.inputs]


@pytest.mark.parametrize("exercise", CODED, ids=by_number)
def test_code_that_raises_is_reported(exercise):
    def broken(*_):
        raise ZeroDivisionError("by nothing")

    verdict = exercises.diagnose(exercise, broken)
    assert not verdict
    assert "ZeroDivisionError: by nothing. It was given (" in verdict.message


@pytest.mark.parametrize("exercise", CODED, ids=by_number)
def test_a_value_where_a_function_is_wanted_is_named(exercise):
    assert "Pass a function" in exercises.diagnose(exercise, 1.0).message
