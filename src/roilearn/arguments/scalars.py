"""Argument checks of single values: numbers, whole numbers, flags, choices."""

import math
import operator
import sys
from collections.abc import Sequence
from typing import Any

from roilearn.arguments.lists import is_list


def is_symbol(value: Any) -> bool:
    """Whether a number stands for one that comes later, in a graph that is being recorded.

    Such are the sizes of images while a model is exported. As a Python number, such a size would be
    that of the example for ever.
    """
    if type(value).__name__ in ("SymInt", "SymFloat"):
        return True
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor) and torch.jit.is_tracing()


def check_number(name: str, value: Any) -> float:
    """Return ``value`` as a float; raise unless it is a single number."""
    if isinstance(value, (str, bytes)):
        raise TypeError(f"{name} must be a number; got {value!r}.")
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be a number; got {type(value).__name__}.") from error


def check_finite_number(name: str, value: Any) -> float:
    """Return ``value`` as a float; raise unless it is finite."""
    number = check_number(name, value)
    if not abs(number) < math.inf:  # torch.compile does not support math.isfinite
        raise ValueError(f"{name} must be a finite number; got {number}.")
    return number


def check_at_least(name: str, value: Any, least: float) -> float:
    """Return ``value`` as a float; raise unless it is at least ``least``; infinity is allowed."""
    number = check_number(name, value)
    if not number >= least:
        raise ValueError(f"{name} must be at least {least:g}; got {number:g}.")
    return number


def check_fraction(name: str, value: Any, advice: str = "") -> float:
    """Return ``value`` as a float; raise, with ``advice``, unless it lies from 0 to 1."""
    share = check_number(name, value)
    if not 0 <= share <= 1:
        raise ValueError(f"{name} must lie from 0 to 1; got {share:g}. {advice}".rstrip())
    return share


def check_positive(name: str, values: Any) -> tuple[float, ...]:
    """Return ``values``, a number or a sequence, as floats; raise unless all are above 0."""
    many = tuple(values) if is_list(values) else (values,)
    numbers = tuple(v if is_symbol(v) else check_number(name, v) for v in many)
    if not many or not all(is_symbol(n) or 0 < n < math.inf for n in numbers):
        raise ValueError(f"{name} must be finite and positive numbers; got {values!r}.")
    return numbers


def check_pair(name: str, value: Any) -> tuple[float, float]:
    """Return ``value``, a positive number or a pair of them, as a pair (vertical, horizontal)."""
    numbers = list(check_positive(name, value))
    if len(numbers) > 2:
        raise ValueError(
            f"{name} must be a number or a pair (vertical, horizontal); got {value!r}."
        )
    return numbers[0], numbers[-1]


def check_whole(name: str, value: Any) -> int:
    """Return ``value`` as an int; raise unless it is a whole number; a bool is not."""
    if isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number; got {value!r}, a bool.")
    if isinstance(value, int) or is_symbol(value):
        return value  # a symbol stays one: as an int it would fix a traced size
    try:
        return operator.index(value)
    except TypeError as error:
        raise TypeError(
            f"{name} must be a whole number; got {value!r}, a {type(value).__name__}."
        ) from error


def check_count(name: str, value: Any) -> int:
    """Return ``value`` as an int; raise unless it is a whole number above 0."""
    count = check_whole(name, value)
    if count < 1:
        raise ValueError(f"{name} must be at least 1; got {count}.")
    return count


def check_between(name: str, value: Any, least: int, most: int) -> int:
    """Return ``value`` as an int; raise unless it is a whole number from ``least`` to ``most``."""
    number = check_whole(name, value)
    if not least <= number <= most:
        raise ValueError(f"{name} must lie from {least} to {most}; got {number}.")
    return number


def check_flag(name: str, value: Any) -> None:
    """Raise unless ``value`` is True or False: any other string would count as True."""
    if type(value).__name__ not in ("bool", "bool_"):
        raise TypeError(f"{name} must be True or False; got {value!r}.")


def check_type(name: str, value: Any, kind: type, advice: str = "") -> None:
    """Raise, with ``advice``, unless ``value`` is an instance of ``kind``."""
    if not isinstance(value, kind):
        came = f"{value.__name__} itself" if isinstance(value, type) else type(value).__name__
        if came == kind.__name__:
            came = f"another class of that name, of {type(value).__module__}"
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        raise TypeError(f"{name} must be {article} {kind.__name__}; got {came}. {advice}".rstrip())


def check_choice(name: str, value: Any, choices: Sequence[Any]) -> None:
    """Raise unless ``value`` is one of ``choices``."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}; got {value!r}.")
