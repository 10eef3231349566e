"""Validators of a live figure's state: each returns plain JSON or raises an error that says why."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def number(low: float, high: float) -> Callable[[str, Any], float]:
    """Check for a finite number from ``low`` to ``high``."""

    def check(name: str, value: Any) -> float:
        if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
            raise TypeError(f"{name} must be a number; got {value!r}.")
        if not low <= value <= high:
            raise ValueError(f"{name} must be from {low:g} to {high:g}; got {value!r}.")
        return float(value)

    return check


def whole(low: int, high: int) -> Callable[[str, Any], int]:
    """Check for a whole number from ``low`` to ``high``."""

    def check(name: str, value: Any) -> int:
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise TypeError(f"{name} must be a whole number; got {value!r}.")
        if not low <= value <= high:
            raise ValueError(f"{name} must be from {low} to {high}; got {value!r}.")
        return operator.index(value)

    return check


def flag(name: str, value: Any) -> bool:
    """Check for True or False."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False; got {value!r}.")
    return value


def one_of(*choices: Any) -> Callable[[str, Any], Any]:
    """Check for one of ``choices``."""

    def check(name: str, value: Any) -> Any:
        if value not in choices:
            known = ", ".join(map(repr, choices))
            raise ValueError(f"{name} must be one of {known}; got {value!r}.")
        return value

    return check


def several(
    item: Callable[[str, Any], Any], low: int, high: int | None = None
) -> Callable[[str, Any], list]:
    """Check for a list of ``low`` to ``high`` values (``low`` exactly when ``high`` is None)."""
    high = low if high is None else high

    def check(name: str, value: Any) -> list:
        if not hasattr(value, "__len__") or isinstance(value, str):
            raise TypeError(f"{name} must be a list; got {value!r}.")
        if not low <= len(value) <= high:
            wanted = f"{low}" if low == high else f"{low} to {high}"
            raise ValueError(f"{name} must have {wanted} values; got {len(value)}.")
        return [item(f"{name}[{i}]", one) for i, one in enumerate(value)]

    return check


def feature_map(low: int, high: int) -> Callable[[str, Any], list[list[float]]]:
    """Check for a (H, W) map of finite numbers, each side from ``low`` to ``high`` cells."""
    line = several(number(-math.inf, math.inf), low, high)
    lines = several(line, low, high)

    def check(name: str, value: Any) -> list[list[float]]:
        rows = lines(name, value)
        lengths = sorted({len(row) for row in rows})
        if len(lengths) > 1:
            raise ValueError(f"{name} must have rows of one length; got lengths {lengths}.")
        if not all(math.isfinite(one) for row in rows for one in row):
            raise ValueError(f"{name} must be finite numbers; got NaN or infinity.")
        return rows

    return check


def extent(names: str, low: float, high: float) -> Callable[[str, Any], list[float]]:
    """Check for sides named ``names`` ("x1, y1, x2, y2" or "x1, x2"), a pixel apart or more."""
    count = len(names.split(", "))
    sides = several(number(low, high), count)

    def check(name: str, value: Any) -> list[float]:
        if hasattr(value, "__len__") and len(value) != count:
            raise ValueError(f"{name} must be {names}; got {len(value)} values.")
        places = sides(name, value)
        pairs = zip(places[: count // 2], places[count // 2 :], strict=True)
        if any(stop - start < 1 for start, stop in pairs):
            raise ValueError(
                f"{name} must be {names}, at least 1 image pixel apart along each axis; "
                f"got {list(value)}."
            )
        return places

    return check
