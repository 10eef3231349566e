"""Children that run tests on a variant of the package, and the verdict on each.

No verdict depends on a clock. A variant that has been at one test for a while gets a rival, the
unchanged package, at the same test on the same machine: if the rival comes to its end ten times
and the variant does not, the variant hangs. A slow machine is slow for both.
"""

import gc
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import pytest
from variant import UNCHANGED, Variant, compiled_copy, write_variant

PATIENCE = 60.0  # seconds at one test before the unchanged package is asked how long it takes
LAPS = 10  # times that the unchanged package ends a test before the variant is said to hang
SLOW = 1.0  # seconds; a test that took longer before waits until the others of its round are done
PLUGINS = ("_hypothesis_pytestplugin",)  # finding all installed ones takes seconds


@dataclass(frozen=True)
class Round:
    """Tests to run together: files, or tests as pytest names them; of these ``only`` some."""

    name: str
    tests: list[Path]
    only: frozenset[str] = frozenset()
    collect_only: bool = False


@dataclass(frozen=True)
class Task:
    """A variant and the rounds of tests that are asked about it, until one fails.

    ``rounds`` is called in the child, so that only those are worked out that are needed.
    """

    variant: Variant
    rounds: Callable[[], Iterable[Round]]
    tries_all: bool = False  # or stops at the first test that fails


@dataclass(frozen=True)
class Verdict:
    """What the tests said of one variant: caught by one, survived, or a problem of its own."""

    variant: Variant
    caught_by: str = ""
    problem: str = ""
    place: str = ""  # name of the round that caught it
    hung: bool = False  # the test that caught it did not come to its end
    seconds: float = 0.0  # of processors, not of a clock
    failed: tuple[str, ...] = ()
    asked: frozenset[str] = frozenset()  # single tests that were asked for
    passed: dict[str, float] = field(default_factory=dict)  # seconds of each test that passed

    @property
    def good(self) -> bool:
        """Whether this is what the house wants: wrong code is caught, unchanged code is not."""
        if self.problem:
            return False
        return bool(self.caught_by) == (self.variant != UNCHANGED)


