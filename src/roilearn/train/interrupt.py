"""Handling of Ctrl-C and SIGTERM: training stops after the step that is running, not within it."""

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""Ctrl-C, and what a cluster's scheduler sends before it takes a machine away."""


class Interrupt:
    """Context manager that notes a signal to stop instead of obeying it; a second Ctrl-C stops.

    Signals reach the main thread only: in another thread nothing is noted.

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
        self.previous_handlers = {}

    def __enter__(self) -> Self:
        """Install the signal handlers."""
        if threading.current_thread() is threading.main_thread():
            self.previous_handlers = {each: signal.signal(each, self._note) for each in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        """Restore the previous signal handlers."""
        for number, handler in self.previous_handlers.items():
            signal.signal(number, handler)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if self.requested and not self.ignore_second:
            raise KeyboardInterrupt
        self.requested = True


def interrupt_message(step: int, folder: Path | None) -> str:
    """Say after which step a run was interrupted, and whether it can be resumed."""
    if folder is None:
        return f"interrupted after step {step}; nothing was saved, since no folder was given."
    return f"interrupted after step {step}, which is saved; the same call goes on from there."
