"""Load: processes that keep every core busy beside a measurement.

Data loaders, other workers of a server or a shared machine take processor time from a program.
Threads that wait for each other then lose most, since the one that holds all others up may not run.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

BUSY = """
import os
parent = os.getppid()
while os.getppid() == parent:  # also if the measurement was killed
    for _ in range(100_000):
        pass
"""
STARTED = 0.3
"""Seconds until the processes have started."""


@contextmanager
def busy_processes(per_core: int) -> Iterator[list[int]]:
    """Keep every core busy with some processes while the block runs; yield their numbers.

    They end with the block, also if it raises or is interrupted, and by themselves within a
    fraction of a second if this process is killed.

    Parameters
    ----------
    per_core : processes for each core; 0: none.

    Examples
    --------
    >>> with busy_processes(0) as numbers:
    ...     len(numbers)
    0
    """
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(per_core * (os.cpu_count() or 1)):
            command = [sys.executable, "-S", "-c", BUSY]
            processes.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))  # noqa: S603
        time.sleep(STARTED if processes else 0)
        yield [process.pid for process in processes]
    finally:
        for process in processes:
            process.kill()
        for process in processes:
            process.wait()