class Watch:
    """A pytest plugin that orders tests, tells which one runs, and remembers how each ended."""

    def __init__(
        self, known: dict[str, float], asked: Round, tell: Callable[[str, str], None]
    ) -> None:
        """Begin with what tests are known to take."""
        self.known, self.asked, self.tell = known, asked, tell
        self.passed: dict[str, float] = {}
        self.failed: list[str] = []
        self.unreadable = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Slow tests last; of each file every test with its first parameters first."""
        if self.asked.only:
            items[:] = [item for item in items if item.nodeid in self.asked.only]
        count: dict[str, int] = {}
        files: dict[str, int] = {}
        order = {}
        for item in items:
            file, test = item.nodeid.partition("::")[0], item.nodeid.partition("[")[0]
            count[test] = count.get(test, 0) + 1
            slow = self.known.get(item.nodeid, 0.0) > SLOW
            order[item.nodeid] = slow, files.setdefault(file, len(files)), count[test]
        items.sort(key=lambda item: order[item.nodeid])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Tell which test begins."""
        self.tell(self.asked.name, nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what failed, and how long the others took."""
        if report.failed:
            self.failed.append(report.nodeid)
        if report.passed and report.when == "call":
            self.passed[report.nodeid] = report.duration

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember a file that could not be read: that is no test's merit."""
        if report.failed and not self.unreadable:
            self.unreadable = report.nodeid


def imported_from_elsewhere(package: str, folder: Path) -> str:
    """Say so if the package, or a module of it, was imported and is not the copy in ``folder``."""
    modules = {n: m for n, m in sys.modules.items() if n.split(".")[0] == package}
    if package not in modules:
        return "the tests did not import the copy"
    for name, module in modules.items():
        file = getattr(module, "__file__", None)
        if file and not Path(file).is_relative_to(folder):
            return f"the tests did not import the copy: {name} is {file}"
    return ""


def try_task(
    package: Path,
    root: Path,
    known: dict[str, float],
    task: Task,
    folder: Path,
    tell: Callable[[str, str], None],
) -> Verdict:
    """Write the variant into ``folder`` and run one round of tests after the other on it."""
    write_variant(package, folder, task.variant)
    sys.path.insert(0, str(folder))
    os.environ["PYTHONPATH"] = str(folder)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    options = ["-q", "-p", "no:cacheprovider", "--assert=plain", f"--rootdir={root}"]
    options += ["--hypothesis-profile=mutants", *([] if task.tries_all else ["-x"])]
    options += [word for plugin in PLUGINS for word in ("-p", plugin)]
    verdict = Verdict(task.variant)
    for asked in task.rounds():
        if not asked.tests:
            continue
        watch = Watch(known, asked, tell)
        tell(asked.name, "")
        more = ["--collect-only"] if asked.collect_only else []
        code = pytest.main([*options, *more, *map(str, asked.tests)], plugins=[watch])
        passed = verdict.passed | watch.passed
        verdict = replace(
            verdict, passed=passed, failed=(*verdict.failed, *watch.failed), asked=asked.only
        )
        elsewhere = imported_from_elsewhere(package.name, folder)
        if watch.unreadable:
            return replace(verdict, problem=f"{watch.unreadable} could not be imported")
        if watch.failed and not task.tries_all:
            return replace(verdict, caught_by=watch.failed[0], place=asked.name, problem=elsewhere)
        if asked.only and code == pytest.ExitCode.NO_TESTS_COLLECTED:
            continue  # there is no such test any more
        if elsewhere:
            return replace(verdict, problem=elsewhere)
        if code not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
            return replace(verdict, problem=f"pytest ended with {code!r}")
    return verdict


def child(answer: Connection, task: Task, folder: Path, *place: Any) -> None:
    """Body of a forked process: try one task, its output in ``folder/log``, and answer."""
    os.setsid()  # what the tests start ends with it
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    gc.set_threshold(100_000)
    try:
        verdict = try_task(*place, task, folder, lambda *at: answer.send(at))
    except Exception as error:  # noqa: BLE001  whatever it was, the table says it
        verdict = Verdict(task.variant, problem=str(error) or repr(error))
    with suppress(BrokenPipeError):
        answer.send(replace(verdict, seconds=sum(os.times()[:4])))
    answer.close()
    os._exit(0)


class Trial:
    """One running child."""

    def __init__(self, task: Task, scratch: Path, *place: Any) -> None:
        """Fork a child for the task; it works in a new folder in ``scratch``."""
        fork = multiprocessing.get_context("fork")
        self.task, self.scratch, self.place = task, scratch, place
        self.folder = Path(tempfile.mkdtemp(prefix="variant-", dir=scratch))
        self.answer, sender = fork.Pipe(duplex=False)
        self.process = fork.Process(target=child, args=(sender, task, self.folder, *place))
        self.process.start()
        sender.close()
        self.rival: Trial | None = None
        self.goes_on("", "")

    def goes_on(self, name: str, at: str) -> None:
        """Note the round and the test that the child has come to, and that it does not hang."""
        self.name, self.at, self.since, self.laps = name, at, time.monotonic(), 0
        if self.rival:
            self.rival.stop()
            self.rival = None

    def hear(self, patience: float) -> Verdict | None:
        """Listen to the child; return the verdict if there is one."""
        verdict = None
        try:
            while verdict is None and self.answer.poll():
                said = self.answer.recv()
                if isinstance(said, tuple):
                    self.goes_on(*said)
                else:
                    verdict = said
        except EOFError:
            self.process.join()
            how = f"the process died, status {self.process.exitcode}, at {self.at or 'no test'}"
            verdict = Verdict(self.task.variant, problem=how)
        if verdict is None and time.monotonic() - self.since > patience:
            verdict = self.race()
        if verdict:
            self.stop(show=not verdict.good)
        return verdict

    def race(self) -> Verdict | None:
        """Let the unchanged package do what the child is at; ten times before it: it hangs."""
        if self.rival is None:
            rounds = [
                replace(one, only=frozenset(filter(None, [self.at])), collect_only=not self.at)
                for one in self.task.rounds()
                if one.name == self.name
            ]
            self.rival = Trial(Task(UNCHANGED, lambda: rounds), self.scratch, *self.place)
            return None
        run = self.rival.hear(float("inf"))
        if run is None:
            return None
        self.rival = None
        if run.problem or run.failed:
            return Verdict(self.task.variant, problem=f"unchanged: {run.problem or run.failed}")
        self.laps += 1
        if self.laps < LAPS:
            return None
        if not self.at:
            return Verdict(self.task.variant, problem="reading the tests does not end")
        return Verdict(self.task.variant, caught_by=self.at, place=self.name, hung=True)

    def stop(self, *, show: bool = False) -> None:
        """End the child and all that it has started; ``show`` the end of what it printed."""
        if self.rival:
            self.rival.stop()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.join()
        if show and (self.folder / "log").exists():
            print((self.folder / "log").read_text(errors="replace")[-3000:])
        shutil.rmtree(self.folder, ignore_errors=True)


def verdicts(
    package: Path, root: Path, tasks: Iterable[Task], *, workers: int, patience: float = PATIENCE
) -> Iterator[Verdict]:
    """Try all tasks, ``workers`` at a time, and yield each verdict as it comes."""
    waiting = list(tasks)[::-1]
    running: list[Trial] = []
    known: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name).resolve()
        copy = compiled_copy(package, scratch)
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    running.append(Trial(waiting.pop(), scratch, copy, root, known))
                wait([t.answer for one in running for t in (one, one.rival) if t], timeout=1)
                for trial in list(running):
                    verdict = trial.hear(patience)
                    if verdict:
                        running.remove(trial)
                        known.update(verdict.passed)
                        yield verdict
        finally:
            for trial in running:
                trial.stop()
