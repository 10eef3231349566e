"""Ctrl-C at any moment, answered at a good one."""

import signal
import threading
from types import FrameType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""Ctrl-C, and what a cluster sends before it takes a machine away."""


class Interrupt:
    """While it is open, a signal to stop is noted and does nothing else; a second Ctrl-C stops.

    Signals reach the main thread only: in another one nothing is noted.

    Examples
    --------
    >>> with Interrupt() as interrupt:
    ...     signal.raise_signal(signal.SIGINT)
    ...     print("a step is finished")
    ...     interrupt.asked
    a step is finished
    True
    """

    def __init__(self, patient: bool = False) -> None:
        """Begin; ``patient`` waits for the good moment after a second Ctrl-C too."""
        self.asked, self.patient = False, patient
        self.before = {}

    def __enter__(self) -> Self:
        """Listen."""
        if threading.current_thread() is threading.main_thread():
            self.before = {each: signal.signal(each, self._note) for each in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        """Give the signals back to whom they belonged."""
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked and not self.patient:
            raise KeyboardInterrupt
        self.asked = True
