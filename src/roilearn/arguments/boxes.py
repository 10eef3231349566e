"""Argument checks of the boxes of one image: columns, values, deltas."""

import math
from collections.abc import Sequence
from typing import Any

from roilearn.arguments.arrays import check_array, check_floating, check_real, first_row
from roilearn.arguments.lists import is_list
from roilearn.arguments.scalars import check_choice, check_positive


def check_columns(name: str, boxes: Any, columns: str) -> None:
    """Raise unless ``boxes`` has the named ``columns``, with any number of rows."""
    check_array(name, boxes)
    number = columns.count(",") + 1
    if boxes.ndim != 2 or boxes.shape[1] != number:
        raise ValueError(
            f"{name} must have shape (K, {number}), columns {columns}; "
            f"got shape {tuple(boxes.shape)}. Without boxes pass shape (0, {number})."
        )


def check_four_columns(name: str, boxes: Any) -> None:
    """Raise unless ``boxes`` is a (K, 4) array."""
    check_columns(name, boxes, "x1, y1, x2, y2")


def check_box_batch(name: str, boxes: Any) -> None:
    """Raise unless ``boxes`` is a (K, 4) array, or (..., K, 4): several such arrays."""
    check_array(name, boxes)
    if boxes.ndim < 2 or boxes.shape[-1] != 4:
        raise ValueError(
            f"{name} must have shape (K, 4), or (..., K, 4) for a batch, columns x1, y1, x2, y2; "
            f"got shape {tuple(boxes.shape)}. Without boxes pass shape (0, 4)."
        )


def check_last_axis(name: str, boxes: Any, numbers: int = 4) -> None:
    """Raise unless the last axis of ``boxes`` has so many numbers, for any number of axes."""
    check_array(name, boxes)
    if boxes.ndim == 0 or boxes.shape[-1] != numbers:
        raise ValueError(
            f"{name} must hold {numbers} numbers for each box along the last axis; got shape "
            f"{tuple(boxes.shape)}. Without boxes pass shape (0, {numbers})."
        )
    check_real(name, boxes)


def check_box_formats(
    in_fmt: Any, out_fmt: Any, upright: Sequence[str], rotated: Sequence[str]
) -> None:
    """Raise unless both formats are upright ones, or both are rotated ones."""
    for name, fmt in (("in_fmt", in_fmt), ("out_fmt", out_fmt)):
        check_choice(name, fmt, (*upright, *rotated))
    kind, other = (rotated, "upright") if in_fmt in rotated else (upright, "rotated")
    if out_fmt not in kind:
        raise ValueError(
            f"out_fmt must be one of {', '.join(map(repr, kind))}, as in_fmt is {in_fmt!r}; got "
            f"{out_fmt!r}, a format of {other} boxes. An angle can be neither dropped nor guessed."
        )


def check_finite(name: str, boxes: Any) -> None:
    """Raise unless every coordinate of ``boxes`` is finite, naming the first row that is not."""
    finite = abs(boxes) < math.inf
    if not bool(finite.all()):
        row = first_row(~finite.all(-1))
        raise ValueError(
            f"{name} must be finite; got {row_text(boxes, row)} in row {row}. "
            "Drop such boxes before the call: they come from a diverged or masked prediction."
        )


def check_no_nan(name: str, numbers: Any) -> None:
    """Raise if a row of ``numbers`` has a NaN, naming the first one; infinity is allowed."""
    bad = (numbers != numbers).any(-1)  # noqa: PLR0124 - only NaN differs from itself
    if bool(bad.any()):
        row = first_row(bad)
        raise ValueError(
            f"{name} must be numbers; got {row_text(numbers, row)} in row {row}. "
            "Drop such rows before the call: they come from a diverged prediction."
        )


def check_positive_sides(name: str, boxes: Any) -> None:
    """Raise unless every (K, 4) box is wider and higher than 0, naming the first that is not."""
    x1, y1, x2, y2 = boxes.T
    extended = (x2 > x1) & (y2 > y1)
    if not bool(extended.all()):
        row = first_row(~extended)
        raise ValueError(
            f"{name} must have a width and a height above 0; got {row_text(boxes, row)} in row "
            f"{row}. Deltas need the logarithm of every side: drop such boxes before the call."
        )


def row_text(boxes: Any, row: int) -> str:
    """Return one row of ``boxes`` as text for an error message."""
    return "[" + ", ".join(f"{float(value):g}" for value in boxes[row]) + "]"


def check_deltas(deltas: Any) -> None:
    """Raise unless ``deltas`` is (K, 4), or (K, C, 4) for C classes."""
    check_array("deltas", deltas)
    check_floating("deltas", deltas)
    if deltas.ndim not in (2, 3) or deltas.shape[-1] != 4:
        raise ValueError(
            f"deltas must have shape (K, 4), or (K, C, 4) for C classes; got "
            f"{tuple(deltas.shape)}. From (K, 4 * C) pass deltas.reshape(len(deltas), -1, 4)."
        )


def check_weights(weights: Any) -> tuple[float, ...]:
    """Return ``weights`` as floats; raise unless they are four positive numbers."""
    if not is_list(weights):
        raise TypeError(
            f"weights must be a list of 4 numbers, for dx, dy, dw and dh; got "
            f"{type(weights).__name__}. From a tensor or an array pass weights.tolist()."
        )
    factors = check_positive("weights", weights)
    if len(factors) != 4:
        raise ValueError(
            f"weights must be 4 numbers, for dx, dy, dw and dh; got {len(factors)}: {weights!r}."
        )
    return factors
