"""Threads that own tasks: a call's work divided among a few threads that need not wait for another.

PyTorch computes a large operation with all its threads, a part each, and every one of them waits at
the end for the slowest. While another program has one of the processor's cores, each such wait
takes a time slice of the system's scheduler, some milliseconds. A pooling operator would wait
hundreds of times in a call.

Here a thread takes a whole task, computes it alone, operation after operation, and takes the next.
The threads wait once, when no task is left. The calling thread works like the others; those that
help it begin and end with the call. PyTorch's operations leave Python's lock while they compute.

In each of these threads PyTorch must be told to compute alone. ``torch.set_num_threads`` says so
for the whole process. OpenMP's own ``omp_set_num_threads`` says it for the thread that calls it.
"""

import ctypes
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from pathlib import Path
from threading import Thread, local
from typing import Generic, TypeVar

import torch
from torch import Tensor

from roilearn.ops.tracing import is_tracing

Result = TypeVar("Result")
OPENMP_LIBRARIES = ("libtorch_cpu.so", "libtorch_cpu.dylib", "libiomp5md.dll")
"""Files of PyTorch through which its OpenMP is found, on Linux, macOS and Windows."""

_LENT = local()  # .team: that of the block in which this thread is


def thread_team(*inputs: Tensor) -> AbstractContextManager["Team"]:
    """Let PyTorch compute each operation of this block in one thread, and lend the others to tasks.

    The team has as many threads as PyTorch has at the beginning, which it has again afterwards. It
    is the calling thread alone where a mode of PyTorch observes what that thread does. Inside
    another such block it is that block's team. A graph that is traced knows no threads.
    """
    return nullcontext(Team(1)) if is_tracing() else _lent_team(inputs)


@contextmanager
def _lent_team(inputs: Sequence[Tensor]) -> Iterator["Team"]:
    threads, openmp, outer = torch.get_num_threads(), load_openmp(), getattr(_LENT, "team", None)
    if outer is not None or openmp is None or threads == 1:
        yield outer or Team(1)
        return
    openmp.omp_set_num_threads(1)
    _LENT.team = Team(1 if is_observed(inputs) else threads)
    try:
        yield _LENT.team
    finally:
        _LENT.team = None
        openmp.omp_set_num_threads(threads)


class Team:
    """The calling thread, and others that help it with a list of tasks."""

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def run(self, tasks: Sequence[Callable[[], Result]]) -> list[Result]:
        """Run all tasks, in any order, and return their results in the order of the tasks.

        What a task raises is raised here; no further task is then begun. Gradients are not recorded
        in the threads that help.
        """
        if self.threads == 1 or len(tasks) < 2:
            return [task() for task in tasks]
        work = _Work(tasks)
        helpers = _start(min(self.threads, len(tasks)) - 1, work)
        try:
            work.do()
        finally:
            work.waiting.clear()  # empty, unless a task of the calling thread has failed
            for helper in helpers:
                helper.join()
        if work.errors:
            raise work.errors[0]
        return [work.results[number] for number in range(len(tasks))]


class _Work(Generic[Result]):
    """Tasks that wait for a thread, and what has come of the others."""

    def __init__(self, tasks: Sequence[Callable[[], Result]]) -> None:
        self.waiting = deque(enumerate(tasks))
        self.results: dict[int, Result] = {}
        self.errors: list[BaseException] = []

    def do(self) -> None:
        """Take one task after the other, until none is left."""
        while self.waiting:
            try:
                number, task = self.waiting.popleft()
            except IndexError:  # another thread has taken the last one
                return
            self.results[number] = task()

    def help(self, inference: bool) -> None:
        """Do the same in a thread of its own, under the modes of the thread that called it."""
        try:
            compute_alone()
            with torch.inference_mode(inference), torch.no_grad():
                self.do()
        except BaseException as error:  # noqa: BLE001  the calling thread raises it
            self.errors.append(error)
            self.waiting.clear()


def _start(number: int, work: _Work[Result]) -> list[Thread]:
    """Start threads that help; fewer, if the system gives no more."""
    inference, helpers = torch.is_inference_mode_enabled(), []
    for _ in range(number):
        helper = Thread(target=work.help, args=(inference,), name="roilearn")
        try:
            helper.start()
        except RuntimeError:
            break
        helpers.append(helper)
    return helpers


def compute_alone() -> None:
    """Let PyTorch compute each operation of this thread in it alone, until the thread ends."""
    torch.get_num_threads()  # in a new thread this takes over the number of the process
    openmp = load_openmp()
    if openmp is not None:
        openmp.omp_set_num_threads(1)


@cache
def load_openmp() -> ctypes.CDLL | None:
    """Find the OpenMP that PyTorch computes with, or None if it has none."""
    for name in OPENMP_LIBRARIES:
        file = Path(torch.__file__).parent / "lib" / name
        if file.exists():
            library = ctypes.CDLL(str(file))
            # A library also finds the functions of those that it needs.
            return library if hasattr(library, "omp_set_num_threads") else None
    return None


def is_observed(inputs: Sequence[Tensor]) -> bool:
    """Whether something else takes part in the operations of this thread: a mode, a GPU."""
    return (
        torch._C._len_torch_dispatch_stack() > 0  # noqa: SLF001
        or torch._C._functorch.peek_interpreter_stack() is not None  # noqa: SLF001  # pyright: ignore[reportAttributeAccessIssue]
        or any(type(each) not in (Tensor, torch.nn.Parameter) for each in inputs)
        or any(each.device.type != "cpu" for each in inputs)
    )
