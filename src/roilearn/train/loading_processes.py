"""Processes that load images for the training loop: what they do about signals, and their death.

A signal to a process group, such as Ctrl-C in a terminal, reaches them too. They ignore it, since
the step that is running still needs their images. PyTorch, on its part, raises an error in whatever
the main process is doing when one of them dies, which may be the writing of a checkpoint. Here such
a death is noticed when the next images are asked for.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils.data import DataLoader

from roilearn.train.interrupt import SIGNALS, ignore_signals

DEATH = "DataLoader worker"
"""How PyTorch's error about a process that died begins."""
IN_PROCESS = "in DataLoader worker process"
"""What PyTorch writes into the error of an item, which such a process has passed on."""


class LoadingError(RuntimeError):
    """A process that loads images has died."""


def start_loading_process(_: int) -> None:
    """Prepare a process that loads images: it ignores signals to stop and computes in one thread.

    It ends when the process that started it tells it to, or within seconds after that has ended.
    """
    ignore_signals()
    torch.set_num_threads(1)


@contextmanager
def batches_of(loader: DataLoader) -> Iterator[Iterator[Any]]:
    """Start the processes of a loader and yield the iterator over its batches.

    No signal reaches these processes, not even before they can ignore it, because they are started
    while signals are blocked. If one of them dies, the next batch raises ``LoadingError``. They end
    with the block, also after an error whose traceback still holds the iterator.
    """
    if not loader.num_workers:
        yield iter(loader)
        return
    may_set_signals = threading.current_thread() is threading.main_thread()
    on_death = getattr(signal, "SIGCHLD", None) if may_set_signals else None  # Windows has none
    before = signal.getsignal(on_death) if on_death else None
    with blocked_signals():
        batches = iter(loader)
    if on_death:
        signal.signal(on_death, signal.SIG_DFL)
    try:
        yield named_deaths(batches)
    finally:
        end_loading_processes(batches)
        if on_death:
            signal.signal(on_death, signal.SIG_DFL if before is None else before)


def end_loading_processes(batches: Any) -> None:
    """End the processes of a loader's iterator now; PyTorch ends them when it is collected."""
    batches._shutdown_workers()  # noqa: SLF001 - there is no public name for it


@contextmanager
def blocked_signals() -> Iterator[None]:
    """Block signals to stop; they come after the block. Processes started in it never get any."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def named_deaths(batches: Iterator[Any]) -> Iterator[Any]:
    """Yield batches; raise ``LoadingError`` if a process that loads them has died."""
    try:
        yield from batches
    except (ConnectionError, EOFError, RuntimeError) as error:
        if is_death(error):
            raise LoadingError(
                "a process that loads images has ended by itself. Mostly the system has ended it "
                "for want of memory, or of shared memory in a container: try "
                "fewer workers, or workers=0, which loads images in the process that trains."
            ) from error
        raise


def is_death(error: ConnectionError | EOFError | RuntimeError) -> bool:
    """Whether a process has died, and not an item failed to load.

    If it dies while it sends a batch, the connection to it breaks before PyTorch has noticed.
    """
    if isinstance(error, RuntimeError):
        return str(error).startswith(DEATH)
    return IN_PROCESS not in str(error)
