"""The public names of a package, read from its source: nothing is imported, so no torch is needed.

Each package lists its public names in ``__init__.pyi``, as ``from .file import name as name``. From
there the files are read as text.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import roilearn

SOURCES = Path(roilearn.__file__).parents[1]


@dataclass(frozen=True)
class PublicName:
    """A function, class or constant as a user imports it, with what its source says of it."""

    name: str
    package: str
    module: str
    kind: str  # "function", "class", "data" or "method": an object type of Sphinx's Python domain
    signature: str
    docstring: str
    methods: tuple[PublicName, ...] = ()

    @property
    def full_name(self) -> str:
        """The name under which a user imports it."""
        return f"{self.package}.{self.name}"

    @property
    def source_name(self) -> str:
        """The name of the same thing in the file that defines it."""
        return f"{self.module}.{self.name}"


@dataclass
class Module:
    """A file of a package: its first line, and the public names that it defines."""

    name: str
    title: str
    names: list[PublicName] = field(default_factory=list)


def module_path(module: str) -> Path:
    """Return the file of a module or package, the stub of a package before its code."""
    base = SOURCES.joinpath(*module.split("."))
    choices = (base / "__init__.pyi", base / "__init__.py", base.with_suffix(".py"))
    return next(path for path in choices if path.is_file())


def code_path(module: str) -> Path:
    """Return the file that holds a module's code and docstring."""
    path = module_path(module)
    return path.with_suffix(".py") if path.suffix == ".pyi" else path


@cache
def parse(path: Path) -> ast.Module:
    """Parse a file once."""
    return ast.parse(path.read_text(encoding="utf-8"))


def module_docstring(module: str) -> str:
    """Return the docstring of a module or package."""
    return ast.get_docstring(parse(code_path(module))) or ""


def first_line(docstring: str) -> str:
    """Return the first line of a docstring without its full stop."""
    return docstring.partition("\n")[0].rstrip(".")


def imports(module: str) -> dict[str, str]:
    """Return the module of this project from which a module imports each name."""
    found = {}
    for node in parse(module_path(module)).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            source = f"{module}.{node.module}" if node.level else node.module
            found |= {alias.asname or alias.name: source for alias in node.names}
    return {name: source for name, source in found.items() if source.startswith("roilearn.")}


def exports(package: str) -> dict[str, str]:
    """Return the file that defines each public name of a package, in the stub's order."""
    return {name: defining_module(module, name) for name, module in imports(package).items()}


def defining_module(module: str, name: str) -> str:
    """Follow a name through the modules that hand it on to the file that defines it."""
    while name in imports(module):
        module = imports(module)[name]
    return module


def signature_of(function: ast.FunctionDef, *, method: bool) -> str:
    """Write a function's parameters with their defaults, types left out."""
    arguments = ast.parse(ast.unparse(function)).body[0].args  # type: ignore[attr-defined]
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        argument.annotation = None
    for rest in (arguments.vararg, arguments.kwarg):
        if rest is not None:
            rest.annotation = None
    if method and arguments.args:
        del arguments.args[0]
    return f"({ast.unparse(arguments)})"


def read_name(package: str, module: str, name: str) -> PublicName:
    """Read what a module's source says of one of its names.

    Raises
    ------
    LookupError: the module does not define the name at its top level.
    """
    body = parse(code_path(module)).body
    for node, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            signature = signature_of(node, method=False)
            docstring = ast.get_docstring(node) or ""
            return PublicName(name, package, module, "function", signature, docstring)
        if isinstance(node, ast.ClassDef) and node.name == name:
            return read_class(package, module, node)
        if name in assigned_names(node):
            return PublicName(name, package, module, "data", "", string_of(following))
    raise LookupError(f"{module} does not define {name}, which {package} lists")


def assigned_names(node: ast.stmt) -> set[str]:
    """Return the names that a statement assigns to."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AnnAssign):
        targets = [node.target]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def string_of(node: ast.stmt | None) -> str:
    """Return the text of a statement that is a lone string: the docstring of a constant."""
    value = node.value if isinstance(node, ast.Expr) else None
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


def read_class(package: str, module: str, node: ast.ClassDef) -> PublicName:
    """Read a class and its public methods that have a docstring."""
    functions = {part.name: part for part in node.body if isinstance(part, ast.FunctionDef)}
    start = functions.get("__init__")
    methods = tuple(
        PublicName(
            f"{node.name}.{name}",
            package,
            module,
            "method",
            signature_of(function, method=True),
            ast.get_docstring(function) or "",
        )
        for name, function in functions.items()
        if not name.startswith("_") and ast.get_docstring(function)
    )
    signature = signature_of(start, method=True) if start else ""
    docstring = ast.get_docstring(node) or ""
    return PublicName(node.name, package, module, "class", signature, docstring, methods)


@cache
def read_package(package: str) -> tuple[Module, ...]:
    """Read a package: its files in the order of the stub, each with its public names."""
    modules: dict[str, Module] = {}
    for name, module in exports(package).items():
        title = first_line(module_docstring(module))
        place = modules.setdefault(module, Module(module, title))
        place.names.append(read_name(package, module, name))
    return tuple(modules.values())
