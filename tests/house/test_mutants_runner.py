"""The runner of wrong variants tells caught from survived, tried on a package of one line."""

import json
import os
import subprocess
import sys
import textwrap
from datetime import date, timedelta
from types import SimpleNamespace

import pytest

TRY = """
import json, sys
from functools import partial
from pathlib import Path
sys.path.insert(0, {mutants!r})
import hypothesis, record, run, stages, trial, variant  # once, and not in each child
package, root = Path("roilearn"), Path.cwd()
trial.LAPS = 3
"""
JUDGE = """
change = variant.Variant("v", "one.py", {old!r}, {new!r}, {first!r})
rows = {{name: record.Caught(test, "near", "", "") for name, test in {known!r}.items()}}
known = {{("one.py", name): row for name, row in rows.items()}}
task = trial.Task(change, partial(stages.rounds, package, root, known, change))
(verdict,) = trial.verdicts(package, root, [task], workers=1, patience={patience})
print(json.dumps([verdict.caught_by, verdict.problem, verdict.good, verdict.hung,
                  sorted(verdict.passed)]))
"""
UNFIT = """
run_tasks = partial(trial.verdicts, package, root, workers=1)
print(json.dumps(run.fail_unchanged({tests!r}, root, run_tasks)))
"""
TEST = "tests/reference/test_one.py::test_more_of_one"
ANOTHER = "tests/reference/test_zero.py::test_more_of_nothing"


@pytest.fixture
def place(root, tmp_path):
    """Folder of a package of one function, ``x + 1``, and of its tests."""
    (tmp_path / "roilearn").mkdir()
    (tmp_path / "roilearn" / "__init__.py").write_text("")
    (tmp_path / "roilearn" / "one.py").write_text("def more(x):\n    return x + 1\n")
    (tmp_path / "tests" / "reference").mkdir(parents=True)
    (tmp_path / "tests" / "conftest.py").write_text((root / "tests" / "conftest.py").read_text())
    for stem, name, value in (("one", "one", 1), ("zero", "nothing", 0)):
        (tmp_path / "tests" / "reference" / f"test_{stem}.py").write_text(
            textwrap.dedent(f"""
                from roilearn.one import more

                def test_more_of_{name}():
                    assert more({value}) == {value + 1}
            """)
        )
    return tmp_path


@pytest.fixture
def python(root, place):
    """Run code beside the runner in the folder, and return what it printed last."""

    def run(code, **values):
        code = (TRY + code).format(mutants=str(root / "tests" / "mutants"), **values)
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=False,
            cwd=place,
            env=os.environ | {"PYTHONPATH": ""},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.strip().splitlines()[-1])

    return run


@pytest.fixture
def verdict(python):
    """Try one change: the catching test, a problem, is all well, did it hang, and what passed."""

    def judge(old, new, first="", known=None, patience=600.0):
        texts = {"old": old, "new": new, "first": first}
        return python(JUDGE, **texts, known=known or {}, patience=patience)

    return judge


def test_a_variant_that_a_test_notices_is_caught(verdict):
    assert verdict("x + 1", "x - 1")[:4] == [TEST, "", True, False]


def test_a_variant_that_no_test_notices_survives(verdict):
    assert verdict("x + 1", "1 + x") == ["", "", False, False, [TEST, ANOTHER]]


def test_a_variant_may_name_the_test_to_ask_first(verdict):
    name = ANOTHER.removeprefix("tests/")
    assert verdict("x + 1", "x - 1", name)[0] == ANOTHER
    caught_by, problem, good, *_ = verdict("x + 1", "x - 1", f"{name}_at_all")
    assert "pytest ended with" in problem
    assert (caught_by, good) == ("", False)


def test_the_recorded_test_is_asked_first_and_then_those_of_its_relatives(verdict):
    assert verdict("x + 1", "x - 1", known={"v": ANOTHER})[0] == ANOTHER
    assert verdict("x + 1", "x - 1", known={"another of this module": ANOTHER})[0] == ANOTHER


