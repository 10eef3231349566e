"""How values and calls are written in a verdict: in full, and ready to paste."""

import keyword
from collections.abc import Callable
from typing import Any

import numpy as np

from roilearn.exercises.exercise import Call
from roilearn.exercises.running import CAUGHT

LONGEST = 300
"""Characters of a returned value that a verdict shows."""


def call_text(name: str, arguments: Call) -> str:
    """Write a call that can be pasted into a cell."""
    return f"{name}({', '.join(map(literal, arguments))})"


def literal(value: Any) -> str:
    """Write an argument as Python source, without leaving anything out."""
    if isinstance(value, np.ndarray):
        return f"np.array({value.tolist()!r})"
    if isinstance(value, np.generic):
        return repr(value.item())
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return repr(value)


def function_name(function: Callable[..., Any], otherwise: str) -> str:
    """Name under which the reader can call the function again."""
    try:
        name = function.__name__
    except CAUGHT:
        return otherwise
    usable = isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name)
    return name if usable else otherwise


def shown(value: Any, digits: int = 6) -> str:
    """Write a returned value on one line; an object that cannot be written is named by its type."""
    try:
        array = np.asarray(value)
        if array.dtype.kind in "biuf":
            text = np.array2string(
                array,
                separator=", ",
                threshold=10_000,
                formatter={"float_kind": lambda number: f"{number:.{digits}g}"},
            )
        else:
            text = repr(value)
    except CAUGHT:
        text = _repr(value)
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except CAUGHT:
        return f"an object of type {type(value).__name__}"


def side_by_side(given: Any, right: Any) -> tuple[str, str]:
    """Write two unequal values so that they differ on the page: with all digits if need be."""
    pair = shown(given), shown(right)
    return pair if pair[0] != pair[1] else (shown(given, 17), shown(right, 17))


def error_text(error: BaseException) -> str:
    """Name an error and what it says, even where it cannot be turned into text."""
    try:
        said = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 - whatever an error of the reader's raises
        said = ""
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def listing(names: list[str]) -> str:
    """Join names as a sentence does: "a, b and c"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
