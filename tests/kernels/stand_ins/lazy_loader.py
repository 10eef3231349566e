"""Stand-in for lazy-loader where it is not installed: imports the names of a stub on first use."""

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType


class Package(ModuleType):
    """A package whose functions are not hidden by the modules of their names."""

    def __setattr__(self, name, value):
        if not (isinstance(value, ModuleType) and name in self.__dict__["functions"]):
            super().__setattr__(name, value)


def attach_stub(package, filename):
    stub = Path(filename).with_suffix(".pyi").read_text(encoding="utf-8")
    pairs = re.findall(r"^from \.([\w.]*) import (\w+)", stub, re.MULTILINE)
    module_of = {name: module for module, name in pairs}
    names = sys.modules[package].__dict__
    names["functions"] = {name for name, module in module_of.items() if module == name}
    sys.modules[package].__class__ = Package

    def attribute(name):
        if name not in module_of:
            raise AttributeError(f"module {package} has no attribute {name}")
        module = importlib.import_module(f"{package}.{module_of[name] or name}")
        names[name] = getattr(module, name) if module_of[name] else module
        return names[name]

    return attribute, lambda: sorted(module_of), sorted(module_of)
