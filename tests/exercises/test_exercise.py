"""The comparison behind every check, on exercises made for it."""

import numpy as np
import pytest

from roilearn import exercises
from roilearn.exercises import Edit, Exercise, Mistake


def double(values):
    return 2 * values


DOUBLE = Exercise(
    "0.1",
    "Write double(values): every number doubled.",
    double,
    (
        Mistake("square", lambda values: values**2, "You squared."),
        Mistake("treble", Edit("2 *", "3 *"), "You trebled."),
        Mistake("first row", lambda values: 2 * values[0], "You doubled the first row only."),
        Mistake("last of three", lambda values: 2 * values[[0, 1, 2]], "You took three."),
    ),
    groups={
        "a row": [(np.array([1.0, 3.0]),), (np.array([0.5, 1.0, 2.0]),)],
        "a column": [(np.array([[2.0], [5.5]]),)],
        "a table": [(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.25]]),)],
    },
)


def test_a_function_must_agree_on_every_input():
    only_in_rows = lambda values: 2 * values if values.ndim == 1 else 4 * values  # noqa: E731
    verdict = exercises.diagnose(DOUBLE, only_in_rows)
    assert not verdict
    assert verdict.failed == ("a column", "a table")
    assert repr(verdict) == (
        "Not yet. Wrong in 2 of 3 groups: a column and a table. Right in: a row. The smallest call "
        "that fails,\n\n    double(np.array([[2.0], [5.5]]))\n\nreturns [[8], [22]]; [[4], [11]] "
        "is right."
    )


def test_a_mistake_is_recognised_from_what_the_code_returns_not_how_it_is_written():
    assert exercises.diagnose(DOUBLE, np.square).message == "You squared."


def test_an_edit_of_the_right_answer_is_a_mistake():
    assert exercises.diagnose(DOUBLE, lambda values: values + 2 * values).mistake == "treble"


def test_an_edit_must_find_its_text_once():
    with pytest.raises(ValueError, match="must stand once in double, not 0"):
        Edit("4 *", "3 *")(double)
    with pytest.raises(ValueError, match="must stand once in double, not 2"):
        Edit("values", "3")(double)


def test_a_mistake_may_raise_where_the_reader_s_function_does():
    assert exercises.diagnose(DOUBLE, lambda values: 2 * values[:3][[0, 1, 2]]).mistake == (
        "last of three"
    )


def raising(values):
    raise IndexError("no such cell") if values.ndim == 2 else SystemExit(3)


def test_what_is_raised_is_said_with_the_call():
    verdict = exercises.diagnose(DOUBLE, raising)
    assert verdict.message.endswith(
        "\n\n    raising(np.array([1.0, 3.0]))\n\nraises SystemExit: 3; [2, 6] is right."
    )


class WordlessError(Exception):
    def __str__(self):
        raise RuntimeError


def test_an_error_that_has_no_text_is_named():
    def wordless(_):
        raise WordlessError

    assert "raises WordlessError; " in exercises.diagnose(DOUBLE, wordless).message


def test_a_lambda_s_call_is_written_with_the_name_of_the_task():
    message = exercises.diagnose(DOUBLE, lambda values: values + 1).message
    assert "\n    double(np.array([1.0, 3.0]))\n" in message


def test_numbers_that_look_equal_are_written_in_full():
    message = exercises.diagnose(DOUBLE, lambda values: 2.00001 * values).message
    assert "returns [2.00001, 6.00003]; [2, 6] is right" in message
    exact = Exercise("0.4", "", double, (), {"one": [(11.15362,)]}, tolerance=1e-12)
    message = exercises.diagnose(exact, lambda value: 2 * value + 1e-7).message
    assert "returns 22.30724" in message
    given, right = message.split("returns ")[1].removesuffix(" is right.").split("; ")
    assert given != right


def test_what_the_function_printed_is_shown_with_the_failing_call(capsys):
    def talking(values):
        print("shape", values.shape)
        return 5 * values

    assert "It printed 'shape (2,)'." in exercises.diagnose(DOUBLE, talking).message
    assert capsys.readouterr().out == ""


def test_nothing_is_carried_from_one_call_to_the_next():
    bags = Exercise(
        "0.5", "", lambda values: 0 + sum(values), (), {"lists": [([1, 2],), ([3, 4, 5],)]}
    )

    def emptying(values):
        total = 0
        while values:
            total += values.pop()
        return total

    first = exercises.diagnose(bags, emptying)
    assert first.form == "input changed"
    assert exercises.diagnose(bags, sum)
    assert repr(exercises.diagnose(bags, emptying)) == repr(first)


def in_place(values):
    values *= 2
    return values


def test_a_function_that_changes_its_argument_is_told_so_and_cannot_spoil_the_check():
    verdict = exercises.diagnose(DOUBLE, in_place)
    assert verdict.form == "input changed"
    assert "changes its argument `values`" in verdict.message
    assert exercises.diagnose(DOUBLE, lambda values: 2 * values)


class Unreadable:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no array")

    def __repr__(self):
        raise RuntimeError("no text")


