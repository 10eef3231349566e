"""Settings of a finished module: read and set under torchvision's names, or refused with the way.

A plain module takes any attribute, so a setting that it never reads would be ignored in silence.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from torch import nn


class GuardedModule(nn.Module):
    """A module that refuses the attributes of torchvision's module that it would ignore.

    ``set_elsewhere`` maps the name of each such attribute to what to do instead.

    Examples
    --------
    >>> class Heads(GuardedModule):
    ...     set_elsewhere = {"fg_bg_sampler": "Set options instead."}
    >>> Heads().fg_bg_sampler = None
    Traceback (most recent call last):
    AttributeError: Heads has no fg_bg_sampler, and would ignore it. Set options instead.
    """

    set_elsewhere: ClassVar[Mapping[str, str]] = {}

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; raise where it would be ignored."""
        if name in self.set_elsewhere:
            raise AttributeError(self._advice(name))
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        """Find a parameter, buffer or submodule; say what to do for those of torchvision alone."""
        if name in self.set_elsewhere:
            raise AttributeError(self._advice(name))
        return super().__getattr__(name)

    def _advice(self, name: str) -> str:
        kind = type(self).__name__
        return f"{kind} has no {name}, and would ignore it. {self.set_elsewhere[name]}"


def keyword_property(function: str, keyword: str) -> property:
    """Give a module with a ``functools.partial`` a property for one of its keywords.

    Parameters
    ----------
    function : name of the module's attribute that is the ``partial``.
    keyword : name of the argument that the property reads and replaces.
    """

    def read(module: Any) -> Any:
        return getattr(module, function).keywords[keyword]

    def write(module: Any, value: Any) -> None:
        setattr(module, function, partial(getattr(module, function), **{keyword: value}))

    return property(read, write, doc=f"``{keyword}`` of ``{function}``; can be set at any time.")


def same_as(name: str) -> property:
    """Give a module a property that reads and sets another attribute of it."""

    def read(module: Any) -> Any:
        return getattr(module, name)

    def write(module: Any, value: Any) -> None:
        setattr(module, name, value)

    return property(read, write, doc=f"torchvision's name of ``{name}``.")
