"""Handling of signals to stop: training ends after the step that is running, not within it."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
SIGNALS = tuple(getattr(signal, name) for name in NAMES if hasattr(signal, name))
"""Ctrl-C; what a cluster's scheduler sends before it takes a machine away; and what a terminal
sends when it is closed, which Windows does not know."""


class Interrupt:
    """Context manager that notes a signal to stop instead of obeying it; a second Ctrl-C stops.

    Signals reach the main thread only: in another thread nothing is noted. A signal that is ignored
    stays ignored, as ``nohup`` wants it for SIGHUP.

    Attributes
    ----------
    requested : whether a signal to stop has come.

    Examples
    --------
    >>> with Interrupt() as interrupt:
    ...     signal.raise_signal(signal.SIGINT)
    ...     print("the step is finished")
    ...     interrupt.requested
    the step is finished
    True
    """

    def __init__(self, ignore_second: bool = False) -> None:
        """Prepare; with ``ignore_second`` a second Ctrl-C is only noted as well."""
        self.requested, self.ignore_second = False, ignore_second
        self.previous_handlers: dict[int, Any] = {}

    def __enter__(self) -> Self:
        """Install the signal handlers."""
        self.previous_handlers = install(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        """Restore the previous signal handlers."""
        for number, handler in self.previous_handlers.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.requested and number == signal.SIGINT and not self.ignore_second:
            raise KeyboardInterrupt
        self.requested = True


def install(handler: Callable[[int, FrameType | None], None]) -> dict[int, Any]:
    """Install a handler of all signals to stop that are not ignored; return their handlers."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    wanted = [each for each in SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
    return {each: signal.signal(each, handler) for each in wanted}


@contextmanager
def signals_as_interrupts() -> Iterator[None]:
    """In the block, every signal to stop raises ``KeyboardInterrupt``, as Ctrl-C does."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = install(stop)
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def ignore_signals() -> None:
    """Leave signals to stop to another process: this one ends when that one does."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
