"""Kinds of arguments of the command line: words and paths, which are not empty."""

import argparse
from pathlib import Path


def word(text: str) -> str:
    """Return the text; refuse an empty one, as an unset variable of a shell gives it."""
    if not text.strip():
        raise argparse.ArgumentTypeError(f"must not be empty; got {text!r}")
    return text


def path(text: str) -> Path:
    """Return a path; an empty one would be the present folder."""
    return Path(word(text))
