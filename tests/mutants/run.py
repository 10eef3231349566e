"""Run the real tests against deliberately wrong variants of the package and print who caught which.

Each variant is one text replaced in a copy of the package. A variant that no test catches, or whose
text is no longer in the source, fails the run; so does a copy without any change that fails a test.
Children are forked from a process that has imported the heavy libraries once: no Windows.
"""

import multiprocessing
import os
import shutil
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "roilearn"
SUITES = ("reference", "ops", "peers")
LIMIT = 300  # seconds for one variant; a healthy run of all suites takes less than half of this
WARM = ("hypothesis", "numpy", "torch", "torchvision")
PLUGINS = ("_hypothesis_pytestplugin", "pytest_timeout")  # finding all installed ones takes seconds


@dataclass(frozen=True)
class Variant:
    """A mistake that somebody has made, as one text replaced in one file of the package."""

    name: str
    file: str
    old: str
    new: str


UNCHANGED = Variant("(unchanged)", "__init__.py", "import lazy_loader", "import lazy_loader")


def listed(folder: Path) -> list[Variant]:
    """Variants of every list in ``folder``: one table a file, name = [old text, new text]."""
    tables = [tomllib.loads(path.read_text()) for path in sorted(folder.glob("*.toml"))]
    return [
        Variant(name, file, *texts)
        for table in tables
        for file, changes in table.items()
        for name, texts in changes.items()
    ]


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


class FirstFailure:
    """A pytest plugin that remembers the first test that failed while it ran."""

    def __init__(self) -> None:
        """Nothing has failed yet."""
        self.test = ""
        self.collection = ""
        self.ran = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember the first failure."""
        self.ran += report.when == "call"
        if report.failed and not self.test:
            self.test = report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember a file that could not be read: that is no test's merit."""
        if report.failed and not self.collection:
            self.collection = report.nodeid


def test_files(tests: Path, variant: Variant) -> list[str]:
    """Every test file, those of the changed module first, then those of its subpackage."""
    changed = Path(variant.file)

    def distance(path: Path) -> tuple[bool, bool, Path]:
        same_module = path.stem.removeprefix("test_").startswith(changed.stem)
        return (path.parent.name != changed.parent.name, not same_module, path)

    files = [path for suite in SUITES for path in (tests / suite).glob("test_*.py")]
    return [str(path) for path in sorted(files, key=distance)]


def write_variant(package: Path, folder: Path, variant: Variant) -> None:
    """Copy the package into ``folder`` with the variant's text replaced."""
    copy = folder / package.name
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__"))
    file = copy / variant.file
    text = file.read_text()
    if text.count(variant.old) != 1:
        message = f"its text stands {text.count(variant.old)} times in {variant.file}, not once"
        raise ValueError(message)
    file.write_text(text.replace(variant.old, variant.new))
    compile(file.read_text(), str(file), "exec")


def try_variant(package: Path, tests: Path, variant: Variant, folder: Path) -> tuple[str, str]:
    """Run the tests against the variant; return (first failing test, problem)."""
    write_variant(package, folder, variant)
    sys.path.insert(0, str(folder))
    os.environ["PYTHONPATH"] = str(folder)
    first = FirstFailure()
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    options = ["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-profile=mutants"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # WARM has imported a plugin
    options += [word for plugin in PLUGINS for word in ("-p", plugin)]
    code = pytest.main([*options, *test_files(tests, variant)], plugins=[first])
    used = sys.modules.get(package.name)
    if used is None or not str(used.__file__).startswith(str(folder)):
        return "", "the tests did not import the copy"
    if first.collection:
        return "", f"{first.collection} could not be imported"
    if not first.test and (code != pytest.ExitCode.OK or not first.ran):
        return "", f"pytest ended with {code!r} after {first.ran} tests"
    return first.test, ""


def child(package: Path, tests: Path, variant: Variant, folder: Path, answer: Connection) -> None:
    """Body of a forked process: try one variant, its output in ``folder/log``, and answer."""
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        answer.send(try_variant(package, tests, variant, folder))
    except Exception as error:  # noqa: BLE001  whatever it was, the table says it
        answer.send(("", str(error)))
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
    def begin(cls, package: Path, tests: Path, variant: Variant) -> "Trial":
        """Fork a child for the variant."""
        fork = multiprocessing.get_context("fork")
        folder = Path(tempfile.mkdtemp(prefix="variant-"))
        receiver, sender = fork.Pipe(duplex=False)
        process = fork.Process(target=child, args=(package, tests, variant, folder, sender))
        process.start()
        sender.close()
        return cls(variant, folder, process, receiver, time.monotonic())

    def end(self) -> Verdict:
        """Collect the answer; a child that died or ran past the limit has none."""
        caught_by, problem = "", "the process died or ran past the limit"
        with suppress(EOFError):
            if self.answer.poll():
                caught_by, problem = self.answer.recv()
        self.process.kill()
        self.process.join()
        verdict = Verdict(self.variant, caught_by, problem, time.monotonic() - self.start)
        if not verdict.good:
            print((self.folder / "log").read_text(errors="replace")[-3000:])
        shutil.rmtree(self.folder)
        return verdict


def verdicts(
    package: Path, tests: Path, variants: Iterable[Variant], *, workers: int, limit: float = LIMIT
) -> Iterator[Verdict]:
    """Try all variants, ``workers`` at a time, and yield each verdict as it comes."""
    waiting = list(variants)[::-1]
    running: list[Trial] = []
    while waiting or running:
        while waiting and len(running) < workers:
            running.append(Trial.begin(package, tests, waiting.pop()))
        wait([trial.answer for trial in running], timeout=1)
        for trial in list(running):
            if trial.answer.poll() or time.monotonic() - trial.start > limit:
                running.remove(trial)
                yield trial.end()


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
    for verdict in verdicts(PACKAGE, ROOT / "tests", [UNCHANGED, *chosen], workers=workers):
        print(describe(verdict), flush=True)
        failures += not verdict.good
    print(f"{len(chosen)} wrong variants and the unchanged package: {failures} not as wanted")
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
