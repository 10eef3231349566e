"""Run the real tests against deliberately wrong variants of the package and print who caught which.

    python tests/mutants/run.py [word in the variant's file or name ...]

Each variant is one text replaced in a copy of the package. A variant that no test catches, or whose
text is no longer in the source, fails the run; so does a copy without any change that fails a test.
Children are forked from a process that has imported the heavy libraries once: no Windows.
"""

import multiprocessing
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import pytest
from variant import UNCHANGED, Variant, listed, write_variant

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "roilearn"
SUITES = ("reference", "ops", "peers")
LIMIT = 1800  # seconds for one variant; on two quiet cores all suites take some minutes
SLOW = 0.5  # seconds; what takes longer on the unchanged package waits until the rest is done
EXPORTS = "test_onnx.py"  # takes minutes: only for variants of the export itself
WARM = ("hypothesis", "numpy", "torch", "torchvision")
PLUGINS = ("_hypothesis_pytestplugin", "pytest_timeout")  # finding all installed ones takes seconds


@dataclass(frozen=True)
class Verdict:
    """What the tests said of one variant: caught by one, survived, or a problem of its own."""

    variant: Variant
    caught_by: str = ""
    problem: str = ""
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether this is what the house wants: wrong code is caught, unchanged code is not."""
        if self.problem:
            return False
        return bool(self.caught_by) == (self.variant != UNCHANGED)


class Watch:
    """A pytest plugin that puts likely catchers first and remembers the first failure."""

    def __init__(self, variant: Variant, known: dict[str, float]) -> None:
        """Order the tests for ``variant``, given how long each took on the unchanged package."""
        self.changed = Path(variant.file)
        source = (PACKAGE / self.changed).read_text() if (PACKAGE / self.changed).exists() else ""
        self.names = re.findall(r"^(?:def|class) ([A-Za-z]\w+)", source, re.MULTILINE)
        self.known = known
        self.seconds: dict[str, float] = {}
        self.test = ""
        self.unreadable = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Quick tests that name what is changed first, then those of its folder, slow ones last."""
        texts = {path: path.read_text() for path in {item.path for item in items}}
        naming = {path for path, text in texts.items() if any(n in text for n in self.names)}

        def distance(item: pytest.Item) -> tuple[bool, bool, bool, bool]:
            slow = self.known.get(item.nodeid, 0) > SLOW
            same_module = item.path.stem.removeprefix("test_").startswith(self.changed.stem)
            same_folder = item.path.parent.name == self.changed.parent.name
            return slow, not same_module, item.path not in naming, not same_folder

        items.sort(key=distance)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember how long each test took and which was the first to fail."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration
        if report.failed and not self.test:
            self.test = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember a file that could not be read: that is no test's merit."""
        if report.failed and not self.unreadable:
            self.unreadable = report.nodeid


def try_variant(
    package: Path, tests: Path, variant: Variant, folder: Path, known: dict[str, float]
) -> tuple[str, str, dict[str, float]]:
    """Run the tests on the variant; return (first failing test, problem, seconds of each test)."""
    write_variant(package, folder, variant)
    sys.path.insert(0, str(folder))
    os.environ["PYTHONPATH"] = str(folder)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    watch = Watch(variant, known)
    options = ["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-profile=mutants"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # WARM has imported a plugin
    options += [word for plugin in PLUGINS for word in ("-p", plugin)]
    suites = [str(tests / suite) for suite in SUITES if (tests / suite).is_dir()]
    if watch.changed.stem not in EXPORTS:
        options += [f"--ignore={path}" for path in tests.rglob(EXPORTS)]
    code = pytest.main([*options, *suites], plugins=[watch])
    used = sys.modules.get(package.name)
    problem = ""
    if used is None or not str(used.__file__).startswith(str(folder)):
        problem = "the tests did not import the copy"
    elif watch.unreadable:
        problem = f"{watch.unreadable} could not be imported"
    elif not watch.test and (code != pytest.ExitCode.OK or not watch.seconds):
        problem = f"pytest ended with {code!r} after {len(watch.seconds)} tests"
    return "" if problem else watch.test, problem, watch.seconds


def child(folder: Path, answer: Connection, *what: Any) -> None:
    """Body of a forked process: try one variant, its output in ``folder/log``, and answer."""
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    package, tests, variant, known = what
    try:
        answer.send(try_variant(package, tests, variant, folder, known))
    except Exception as error:  # noqa: BLE001  whatever it was, the table says it
        answer.send(("", str(error), {}))
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
    def begin(cls, variant: Variant, *what: Any) -> "Trial":
        """Fork a child for the variant."""
        fork = multiprocessing.get_context("fork")
        folder = Path(tempfile.mkdtemp(prefix="variant-"))
        receiver, sender = fork.Pipe(duplex=False)
        process = fork.Process(target=child, args=(folder, sender, *what))
        process.start()
        sender.close()
        return cls(variant, folder, process, receiver, time.monotonic())

    def end(self) -> tuple[Verdict, dict[str, float]]:
        """Collect the answer; a child that died or ran past the limit has none."""
        caught_by, problem, seconds = "", "the process died or ran past the limit", {}
        with suppress(EOFError):
            if self.answer.poll():
                caught_by, problem, seconds = self.answer.recv()
        self.process.kill()
        self.process.join()
        verdict = Verdict(self.variant, caught_by, problem, time.monotonic() - self.start)
        if not verdict.good:
            print((self.folder / "log").read_text(errors="replace")[-3000:])
        shutil.rmtree(self.folder)
        return verdict, seconds


def verdicts(
    package: Path, tests: Path, variants: Iterable[Variant], *, workers: int, limit: float = LIMIT
) -> Iterator[Verdict]:
    """Try all variants, ``workers`` at a time, and yield each verdict as it comes."""
    waiting = list(variants)[::-1]
    running: list[Trial] = []
    known: dict[str, float] = {}
    while waiting or running:
        while waiting and len(running) < workers:
            variant = waiting.pop()
            running.append(Trial.begin(variant, package, tests, variant, known))
        wait([trial.answer for trial in running], timeout=1)
        for trial in list(running):
            if trial.answer.poll() or time.monotonic() - trial.start > limit:
                running.remove(trial)
                verdict, seconds = trial.end()
                known = seconds if trial.variant == UNCHANGED else known
                yield verdict


def describe(verdict: Verdict) -> str:
    """Render one line of the table."""
    survived = "passes every test" if verdict.variant == UNCHANGED else "SURVIVED"
    outcome = verdict.problem or verdict.caught_by or survived
    mark = "ok  " if verdict.good else "FAIL"
    variant = f"{verdict.variant.file}: {verdict.variant.name}"
    return f"{mark} {verdict.seconds:5.1f} s  {variant:<80} {outcome}"


def main() -> int:
    """Try every variant and the unchanged package; return the exit status."""
    for name in WARM:
        __import__(name)
    os.chdir(ROOT)
    known = listed(Path(__file__).parent)
    chosen = [v for v in known if all(word in f"{v.file} {v.name}" for word in sys.argv[1:])]
    workers = min(4, os.cpu_count() or 1)
    failures = 0
    with tempfile.TemporaryDirectory() as folder:  # whoever edits the source meanwhile
        package = Path(shutil.copytree(PACKAGE, Path(folder) / PACKAGE.name))
        for verdict in verdicts(package, ROOT / "tests", [UNCHANGED, *chosen], workers=workers):
            print(describe(verdict), flush=True)
            failures += not verdict.good
    print(f"{len(chosen)} wrong variants and the unchanged package: {failures} not as wanted")
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
