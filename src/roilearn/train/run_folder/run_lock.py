"""A run's folder, which no other run may write into meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

LOCK = ".lock"
"""An empty file that stays in the folder; whoever writes there holds it."""


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Make a folder and keep other runs out of it for the time of the block.

    The system frees it when the process ends, however it ends. The run that has it may claim it
    once more.

    Raises
    ------
    OSError: a file lies in its place; nothing can be written there; another run writes there.
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
            f"folder must be one that can be written; {folder} is none ({error})."
        ) from error
    try:
        yield
    finally:
        lock.release()
