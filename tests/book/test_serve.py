"""The small server of `make book`."""

import os
import signal
import subprocess
import sys
import urllib.request

import pytest


def start(root, *arguments):
    return subprocess.Popen(
        [sys.executable, str(root / "book" / "serve.py"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"BROWSER": "true"},
    )


def test_it_prints_an_address_that_answers_and_stops_quietly(root, site):
    with start(root, str(site)) as process:
        line = process.stdout.readline()
        address = next(word for word in line.split() if word.startswith("http://"))
        with urllib.request.urlopen(address + "book/index.html") as answer:  # noqa: S310
            assert b"RoIAlign" in answer.read()
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
        assert "Traceback" not in process.stdout.read()


@pytest.mark.parametrize("folder", ["nothing_here", "."])
def test_it_says_what_to_do_where_no_book_is(folder, root, tmp_path):
    with start(root, str(tmp_path / folder)) as process:
        said = process.stdout.read()
        assert process.wait() == 1
    assert "make html" in said
