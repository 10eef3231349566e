"""The runner of wrong variants tells caught from survived, tried on a package of one line."""

import os
import subprocess
import sys
import textwrap

import pytest

TRY = """
import sys
from pathlib import Path
sys.path.insert(0, {mutants!r})
import run
package, tests = Path("roilearn"), Path("tests")
variants = [run.Variant("v", "one.py", {old!r}, {new!r}, {first!r})]
for verdict in run.verdicts(package, tests, variants, workers=1, limit={limit}):
    print(verdict.caught_by, verdict.problem, verdict.good, sep="|")
"""


@pytest.fixture
def verdict(root, tmp_path):
    """Try one change of ``x + 1`` and return (catching test, problem, whether all is well)."""
    (tmp_path / "roilearn").mkdir()
    (tmp_path / "roilearn" / "__init__.py").write_text("")
    (tmp_path / "roilearn" / "one.py").write_text("def more(x):\n    return x + 1\n")
    (tmp_path / "tests" / "reference").mkdir(parents=True)
    (tmp_path / "tests" / "conftest.py").write_text((root / "tests" / "conftest.py").read_text())
    (tmp_path / "tests" / "reference" / "test_one.py").write_text(
        textwrap.dedent("""
            from roilearn.one import more

            def test_more_of_one():
                assert more(1) == 2
        """)
    )

    def judge(old, new, first="", limit=60):
        texts = {"old": old, "new": new, "first": first}
        code = TRY.format(mutants=str(root / "tests" / "mutants"), **texts, limit=limit)
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": ""},
        )
        return done.stdout.strip().splitlines()[-1].split("|")

    return judge


def test_a_variant_that_a_test_notices_is_caught(verdict):
    caught_by, problem, good = verdict("x + 1", "x - 1")
    assert caught_by.endswith("test_one.py::test_more_of_one")
    assert (problem, good) == ("", "True")


def test_a_variant_that_no_test_notices_survives(verdict):
    assert verdict("x + 1", "2 * x") == ["", "", "False"]


def test_a_variant_may_name_the_test_to_ask_first(verdict):
    caught_by, *_ = verdict("x + 1", "x - 1", "reference/test_one.py::test_more_of_one")
    assert caught_by.endswith("test_one.py::test_more_of_one")
    caught_by, problem, good = verdict("x + 1", "x - 1", "reference/test_one.py::test_less_of_one")
    assert "pytest ended with" in problem
    assert (caught_by, good) == ("", "False")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("x + 2", "x", "stands 0 times"),
        ("x", "y", "stands 2 times"),
        ("x + 1", "x +", "invalid syntax"),
        ("def more", "def less", "could not be imported"),
    ],
)
def test_a_variant_that_is_none_is_a_problem(verdict, old, new, complaint):
    caught_by, problem, good = verdict(old, new)
    assert complaint in problem
    assert (caught_by, good) == ("", "False")


def test_a_variant_that_hangs_is_a_problem(verdict):
    _, problem, good = verdict("return x + 1", "return more(__import__('time').sleep(60))", limit=5)
    assert "past the limit" in problem
    assert good == "False"
