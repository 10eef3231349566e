"""Argument checks of masks and of their pasting."""

from typing import Any

from roilearn.arguments.arrays import check_array, check_floating
from roilearn.arguments.scalars import check_number, check_whole


def check_masks(masks: Any, name: str = "masks") -> None:
    """Raise unless ``masks`` is (N, H, W), with at least one row and one column."""
    check_array(name, masks)
    if masks.ndim != 3 or 0 in masks.shape[1:]:
        raise ValueError(
            f"{name} must have shape (N, H, W), at least one row and one column; got shape "
            f"{tuple(masks.shape)}. From (N, 1, H, W) pass masks[:, 0]."
        )


def check_square_masks(masks: Any) -> None:
    """Raise unless ``masks`` is a floating (N, 1, M, M) array."""
    check_array("masks", masks)
    check_floating("masks", masks)
    shape = tuple(masks.shape)
    if masks.ndim != 4 or shape[1] != 1 or shape[2] != shape[3] or shape[2] == 0:
        raise ValueError(
            f"masks must have shape (N, 1, M, M), one square for each box; got shape {shape}. Pick "
            "each box's own class from a head's masks first: masks[range(N), labels][:, None]."
        )


def check_padding(padding: Any) -> int:
    """Return ``padding`` as an int; raise unless it is a whole number and not negative."""
    rings = check_whole("padding", padding)
    if rings < 0:
        raise ValueError(f"padding must not be negative; got {rings}.")
    return rings


def check_threshold(threshold: Any) -> float | None:
    """Return ``threshold`` as a float, or None; raise unless it is at least 0."""
    if threshold is None:
        return None
    limit = check_number("threshold", threshold)
    if not limit >= 0:
        raise ValueError(f"threshold must be at least 0, the value outside boxes; got {limit}.")
    return limit
