"""The API reference: the ``{api}`` directive, links between chapters and functions, and sources.

A page says ``{api} roilearn.ops`` and gets every public name of that package, file by file, with
its docstring. Each name links to its source and to the chapter that prints or uses it; full names
in the text of other pages, those over the listings among them, link back.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx import addnodes
from sphinx.domains.python import PyClasslike, PyFunction, PyMethod, PyVariable
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective

from roilearn_book.api_docstrings import docstring_nodes, inline
from roilearn_book.api_reader import (
    Module,
    PublicName,
    code_path,
    module_docstring,
    read_package,
)

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PACKAGES = ("ops", "reference", "models", "data", "train", "exercises", "explore")
OBJECTS = {"function": PyFunction, "class": PyClasslike, "method": PyMethod, "data": PyVariable}
LISTED = re.compile(r"`(roilearn(?:\.\w+)+)`")
USED = re.compile(r"\b(" + "|".join(PACKAGES) + r")\.(\w+)")


class Api(SphinxDirective):
    """``{api} PACKAGE``: every public name of a package, in sections by file."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the package's introduction and one section for each of its files."""
        package = self.arguments[0]
        self.chapters = chapters_of(str(self.env.srcdir), tuple(chapter_files(self.env)))
        introduction = docstring_nodes(module_docstring(package))
        return [*introduction, *(self.section(module) for module in read_package(package))]

    def section(self, module: Module) -> nodes.section:
        """Return the section of a file: its first line, its path, its names."""
        identifier = nodes.make_id(f"file-{module.name}")
        section = nodes.section(ids=[identifier], names=[identifier])
        title, text = title_and_text(module.title)
        section += nodes.title(title, "", *inline(title))
        path = nodes.literal("", str(relative(code_path(module.name))))
        section += nodes.paragraph("", "", *inline(f"{text} File: ".lstrip()), path)
        for name in module.names:
            section += self.entry(name)
        return section

    def entry(self, name: PublicName) -> list[nodes.Node]:
        """Return the description of one name, as Sphinx's Python domain makes it."""
        options: dict[str, Any] = {"module": name.package}
        directive = OBJECTS[name.kind](
            f"py:{name.kind}",
            [name.name + name.signature],
            options,
            StringList(),
            self.lineno,
            self.content_offset,
            self.block_text,
            self.state,
            self.state_machine,
        )
        made = directive.run()
        content = made[-1][-1]
        content += docstring_nodes(name.docstring)
        content += self.chapter_links(name)
        for method in name.methods:
            content += self.entry(method)
        return made

    def chapter_links(self, name: PublicName) -> list[nodes.Node]:
        """Return a line that names the chapters in which the function is explained."""
        found = self.chapters.get(name.source_name) or self.chapters.get(name.full_name)
        if found is None:
            return []
        reference = addnodes.pending_xref(
            "",
            nodes.inline("", ""),
            refdomain="std",
            reftype="doc",
            reftarget=f"/{found}",
            refexplicit=False,
            refwarn=True,
            refdoc=self.env.docname,
        )
        return [nodes.paragraph("", "Explained in: ", reference, classes=["api-chapter"])]


def title_and_text(first_line: str) -> tuple[str, str]:
    """Split a file's first line at its colon into a short heading and a sentence."""
    title, _, text = first_line.partition(": ")
    return title, f"{text[:1].upper()}{text[1:]}." if text else ""


def relative(path: Path) -> Path:
    """Return a source file's path as it stands in the repository."""
    return Path("src", *path.parts[path.parts.index("roilearn") :])


def chapter_files(env: Any) -> list[str]:
    """Return the names of all notebooks, in the order of the book."""
    return sorted(name for name in env.found_docs if name.startswith("notebooks/"))


@cache
def chapters_of(folder: str, documents: tuple[str, ...]) -> dict[str, str]:
    """Return the chapter of each name: the first to print its source, else the first to use it."""
    printed: dict[str, str] = {}
    used: dict[str, str] = {}
    for document in documents:
        notebook = json.loads(Path(folder, f"{document}.ipynb").read_text(encoding="utf-8"))
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        for cell in code:
            for output in cell["outputs"]:
                text = "".join(output.get("data", {}).get("text/markdown", ""))
                for name in LISTED.findall(text):
                    printed.setdefault(name, document)
            for package, name in USED.findall("".join(cell["source"])):
                used.setdefault(f"roilearn.{package}.{name}", document)
    return used | printed


@cache
def public_names() -> dict[str, str]:
    """Return the public name of everything, by that name and by the name in its source file."""
    found = {}
    for package in PACKAGES:
        for module in read_package(f"roilearn.{package}"):
            for name in module.names:
                found[name.source_name] = found[name.full_name] = name.full_name
    return found


def link_names(app: Sphinx, doctree: nodes.document) -> None:
    """Turn code in the text that is the full name of a public thing into a link to it."""
    names = public_names()
    for literal in list(doctree.findall(nodes.literal)):
        target = names.get(literal.astext())
        if target is None or isinstance(literal.parent, nodes.reference | nodes.term):
            continue
        reference = addnodes.pending_xref(
            "",
            literal.deepcopy(),
            refdomain="py",
            reftype="obj",
            reftarget=target,
            refexplicit=True,
            refwarn=False,
            refdoc=app.env.docname,
        )
        literal.replace_self(reference)


def find_source(_app: Sphinx, module: str) -> tuple[str, dict[str, Any]] | None:
    """Give Sphinx's viewcode a module's text and the lines of its definitions, unimported."""
    if not module.startswith("roilearn."):
        return None
    code = code_path(module).read_text(encoding="utf-8")
    analyzer = ModuleAnalyzer.for_string(code, module)
    return code, analyzer.find_tags()


def find_module(_app: Sphinx, package: str, name: str) -> str | None:
    """Tell Sphinx's viewcode which file defines a public name of a package."""
    for module in read_package(package) if package in map("roilearn.{}".format, PACKAGES) else ():
        if any(public.name == name.partition(".")[0] for public in module.names):
            return module.name
    return None


def setup(app: Sphinx) -> None:
    """Add the directive, the links and the source pages."""
    app.setup_extension("sphinx.ext.viewcode")
    app.add_directive("api", Api)
    app.connect("doctree-read", link_names)
    app.connect("viewcode-find-source", find_source)
    app.connect("viewcode-follow-imported", find_module)
