"""Argument checks of lists with one entry for each map, level or image."""

from collections.abc import Sequence
from typing import Any


def is_list(value: Any) -> bool:
    """Tell whether ``value`` is a list or tuple, and not a string."""
    return isinstance(value, Sequence) and not isinstance(value, str)


def counted(number: int, what: str) -> str:
    """Return a number with its noun: 1 image, 2 images."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def check_levels(**lists: Any) -> None:
    """Raise unless every argument is a list, and all have the same length."""
    for name, entries in lists.items():
        if not is_list(entries):
            raise TypeError(
                f"{name} must be a list with one entry for each level; got {entries!r}."
            )
    if len({len(entries) for entries in lists.values()}) > 1:
        lengths = ", ".join(str(len(entries)) for entries in lists.values())
        raise ValueError(
            f"{', '.join(lists)} must have one entry for each level; got {lengths} of them."
        )


def check_one_per_image(name: str, entries: Any, images: int) -> None:
    """Raise unless ``entries`` is a list with one entry for each of the ``images``."""
    if not is_list(entries) or len(entries) != images:
        came = f"{len(entries)} of them" if is_list(entries) else type(entries).__name__
        raise ValueError(
            f"{name} must be a list with one entry for each of {counted(images, 'image')}; got "
            f"{came}."
        )


def check_items(name: str, items: Any) -> None:
    """Raise unless ``items`` has a length and indexing, and is not empty."""
    if not (hasattr(items, "__len__") and hasattr(items, "__getitem__")):
        raise TypeError(
            f"{name} must have a length and items by number, as a list or a Dataset of PyTorch; "
            f"got {type(items).__name__}."
        )
    if not len(items):
        raise ValueError(f"{name} must have at least one item; got none.")


def check_names(name: str, names: Any) -> None:
    """Raise unless ``names`` is a list of names that is not empty."""
    if not is_list(names) or not names:
        raise ValueError(f"{name} must be a list of names, at least one; got {names!r}.")
