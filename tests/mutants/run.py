"""Run the real tests against deliberately wrong variants of the package and print who caught which.

    python tests/mutants/run.py [word in the variant's file or name ...]

Each variant is one text replaced in a copy of the package. The tests nearest to it are tried alone,
and all others only if none of these fails: the table then says "far". A variant that no test
catches, or whose text is no longer in the source, fails the run; so does the copy "(unchanged)" if
a test fails on it. Children are forked from a process that has imported the heavy libraries once:
no Windows.
"""

import gc
import importlib
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import pytest
from stages import TRITON, stages
from variant import UNCHANGED, Variant, listed, write_variant

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "roilearn"
LIMIT = 1800  # seconds for one variant; on two quiet cores all tests take some minutes
SLOW = 1.0  # seconds; a test that took longer before waits until the others of its stage are done
PLUGINS = ("_hypothesis_pytestplugin", "pytest_timeout")  # finding all installed ones takes seconds
WARM = (*PLUGINS, "hypothesis.extra.numpy", "matplotlib.pyplot", "sklearn", "torchvision")


@dataclass(frozen=True)
class Verdict:
    """What the tests said of one variant: caught by one, survived, or a problem of its own."""

    variant: Variant
    caught_by: str = ""
    problem: str = ""
    far: bool = False
    seconds: float = 0.0
    passed: dict[str, float] = field(default_factory=dict)  # seconds of each test that passed

    @property
    def good(self) -> bool:
        """Whether this is what the house wants: wrong code is caught, unchanged code is not."""
        if self.problem:
            return False
        return bool(self.caught_by) == (self.variant != UNCHANGED)


class Watch:
    """A pytest plugin that puts slow tests last and remembers what passed and what failed first."""

    failed = ""
    unreadable = ""

    def __init__(self, known: dict[str, float]) -> None:
        """Begin with what tests are known to take."""
        self.known = known
        self.passed: dict[str, float] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the order of files but for the slow tests."""
        items.sort(key=lambda item: self.known.get(item.nodeid, 0.0) > SLOW)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember which test was the first to fail, and how long the others took."""
        if report.failed and not self.failed:
            self.failed = report.nodeid
        if report.passed and report.when == "call":
            self.passed[report.nodeid] = report.duration

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember a file that could not be read: that is no test's merit."""
        if report.failed and not self.unreadable:
            self.unreadable = report.nodeid


def try_variant(
    package: Path, tests: Path, known: dict[str, float], variant: Variant, folder: Path
) -> Verdict:
    """Write the variant into ``folder`` and run one stage of tests after the other on it."""
    write_variant(package, folder, variant)
    sys.path.insert(0, str(folder))
    os.environ["PYTHONPATH"] = str(folder)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    options = ["-x", "-q", "-p", "no:cacheprovider", "--assert=plain"]
    options += ["--hypothesis-profile=mutants"]
    options += [word for plugin in PLUGINS for word in ("-p", plugin)]
    *near, rest = stages(package, tests, variant)
    watch = Watch(known)
    for files in filter(None, [*near, rest]):
        code = pytest.main([*options, *map(str, files)], plugins=[watch])
        verdict = Verdict(variant, passed=watch.passed)
        used = sys.modules.get(package.name)
        if used is None or not str(used.__file__).startswith(str(folder)):
            return replace(verdict, problem="the tests did not import the copy")
        if watch.unreadable:
            return replace(verdict, problem=f"{watch.unreadable} could not be imported")
        if watch.failed:
            return replace(verdict, caught_by=watch.failed, far=files is rest)
        if code != pytest.ExitCode.OK:
            return replace(verdict, problem=f"pytest ended with {code!r}")
    return verdict


def child(answer: Connection, variant: Variant, folder: Path, *place: Any) -> None:
    """Body of a forked process: try one variant, its output in ``folder/log``, and answer."""
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        answer.send(try_variant(*place, variant, folder))
    except Exception as error:  # noqa: BLE001  whatever it was, the table says it
        answer.send(Verdict(variant, problem=str(error)))
    finally:
        answer.close()
        os._exit(0)


@dataclass
class Trial:
    """One running child."""

    variant: Variant
    folder: Path
    process: multiprocessing.Process
    answer: Connection
    start: float

    @classmethod
    def begin(cls, variant: Variant, *place: Any) -> "Trial":
        """Fork a child for the variant."""
        fork = multiprocessing.get_context("fork")
        folder = Path(tempfile.mkdtemp(prefix="variant-"))
        receiver, sender = fork.Pipe(duplex=False)
        process = fork.Process(target=child, args=(sender, variant, folder, *place))
        process.start()
        sender.close()
        return cls(variant, folder, process, receiver, time.monotonic())

    def end(self) -> Verdict:
        """Collect the answer; a child that died or ran past the limit has none."""
        verdict = Verdict(self.variant, problem="the process died or ran past the limit")
        with suppress(EOFError):
            if self.answer.poll():
                verdict = self.answer.recv()
        self.process.kill()
        self.process.join()
        if not verdict.good:
            print((self.folder / "log").read_text(errors="replace")[-3000:])
        shutil.rmtree(self.folder)
        return replace(verdict, seconds=time.monotonic() - self.start)


def verdicts(
    package: Path, tests: Path, variants: Iterable[Variant], *, workers: int, limit: float = LIMIT
) -> Iterator[Verdict]:
    """Try all variants, ``workers`` at a time, and yield each verdict as it comes."""
    waiting = list(variants)[::-1]
    running: list[Trial] = []
    known: dict[str, float] = {}
    while waiting or running:
        while waiting and len(running) < workers:
            running.append(Trial.begin(waiting.pop(), package, tests, known))
        wait([trial.answer for trial in running], timeout=1)
        for trial in list(running):
            if trial.answer.poll() or time.monotonic() - trial.start > limit:
                running.remove(trial)
                verdict = trial.end()
                known.update(verdict.passed)
                yield verdict


def describe(verdict: Verdict) -> str:
    """Render one line of the table."""
    survived = "passes every test" if verdict.variant == UNCHANGED else "SURVIVED"
    outcome = verdict.problem or verdict.caught_by or survived
    mark = "FAIL" if not verdict.good else "far " if verdict.far else "ok  "
    variant = f"{verdict.variant.file}: {verdict.variant.name}"
    return f"{mark} {verdict.seconds:5.1f} s  {variant:<80} {outcome}"


def main() -> int:
    """Try every variant and the unchanged package; return the exit status."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # forked children share the cores
    os.environ["TRITON_INTERPRET"] = "1"  # Triton asks when torchvision, below, imports it
    for name in WARM:
        importlib.import_module(name)
    gc.freeze()  # or each child copies, page by page, what it only looks through for garbage
    os.chdir(ROOT)
    every = [UNCHANGED, *listed(Path(__file__).parent)]
    every = [v for v in every if TRITON or not v.file.startswith("kernels/")]
    chosen = [v for v in every if all(word in f"{v.file} {v.name}" for word in sys.argv[1:])]
    workers = min(4, os.cpu_count() or 1)
    failures = far = 0
    with tempfile.TemporaryDirectory() as folder:  # whoever edits the source meanwhile
        package = Path(shutil.copytree(PACKAGE, Path(folder) / PACKAGE.name))
        for verdict in verdicts(package, ROOT / "tests", chosen, workers=workers):
            print(describe(verdict), flush=True)
            failures += not verdict.good
            far += verdict.far
    print(f"{len(chosen)} variants: {failures} not as wanted, {far} caught only by far tests")
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