@pytest.mark.parametrize("known", [ANOTHER, f"{TEST}_and_more", "tests/reference/test_gone.py::x"])
def test_where_the_recorded_test_passes_or_is_gone_all_others_are_asked(verdict, known):
    caught_by, problem, good, _, passed = verdict("x + 1", "x * 2 + (x == 0)", known={"v": known})
    assert (caught_by, problem, good) == ("", "", False)  # it is right at 0 and at 1
    assert passed == [TEST, ANOTHER]
    assert verdict("x + 1", "3 * x + (x == 0)", known={"v": known})[0] == TEST


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("x + 2", "x", "stands 0 times"),
        ("x", "y", "stands 2 times"),
        ("x + 1", "x +", "invalid syntax"),
        ("def more", "def less", "could not be imported"),
        ("return x + 1", "__import__('os')._exit(3)", f"died, status 3, at {TEST}"),
    ],
)
def test_a_variant_that_is_none_is_a_problem(verdict, old, new, complaint):
    caught_by, problem, good, *_ = verdict(old, new)
    assert complaint in problem
    assert (caught_by, good) == ("", False)


FOREVER = ["while True: pass", "__import__('threading').Event().wait()"]


@pytest.mark.parametrize("forever", FOREVER, ids=["busy", "idle"])
def test_a_variant_that_hangs_is_caught_by_the_test_that_does_not_end(verdict, forever):
    assert verdict("return x + 1", forever, patience=0.5) == [TEST, "", True, True, []]


def test_a_variant_that_hangs_where_tests_are_read_is_a_problem(verdict):
    _, problem, good, *_ = verdict("return x + 1", "return x + 1\nwhile True: pass", patience=0.5)
    assert (problem, good) == ("reading the tests does not end", False)


def test_a_slow_machine_is_not_a_variant_that_hangs(verdict, place):
    """Without any patience each test is raced, and is slow for the unchanged package, too."""
    file = place / "tests" / "reference" / "test_one.py"
    file.write_text(file.read_text().replace("assert", "__import__('time').sleep(4); assert"))
    assert verdict("x + 1", "1 + x", patience=0.0) == ["", "", False, False, [TEST, ANOTHER]]


def test_tests_that_import_another_copy_are_a_problem(verdict, place):
    file = place / "tests" / "reference" / "test_one.py"
    file.write_text(f"import sys\nsys.path.insert(0, {str(place)!r})\n" + file.read_text())
    _, problem, good, *_ = verdict("x + 1", "x - 1")
    assert problem.startswith("the tests did not import the copy: roilearn is")
    assert not good


def test_a_test_that_fails_on_the_unchanged_package_catches_nothing(python, place):
    assert python(UNFIT, tests=[TEST, ANOTHER]) == {}
    file = place / "tests" / "reference" / "test_one.py"
    file.write_text(file.read_text() + "    assert False\n")
    assert python(UNFIT, tests=[TEST, ANOTHER]) == {TEST: "fails on the unchanged package"}


@pytest.fixture
def record(root, monkeypatch):
    monkeypatch.syspath_prepend(str(root / "tests" / "mutants"))
    import record  # noqa: PLC0415

    return record


@pytest.fixture
def variant():
    return SimpleNamespace(name="v", file="one.py", old="x + 1", new="x - 1")


def test_each_variant_has_one_day_of_every_few_and_the_day_alone_says_which(record, variant):
    days = [date(2026, 1, 1) + timedelta(k) for k in range(10)]
    turns = [record.is_of_the_day(variant, day, 5) for day in days]
    assert turns == [record.is_of_the_day(variant, day, 5) for day in days]
    assert sum(turns[:5]) == 1
    assert turns[:5] == turns[5:]
    assert all(record.is_of_the_day(variant, day, 1) for day in days)


@pytest.mark.parametrize("changed", ["roilearn/one.py", "tests/reference/test_one.py"])
def test_a_variant_is_as_recorded_until_its_module_or_its_test_changes(
    changed, record, variant, place
):
    package, file = place / "roilearn", place / "caught.csv"
    assert not record.as_recorded(record.read(file), package, place, variant)
    row = record.caught(package, place, variant, TEST, "near")
    record.write(file, {("one.py", "v"): row})
    known = record.read(file)
    assert known == {("one.py", "v"): row}
    assert record.as_recorded(known, package, place, variant)
    (place / changed).write_text((place / changed).read_text() + "\n")
    assert not record.as_recorded(known, package, place, variant)
    (place / changed).unlink()
    assert not record.as_recorded(known, package, place, variant)
