"""Argument checks of options that come by name: unknown ones, two names of one, parts of a set."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Any

OLD_NAMES = {"pretrained": "weights", "pretrained_backbone": "weights_backbone"}
"""Options that torchvision had before version 0.13, and what replaces them."""


def check_known_options(given: Iterable[str], known: Collection[str], what: str) -> None:
    """Raise unless every name that was ``given`` is ``known``, with the names that are near it.

    Parameters
    ----------
    given : names of options.
    known : names of all options.
    what : whose options they are, such as ``"mask_rcnn_tiny"``.
    """
    for name in given:
        if name not in known:
            new = OLD_NAMES.get(name)
            advice = near_names(name, known)
            if new in known:
                advice = f'Pass {new}="DEFAULT" for True, and {new}=None for False.'
            raise TypeError(
                f"{name} must be an option of {what}, which has none of that name. {advice}"
            )


def near_names(name: str, known: Collection[str]) -> str:
    """Say which known names are near a wrong one.

    Examples
    --------
    >>> near_names("box_score_tresh", ["box_nms_thresh", "box_score_thresh", "min_size"])
    'Near it are box_score_thresh, box_nms_thresh.'
    """
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    if not near:
        return f"The known names are {', '.join(sorted(known))}."
    return f"Near it {'is' if len(near) == 1 else 'are'} {', '.join(near)}."


def check_one_name(first: str, second: str) -> None:
    """Raise because two names of the same option were given."""
    raise TypeError(f"{first} and {second} are names of the same option; give one of them.")


def check_all_or_none(**parts: Any) -> None:
    """Raise unless all ``parts`` are given, or none is."""
    missing = [name for name, part in parts.items() if part is None]
    if missing and len(missing) < len(parts):
        raise ValueError(
            f"{', '.join(parts)} must be given together or not at all; "
            f"got no {' and no '.join(missing)}."
        )


def check_instead(name: str, value: Any, part_name: str, part: Any) -> None:
    """Raise unless exactly one is given: a number, or the part of a model that follows from it."""
    if (value is None) == (part is None):
        came = "neither" if value is None else f"both, {name}={value!r}"
        raise ValueError(
            f"{name} must be given, or {part_name} that predicts as many; got {came}. A given "
            f"{part_name} decides the number: leave {name} out."
        )
