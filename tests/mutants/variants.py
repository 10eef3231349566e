"""The wrong variants: each a mistake that somebody has made, in one telling of the operators."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """One text replaced in one file of the package, which a test must notice."""

    name: str
    file: str
    old: str
    new: str


VARIANTS: list[Variant] = []
