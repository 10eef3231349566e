"""The comparison behind every check, on exercises made for it."""

import numpy as np
import pytest

from roilearn import exercises
from roilearn.exercises import Exercise, Mistake

DOUBLE = Exercise(
    "0.1",
    "Double every number.",
    lambda values: 2 * values,
    (Mistake("square", lambda values: values**2, "You squared."),),
    inputs=((np.array([1.0, 3.0]),), (np.array([[2.0]]),)),
)


def test_a_function_must_agree_on_every_input():
    only_on_the_first = lambda values: 2 * values if values.ndim == 1 else values  # noqa: E731
    assert not exercises.diagnose(DOUBLE, only_on_the_first)


def test_a_mistake_is_recognised_from_what_the_code_returns_not_how_it_is_written():
    assert exercises.diagnose(DOUBLE, np.square).message == "You squared."


def test_a_wrong_shape_is_said_with_the_arguments():
    message = exercises.diagnose(DOUBLE, np.sum).message
    assert "([1., 3.])" in message
    assert "shape should be (2,); yours is ()" in message


def test_a_wrong_value_is_said_beside_the_right_one():
    message = exercises.diagnose(DOUBLE, lambda values: 3 * values).message
    assert message.endswith("returns [3., 9.], and [2., 6.] is right.")


def test_a_function_that_changes_its_argument_cannot_spoil_the_check():
    def in_place(values):
        values *= 2
        return values

    assert exercises.diagnose(DOUBLE, in_place)
    assert exercises.diagnose(DOUBLE, lambda values: 2 * values)


def test_nothing_returned_is_an_answer_not_a_crash():
    assert "Not yet" in exercises.diagnose(DOUBLE, lambda _: None).message


@pytest.mark.parametrize("answer", [[[1], [1, 2]], None, {"a": 1}, object()])
def test_an_answer_that_is_no_array_is_told_so_and_raises_nothing(answer):
    assert "Not yet" in exercises.diagnose(DOUBLE, lambda _: answer).message
    number = Exercise("0.3", "One?", 1.0, ())
    assert "Not yet" in exercises.diagnose(number, answer).message


@pytest.mark.parametrize("spelling", [" Half_Pixel ", "half-pixel", "half pixel"])
def test_words_are_compared_without_case_spaces_or_hyphens(spelling):
    word = Exercise("0.2", "Which rule?", "half_pixel", ())
    assert exercises.diagnose(word, spelling)
    assert not exercises.diagnose(word, "corner")
    assert not exercises.diagnose(word, 3)


def test_an_unknown_number_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"number must be one of .*3\.1.*; got '99\.9'"):
        exercises.check("99.9", 1)
