"""Errors of functions, in the words of whoever typed a command."""

import re
from collections.abc import Iterable

PHRASES = {
    "folder must be": "FOLDER must be",
    "or pass resume=False": "or add --again",
    "or pass weights=None for a model that has learned nothing yet": "or choose other --weights",
    "path must be": "--weights must be",
    "smaller clip": "smaller --clip",
    "the same call": "the same command",
}
"""What functions say of their arguments, and what it is called on the command line."""


def as_typed(error: BaseException, options: Iterable[str]) -> str:
    """Message of an error, with options where it speaks of arguments.

    Parameters
    ----------
    options : names of the arguments, as Python has them.

    Examples
    --------
    >>> as_typed(ValueError("batch_size must be at least 1; got 0."), ["batch_size", "seed"])
    '--batch-size must be at least 1; got 0.'
    >>> as_typed(ValueError("another run: seed 0 then and 1 now."), ["batch_size", "seed"])
    'another run: --seed 0 then and 1 now.'
    """
    text = str(error)
    for words, typed in PHRASES.items():
        text = text.replace(words, typed)
    for name in options:
        where = r"\b" if "_" in name else r"(?= must\b| ('[^']*'|\S+) then and )"
        text = re.sub(rf"(?<![\w-]){name}{where}", f"--{name.replace('_', '-')}", text)
    return text
