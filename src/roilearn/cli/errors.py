"""Command-line errors: the messages of functions, with options in the place of arguments."""

import re
from collections.abc import Iterable

PHRASES = {
    "box_format='masks' needs": "--boxes masks needs",
    "fewer workers, or workers=0": "--workers lower, or --workers 0",
    "run_folder must be": "--held-out must be",
    "folder must be": "FOLDER must be",
    "or pass resume=False": "or add --restart",
    "or pass weights=None for random initial weights": "or choose other --weights",
    "path must be": "--weights must be",
    "the same call": "the same command",
}
"""Phrases in the errors of functions, and what they become on the command line."""


def as_command_error(error: BaseException, options: Iterable[str]) -> str:
    """Message of an error, with the names of arguments replaced by command-line options.

    Parameters
    ----------
    options : names of the arguments, as in Python.

    Examples
    --------
    >>> options = ["batch_size", "seed"]
    >>> as_command_error(ValueError("batch_size must be at least 1; got 0."), options)
    '--batch-size must be at least 1; got 0.'
    >>> as_command_error(ValueError("another run: seed 0 then and 1 now."), options)
    'another run: --seed 0 then and 1 now.'
    """
    text = str(error)
    for phrase, replacement in PHRASES.items():
        text = text.replace(phrase, replacement)
    for name in options:
        where = r"\b" if "_" in name else r"(?= must\b| ('[^']*'|\S+) then and )"
        text = re.sub(rf"(?<![\w-]){name}{where}", f"--{name.replace('_', '-')}", text)
    return text


def as_full_disk(error: OSError) -> str:
    """Message of a disk that is full, and what to do about it.

    Examples
    --------
    >>> as_full_disk(OSError(28, "No space left on device", "run/model.pt"))
    'no space is left on the disk of run/model.pt. Make room and give the same command again.'
    """
    where = "" if error.filename is None else f" of {error.filename}"
    return f"no space is left on the disk{where}. Make room and give the same command again."
