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


def test_other_errors_of_the_system_are_not_hidden(monkeypatch):
    failing(monkeypatch, OSError(errno.EIO, "Input/output error"))
    with pytest.raises(OSError, match="Input/output"):
        cli.main([])
