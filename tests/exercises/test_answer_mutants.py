"""No mutant of a right answer passes its check, but for those that compute the same."""

from dataclasses import replace

import pytest
from exercises.answer_mutants import mutants

from roilearn import exercises

CODED = [exercise for exercise in exercises.exercises().values() if exercise.groups]

_ROW = "[max(value + x, 0.0) for value, x in zip(cells, row, strict=True)]"
EQUIVALENT = {
    (
        "1.4",
        "spread[low] += (1 - fraction) * gradient -> spread[low] = (1 - fraction) * gradient",
    ): ("spread[low] is 0 before"),
    (
        "1.7",
        "np.floor(rows) -> rows",
    ): "rows are not negative: astype(int) cuts the fraction as floor does",
    ("1.7", "np.floor(columns) -> columns"): "as for rows",
    ("2.3", "x > 0 -> x >= 0"): "0 has no fraction and has returned already",
    ("2.7", "scaled > 0 -> scaled >= 0"): "0 has no fraction and does not get here",
    ("6.4", "index -> weight"): "an entry has an index and a weight: both are as long",
    ("6.4", "np.array(rows) -> rows"): "a list of rows is an answer too",
    ("6.5", "index -> weight"): "an entry has an index and a weight: both are as long",
    ("7.5", "float(value) -> value"): "a whole number adds up as well",
    ("7.5", f"np.array({_ROW}) -> {_ROW}"): "a list is an answer too",
    ("7.6", "row -> gradient"): "only its length is used there, and both are as long",
    ("7.6", "2 -> 3"): "one more zero at the end, which nothing reads",
    ("9.3", "np.array([dx, dy, dw, dh]) -> [dx, dy, dw, dh]"): "a list is an answer too",
    ("9.4", "np.array(boxes) -> boxes"): "as above",
    ("9.5", "np.array(anchors) -> anchors"): "as above",
    ("10.4", "boxes -> scores"): "only their number is used there, and both are as long",
    ("10.5", "levels -> boxes"): "only their number is used there, and both are as long",
    ("10.5", "levels -> scores"): "only their number is used there, and both are as long",
    ("10.5", "scores -> levels"): "equal scores keep the order, which is by score already",
    ("14.3", "1 -> 2"): "any number below 0 stands for no object",
    ("14.3", "int(best >= 0) -> best >= 0"): "True and False are 1 and 0",
    ("6b.4", "int(word) -> word"): "a word is a whole number already",
    ("6b.4", "np.array(stays) -> stays"): "a list is an answer too",
    ("14b.3", "0 -> -1"): "without objects the highest IoU may be any number below 0.1",
}
"""Number of the exercise and end of the mutant's name: why it is no wrong answer."""


@pytest.mark.parametrize("exercise", CODED, ids=lambda exercise: exercise.number)
def test_every_mutant_of_the_right_answer_fails_in_some_group(exercise):
    survivors, tried = set(), 0
    for name, function in mutants(exercise.answer):
        tried += 1
        if exercises.diagnose(replace(exercise, mistakes=()), function):
            survivors.add(name.split(": ")[-1])
    equivalent = {end for number, end in EQUIVALENT if number == exercise.number}
    assert survivors == equivalent
    assert tried > 25


def test_mutants_change_operators_constants_comparisons_bounds_statements_and_names():
    names = {name.split(": ")[-1] for name, _ in mutants(_example)}
    assert {
        "a + 1 -> a - 1", "1 -> 2", "a < b -> a <= b", "range(b) -> range(b + -1)",
        "total += 1 -> pass", "a -> b", "max(a, b) -> min(a, b)", "a + 1 -> a",
    } <= names  # fmt: skip


def _example(a, b):
    total = a + 1
    for _ in range(b):
        if a < b:
            total += 1
    return max(a, b) + total


def test_a_mutant_that_is_right_is_noticed():
    exercise = replace(exercises.exercises()["2.4"], mistakes=())
    assert exercises.diagnose(exercise, exercise.answer)