FORMS = {
    "nothing returned": [lambda _: None, lambda values: [*values[:-1], None]],
    "empty": [lambda _: ...],
    "iterator": [
        lambda values: zip(values, values, strict=True),
        lambda values: (2 * value for value in values),
        lambda values: map(double, values),
    ],
    "function": [lambda _: double],
    "no order": [lambda values: {"double": values}, lambda _: {1, 2}],
    "text": [
        lambda values: str(2 * values),
        lambda values: [str(value) for value in values],
        lambda _: b"2",
    ],
    "complex": [
        lambda values: 2 * values + 0j,
        lambda _: 1j,
        lambda values: [complex(values.flat[0])],
    ],
    "too large": [lambda _: 10**400, lambda _: [1, 10**400]],
    "ragged": [lambda _: [[1], [1, 2]]],
    "no numbers": [lambda _: object(), lambda _: Unreadable(), lambda _: [Unreadable()]],
    "masked": [lambda values: np.ma.masked_array(2 * values, values > 0)],
    "shape": [np.sum, lambda values: 2 * values[None], lambda values: [2 * values, 2 * values]],
    "transposed": [lambda values: 2 * values.T],
    "rounded": [lambda values: np.round(2.0 * values)],
    "signature": [lambda: 1, lambda values, more: values + more],
    "no function": [3.0, "double them", None, np.zeros(3), Unreadable()],
}  # fmt: skip


@pytest.mark.parametrize(
    ("form", "answer"),
    [(form, answer) for form, answers in FORMS.items() for answer in answers],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_wrong_with_the_form_is_said_first(form, answer):
    verdict = exercises.diagnose(DOUBLE, answer)
    assert not verdict
    assert (verdict.form, verdict.mistake) == (form, None)
    assert verdict.message.endswith((".", ")"))


def test_a_printed_answer_is_told_from_a_returned_one(capsys):
    verdict = exercises.diagnose(DOUBLE, lambda values: print(2 * values))
    assert verdict.form == "printed"
    assert "prints [2. 6.] and returns nothing: end it with `return`" in verdict.message
    assert capsys.readouterr().out == ""


def test_three_digits_are_told_from_a_wrong_answer():
    third = Exercise("0.6", "", lambda x: x / 3, (), {"some": [(2.0,), (5.0,), (33.46,)]})
    half_precision = exercises.diagnose(third, lambda x: np.float16(x) / np.float16(3))
    assert half_precision.form == "float16"
    rounded = exercises.diagnose(third, lambda x: round(x / 3, 2))
    assert rounded.form == "rounded"
    assert "rounds to 2 decimals" in rounded.message


def test_parameters_in_another_order_are_mentioned():
    minus = Exercise(
        "0.7", "", lambda first, second: first - 2 * second, (), {"some": [(1.0, 3.0)]}
    )
    message = exercises.diagnose(minus, lambda second, first: first - 2 * second).message
    assert "the check passes (first, second)" in message


def test_tensors_are_numbers_unless_they_want_gradients_or_are_bfloat16():
    torch = pytest.importorskip("torch")

    def tensor(values, **options):
        return torch.tensor(2 * values, **options)

    assert exercises.diagnose(DOUBLE, tensor)
    gradient = exercises.diagnose(DOUBLE, lambda values: tensor(values, requires_grad=True))
    assert gradient.form == "gradient"
    assert "detach()" in gradient.message
    brain = exercises.diagnose(DOUBLE, lambda values: tensor(values, dtype=torch.bfloat16))
    assert brain.form == "bfloat16"


NUMBER = Exercise("0.3", "One and a half?", 1.5, (Mistake("floor", 1, "You rounded down."),))


@pytest.mark.parametrize(
    ("answer", "form"),
    [
        ([[1], [1, 2]], "ragged"), (None, "nothing returned"), ({"a": 1}, "no order"),
        (object(), "no numbers"), (Unreadable(), "no numbers"), ("1.5", "text"),
        ("a half more than one", "text"), (1.5 + 0j, "complex"), (10**400, "too large"),
        (double, "function"), (..., "empty"), ([1.5], "shape"), (iter([1.5]), "iterator"),
        (np.array("1.5"), "text"),
    ],
)  # fmt: skip
def test_a_value_of_another_form_is_told_so(answer, form):
    verdict = exercises.diagnose(NUMBER, answer)
    assert not verdict
    assert verdict.form == form
    assert "0.3 asks for a number" in verdict.message


def test_a_wrong_value_is_no_known_mistake():
    verdict = exercises.diagnose(NUMBER, 7)
    assert verdict.message == "Not yet: 7 is not it, and it is none of the usual mistakes."


@pytest.mark.parametrize("spelling", [" Half_Pixel ", "half-pixel", "half pixel"])
def test_words_are_compared_without_case_spaces_or_hyphens(spelling):
    word = Exercise("0.2", "Which rule?", "half_pixel", ())
    assert exercises.diagnose(word, spelling)
    assert not exercises.diagnose(word, "corner")
    assert exercises.diagnose(word, 3).form == "no word"


def test_an_unknown_number_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"number must be one of .*3\.1.*; got '99\.9'"):
        exercises.check("99.9", 1)
    with pytest.raises(ValueError, match=r"number must be one of .*3\.1.*; got '99\.9'"):
        exercises.show("99.9")


def test_ctrl_c_stops_the_check():
    def interrupted(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exercises.diagnose(DOUBLE, interrupted)
