"""Deprecation: old names of modules, functions and classes go on working, with a warning.

The names stand in ``_old_names.py``. An import of an old module gives the new module itself: a
finder at the end of ``sys.meta_path`` is asked for modules that nobody else finds. An old name of a
package gives the new object: the packages' ``__getattr__`` comes from ``attach_stub`` here.
"""

import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import lazy_loader

from roilearn._old_names import MOVED_MODULES, RENAMED_NAMES


def attach_stub(
    package: str, file: str
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Do what ``lazy_loader.attach_stub`` does, and give old names of the package with a warning.

    Returns
    -------
    ``__getattr__``, ``__dir__`` and ``__all__`` of the package.

    Examples
    --------
    >>> import roilearn
    >>> "roi_align" in dir(roilearn.reference)
    True
    """
    get_current, list_names, names = lazy_loader.attach_stub(package, file)

    def get(name: str) -> Any:
        new = RENAMED_NAMES.get(f"{package}.{name}")
        if new is None:
            return get_current(name)
        module, _, attribute = (new if "." in new else f"{package}.{new}").rpartition(".")
        _warn(f"{package}.{name}", f"{module}.{attribute}", stacklevel=3)
        return getattr(import_module(module), attribute)

    module = sys.modules[package]
    module.__class__ = type("_LazyPackage", (_KeepsItsNames, type(module)), {})
    return get, list_names, names


def install() -> None:
    """Make old modules importable, once for the process."""
    if not any(isinstance(finder, OldModules) for finder in sys.meta_path):
        sys.meta_path.append(OldModules())


class OldModules:
    """Finder and loader of modules by their old names."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Say that an old module can be imported."""
        del path, target
        if fullname not in MOVED_MODULES:
            return None
        # importlib.abc.Loader would be the base class, but takes longer to load than this package.
        return ModuleSpec(fullname, self)  # pyright: ignore[reportArgumentType]

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Let Python make an empty module, which ``exec_module`` replaces."""
        del spec

    def exec_module(self, module: ModuleType) -> None:
        """Put the new module in the place of the old one, with the old names of its contents."""
        old = module.__name__
        _warn(old, MOVED_MODULES[old], stacklevel=3)
        sys.modules[old] = import_module(MOVED_MODULES[old])
        contents, package = vars(sys.modules[old]), old.rpartition(".")[0]
        for renamed, new in RENAMED_NAMES.items():
            in_package, _, name = renamed.rpartition(".")
            if in_package == package and new in contents:
                contents.setdefault(name, contents[new])


class _KeepsItsNames(ModuleType):
    """A package whose functions are not hidden by an old module that has the same name.

    An import sets the module as an attribute of its package: ``import roilearn.ops.roi_align``
    would replace the function ``roilearn.ops.roi_align``.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        old = f"{self.__name__}.{name}"
        offered = old in RENAMED_NAMES or name in self.__dict__.get("__all__", ())
        if not (isinstance(value, ModuleType) and old in MOVED_MODULES and offered):
            super().__setattr__(name, value)


def _warn(old: str, new: str, stacklevel: int) -> None:
    """Say where a name has gone; frames of Python's import machinery do not count."""
    warnings.warn(
        f"{old} is now {new}. The old name will go in a later version.",
        DeprecationWarning,
        stacklevel=stacklevel,
    )
