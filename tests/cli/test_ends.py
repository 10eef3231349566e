"""How the command ends: readers that go away, and disks that are full."""

import argparse
import errno
import subprocess
import sys

import pytest

from roilearn import cli

MANY_LINES = """
import sys, argparse
from roilearn import cli
cli.make_parser = lambda: argparse.ArgumentParser()
argparse.ArgumentParser.parse_args = lambda *_: argparse.Namespace(run=talk)
def talk(options):
    for number in range(100_000):
        print(number)
    return 0
sys.exit(cli.main([]))
"""


def test_a_reader_that_ends_early_ends_the_command_without_a_traceback():
    command = subprocess.Popen(
        [sys.executable, "-c", MANY_LINES], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert command.stdout.readline() == b"0\n"
    command.stdout.close()
    said = command.stderr.read()
    command.stderr.close()
    assert command.wait() == cli.BROKEN_PIPE == 141
    assert said == b""


def failing(monkeypatch, error):
    def fail(_):
        raise error

    parser = argparse.ArgumentParser(prog="roilearn")
    monkeypatch.setattr(parser, "parse_args", lambda _: argparse.Namespace(run=fail))
    monkeypatch.setattr(cli, "make_parser", lambda: parser)


def test_a_full_disk_is_named_in_one_line(monkeypatch, capsys):
    failing(monkeypatch, OSError(errno.ENOSPC, "No space left on device", "run/checkpoint.pt"))
    assert cli.main([]) == 1
    said = capsys.readouterr().err
    assert "no space is left on the disk of run/checkpoint.pt" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("command", ["bench", "evaluate", "export", "predict", "train"])
def test_ctrl_c_while_pytorch_is_loaded_ends_in_one_line(command, tmp_path):
    """A finder of modules presses Ctrl-C as soon as torch is looked for."""
    code = f"""
import sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Finder())
from roilearn.cli import main
words = {{"bench": [], "evaluate": ["--weights", "SHAPES", "--coco", {str(tmp_path / "a.json")!r}],
         "export": ["SHAPES"], "predict": ["a.png", "--weights", "SHAPES"], "train": ["run"]}}
sys.exit(main(["{command}", *words["{command}"]]))
"""
    (tmp_path / "a.json").write_text("{}")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "roilearn: interrupted.\n")


def test_other_errors_of_the_system_are_not_hidden(monkeypatch):
    failing(monkeypatch, OSError(errno.EIO, "Input/output error"))
    with pytest.raises(OSError, match="Input/output"):
        cli.main([])
