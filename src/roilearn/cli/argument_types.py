"""Types of command-line arguments: words and paths that are not empty."""

import argparse
from pathlib import Path


def word(text: str) -> str:
    """Return the text; refuse an empty one, which an unset shell variable would give."""
    if not text.strip():
        raise argparse.ArgumentTypeError(f"must not be empty; got {text!r}")
    return text


def path(text: str) -> Path:
    """Return a path; refuse an empty one, which would mean the current folder."""
    return Path(word(text))
