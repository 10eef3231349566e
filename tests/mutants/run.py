"""Run the real tests against deliberately wrong variants of the package and print who caught which.

    python tests/mutants/run.py [--sample N] [word in the variant's file or name ...]

Each variant is one text replaced in a copy of the package. The test that caught it last time
(``caught.csv``) is asked first; if it passes, the tests nearest to the module, and all others only
if none of these fails: the table then says "far". A variant that no test catches, or whose text is
no longer in the source, fails the run; so does a test that caught one and fails on an unchanged
copy. What caught which is then recorded. With ``--sample N``, of the variants whose texts, module
and test are as recorded only one in N is tried, each on its day, and nothing is recorded.

Children are forked from a process that has imported the heavy libraries once: no Windows.
"""

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import record
from stages import TRITON, rounds, these
from trial import PLUGINS, Task, Verdict, verdicts
from variant import UNCHANGED, Variant, listed

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "roilearn"
RECORD = Path(__file__).with_name("caught.csv")
WARM = (*PLUGINS, "hypothesis.extra.numpy", "matplotlib.pyplot", "sklearn", "torchvision")


def describe(verdict: Verdict, done: int, count: int) -> str:
    """Render one line of the table: how many are done, of how many."""
    mark = "FAIL" if not verdict.good else "far " if verdict.place == "far" else "ok  "
    outcome = verdict.problem or verdict.caught_by or "SURVIVED"
    outcome += " (does not end)" * verdict.hung
    variant = f"{verdict.variant.file}: {verdict.variant.name}"
    return f"{mark} {done:3} of {count} {verdict.seconds:5.1f} s  {variant:<80} {outcome}"


def key(verdict: Verdict) -> tuple[str, str]:
    """Name the row of a verdict's variant in the record."""
    return verdict.variant.file, verdict.variant.name


def fail_unchanged(
    tests: Iterable[str], root: Path, run: Callable[[list[Task]], Iterable[Verdict]]
) -> dict[str, str]:
    """Those of the tests that do not pass on an unchanged copy, and what happened."""
    files: dict[str, set[str]] = {}
    for test in tests:
        files.setdefault(test.partition("::")[0], set()).add(test)
    tasks = [
        Task(UNCHANGED, partial(lambda asked: [these(asked, "near", root)], asked), tries_all=True)
        for asked in files.values()
    ]
    passed: set[str] = set()
    problems: dict[str, str] = {}
    for verdict in run(tasks):
        passed.update(verdict.passed)
        problems |= dict.fromkeys(verdict.asked, verdict.problem)
    return {
        test: problems.get(test) or "fails on the unchanged package"
        for asked in files.values()
        for test in asked - passed
    }


def to_try(
    variants: list[Variant], known: record.Record, day: date, one_in: int
) -> tuple[list[Variant], int]:
    """Variants to try on a day, and how many others are as recorded."""
    chosen = [
        variant
        for variant in variants
        if record.is_of_the_day(variant, day, one_in)
        or not record.as_recorded(known, PACKAGE, ROOT, variant)
    ]
    return chosen, len(variants) - len(chosen)


def asked_for() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("words", nargs="*", help="each stands in the variant's file or name")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="one in N of the old")
    today = datetime.now(tz=UTC).date()
    parser.add_argument("--day", type=date.fromisoformat, default=today, help="of the sample")
    return parser.parse_args()


def main() -> int:
    """Try the variants asked for, and the tests that caught them; return the exit status."""
    options = asked_for()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # forked children share the cores
    os.environ["TRITON_INTERPRET"] = "1"  # Triton asks when torchvision, below, imports it
    for name in WARM:
        importlib.import_module(name)
    gc.freeze()  # or each child copies, page by page, what it only looks through for garbage
    os.chdir(ROOT)
    every = listed(Path(__file__).parent)
    known = record.read(RECORD)
    here = [v for v in every if TRITON or not v.file.startswith("kernels/")]
    here = [v for v in here if all(word in f"{v.file} {v.name}" for word in options.words)]
    chosen, left_out = to_try(here, known, options.day, options.sample or 1)
    if options.sample:
        print(
            f"{left_out} of {len(here)} variants are as recorded and have another day than "
            f"{options.day}: one in {options.sample} is tried each day"
        )
    run = partial(verdicts, PACKAGE, ROOT, workers=min(4, os.cpu_count() or 1))
    rows = dict(known)  # grows while we go: a search begins with what caught the module's others
    tasks = [Task(v, partial(rounds, PACKAGE, ROOT, rows, v)) for v in chosen]
    found = []
    for verdict in run(tasks):
        found.append(verdict)
        print(describe(verdict, len(found), len(chosen)), flush=True)
        if verdict.good:
            rows[key(verdict)] = record.caught(
                PACKAGE, ROOT, verdict.variant, verdict.caught_by, verdict.place
            )
    catching = {verdict.caught_by for verdict in found if verdict.good}
    unfit = fail_unchanged(catching, ROOT, run)
    for test, what in unfit.items():
        print(f"FAIL {test}: {what}")
    caught = [v for v in found if v.good and v.caught_by not in unfit]
    rows = known | {key(v): rows[key(v)] for v in caught}
    news = sum(known.get(where) != row for where, row in rows.items())
    if not options.sample:
        names = {(v.file, v.name) for v in every}
        record.write(RECORD, {k: row for k, row in rows.items() if k in names})
    failures, far = len(found) - len(caught), sum(v.place == "far" for v in caught)
    print(
        f"{len(found)} variants, {sum(v.seconds for v in found):.0f} s of processors: "
        f"{failures} not as wanted, {far} caught only by far tests; "
        f"{len(catching) - len(unfit)} catching tests pass on an unchanged copy; "
        f"{news} not as recorded{', make mutants records them' if options.sample and news else ''}"
    )
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
