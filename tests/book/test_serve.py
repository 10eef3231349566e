"""The small server of `make book`."""

import os
import signal
import subprocess
import sys
import urllib.request
from contextlib import contextmanager

import pytest


@contextmanager
def started(root, *arguments):
    """Run the server; it hears Ctrl-C also where this test run does not, and ends with the test."""
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [sys.executable, str(root / "book" / "serve.py"), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"BROWSER": "true"},
        )
    finally:
        signal.signal(signal.SIGINT, heard)
    with process:
        try:
            yield process
        finally:
            process.kill()


def test_it_prints_an_address_that_answers_and_stops_quietly(root, site):
    with started(root, str(site)) as process:
        line = process.stdout.readline()
        address = next(word for word in line.split() if word.startswith("http://"))
        with urllib.request.urlopen(address + "book/index.html") as answer:  # noqa: S310
            assert b"RoIAlign" in answer.read()
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
        assert "Traceback" not in process.stdout.read()


@pytest.mark.parametrize("folder", ["nothing_here", "."])
def test_it_says_what_to_do_where_no_book_is(folder, root, tmp_path):
    with started(root, str(tmp_path / folder)) as process:
        said = process.stdout.read()
        assert process.wait() == 1
    assert "make html" in said
