"""A folder belongs to one run at a time."""

import subprocess
import sys
from dataclasses import replace

import pytest
from filelock import FileLock, Timeout
from toy_training import SETTINGS, Noise, Toy

from roilearn.train import train
from roilearn.train.run_folder.run_lock import LOCK, locked_run_folder

OTHER = """
import sys
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("mine", flush=True)
    sys.stdin.readline()
"""


def test_a_second_run_is_refused_until_the_first_has_ended(tmp_path):
    settings = replace(SETTINGS, steps=1)
    other = [sys.executable, "-c", OTHER, str(tmp_path / LOCK)]
    with subprocess.Popen(other, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout.readline() == "mine\n"
        with pytest.raises(OSError, match=f"folder must be free; .*{tmp_path.name}"):
            train(Toy(), Noise(), settings, tmp_path, progress=False)
        assert not (tmp_path / "losses.csv").exists()
        run.communicate("end\n")
    train(Toy(), Noise(), settings, tmp_path, progress=False)
    assert (tmp_path / "losses.csv").exists()


def test_who_has_it_may_claim_it_once_more_and_keeps_it_afterwards(tmp_path):
    folder = tmp_path / "new"
    with locked_run_folder(folder):
        with locked_run_folder(folder):
            assert not is_free(folder)
        assert not is_free(folder)
    assert is_free(folder)


def is_free(folder):
    """Whether another lock on the same file can be had."""
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    lock.release()
    return True


@pytest.mark.parametrize("name", ["file", "file/run"])
def test_a_file_is_no_folder(tmp_path, name):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OSError, match="folder must be one that can be written"),
        locked_run_folder(tmp_path / name),
    ):
        pass
