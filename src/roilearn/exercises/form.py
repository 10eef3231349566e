"""What can be wrong with the form of an answer, before its numbers are looked at."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from roilearn.exercises.running import CAUGHT

Problem = tuple[str, str]
"""Name of the problem, and what is said after "Your function"."""


def numbers(value: Any) -> np.ndarray | None:
    """Return the value as an array of floats; None if ``form_problem`` has something to say."""
    return None if form_problem(value) else np.asarray(value, dtype=float)


def form_problem(value: Any) -> Problem | None:
    """Say what keeps a value from being numbers, if anything does."""
    return _kind_problem(value) or _array_problem(value)


def _kind_problem(value: Any) -> Problem | None:
    """Say what is wrong with the kind of object."""
    kind = type(value).__name__
    for found, name, text in (
        (value is None, "nothing returned", "nothing (None)."),
        (value is ..., "empty", "three dots still. Put your answer in their place."),
        (
            isinstance(value, Iterator),
            "iterator",
            f"a {kind}, which has no numbers yet: wrap it in list(...).",
        ),
        (callable(value), "function", f"a {kind} that can be called: call it first."),
        (
            isinstance(value, dict | set | frozenset),
            "no order",
            f"a {kind}. A list or an array is wanted, in the order asked for.",
        ),
        (isinstance(value, str | bytes), "text", "text. Numbers are wanted."),
        (
            _attribute(value, "requires_grad") == "True",
            "gradient",
            "a tensor that wants gradients: take tensor.detach().",
        ),
        (
            _attribute(value, "dtype") == "torch.bfloat16",
            "bfloat16",
            "a tensor of bfloat16, which NumPy does not know: take tensor.double().",
        ),
        (
            isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value),
            "masked",
            "an array with masked values. All of them are wanted.",
        ),
    ):
        if found:
            return name, f"returns {text}"
    return None


def _attribute(value: Any, name: str) -> str:
    """Attribute as text, of an object that may be a tensor: this file does not know torch."""
    try:
        return str(getattr(value, name, None))
    except CAUGHT:
        return ""


def _array_problem(value: Any) -> Problem | None:
    try:
        array = np.asarray(value)
    except ValueError:
        return "ragged", "returns lists of unequal length."
    except CAUGHT as error:
        kind = f"{type(value).__name__} ({type(error).__name__})"
        return "no numbers", f"returns an object of type {kind} that cannot be read as numbers."
    if array.dtype.kind in "USmMV":
        return "text", "returns text, or something else that is not numbers."
    if array.dtype.kind == "c":
        return "complex", "returns complex numbers. Return real ones."
    return _object_problem(array) if array.dtype.kind == "O" else None


def _object_problem(array: np.ndarray) -> Problem | None:
    """Say what keeps an array of objects (None, huge integers, fractions) from being numbers."""
    for item in array.ravel():
        if item is None:
            return "nothing returned", "returns None among its numbers."
        if isinstance(item, Iterator):
            return "iterator", f"returns a {type(item).__name__} inside: wrap it in list(...)."
        if isinstance(item, str | bytes):
            return "text", "returns text among its numbers."
    try:
        array.astype(float)
    except OverflowError:
        return "too large", "returns an integer larger than any floating-point number."
    except CAUGHT:
        kind = type(array.ravel()[0]).__name__
        return "no numbers", f"returns an object of type {kind} that cannot be read as numbers."
    return None


def shape_problem(
    given: list[np.ndarray], right: list[np.ndarray], tolerance: float
) -> Problem | None:
    """Say that arrays are transposed, of the wrong shape, or rounded."""
    turned = [(array.T, other) for array, other in zip(given, right, strict=True)]
    if all(close(array, other, tolerance) for array, other in turned):
        return "transposed", "returns the right numbers transposed: exchange the axes."
    for array, other in zip(given, right, strict=True):
        if array.shape != other.shape:
            need = "one number" if other.shape == () else f"an array of shape {other.shape}"
            got = "one number" if array.shape == () else f"an array of shape {array.shape}"
            return "shape", f"returns {got} where {need} is right."
    return _rounded(given, right, tolerance)


def _rounded(given: list[np.ndarray], right: list[np.ndarray], tolerance: float) -> Problem | None:
    for decimals in range(6, 0, -1):
        half_unit = 0.5 * 10.0**-decimals * (1 + 1e-6)
        on_the_grid = all(close(np.round(one, decimals), one, 1e-12) for one in given)
        near = all(np.all(np.abs(a - b) <= half_unit) for a, b in zip(given, right, strict=True))
        if on_the_grid and near:
            return "rounded", f"rounds to {decimals} decimals. Return the number as it is."
    if all(close(a, np.round(b), tolerance) for a, b in zip(given, right, strict=True)):
        return "rounded", "returns whole numbers, rounded. Return the number as it is."
    half = all(np.array_equal(one, one.astype(np.float16)) for one in given)
    if half and all(close(a, b, 2e-3) for a, b in zip(given, right, strict=True)):
        return "float16", "is right in three digits only. Compute in float64."
    return None


def close(given: np.ndarray, right: np.ndarray, tolerance: float) -> bool:
    """Whether two arrays agree in shape and, up to the tolerance, in every number."""
    return given.shape == right.shape and np.allclose(
        given, right, rtol=tolerance, atol=tolerance, equal_nan=True
    )
