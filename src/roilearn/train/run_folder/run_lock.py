"""The run lock: only one run at a time may write into a run folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

LOCK = ".lock"
"""Name of the lock file. It is empty and stays in the folder."""


@contextmanager
def locked_run_folder(folder: Path) -> Iterator[None]:
    """Make a run folder and lock it for the time of the block.

    The operating system releases the lock when the process ends, however it ends. The process that
    holds the lock may take it once more.

    Raises
    ------
    OSError: there is a file of that name; the folder cannot be written; another run has locked it.
    """
    lock = FileLock(folder / LOCK, is_singleton=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout as error:
        raise OSError(
            f"folder must be free; another run is writing into {folder}. Wait until it has ended, "
            "or choose another folder."
        ) from error
    except OSError as error:
        raise OSError(
            f"folder must be one that can be written; {folder} is not ({error})."
        ) from error
    try:
        yield
    finally:
        lock.release()
