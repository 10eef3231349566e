"""Docstrings as nodes of a page: paragraphs, sections such as Parameters, and examples.

The package's docstrings are numpydoc's in form, but what follows the colon of a parameter is prose,
not a type, and a section may have any name. Text between double back-quotes is code.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docutils import nodes

if TYPE_CHECKING:
    from collections.abc import Iterator

UNDERLINED = re.compile(r"^(?P<title>[A-Z][^\n]*)\n-{3,}$", re.MULTILINE)
CODE = re.compile(r"``(.+?)``", re.DOTALL)
ENTRY = re.compile(r"^(?P<name>\*{0,2}[A-Za-z_][\w., *]*?)\s*:\s+(?P<text>.*)$", re.DOTALL)
LISTED = {"Parameters", "Attributes", "Raises"}
"""Sections whose entries each begin with a name and a colon."""


def docstring_nodes(docstring: str) -> list[nodes.Node]:
    """Return the nodes of a docstring, its named sections as a definition list."""
    head, *rest = UNDERLINED.split(docstring)
    found = list(blocks(head))
    sections = nodes.definition_list(classes=["docstring-sections"])
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        term = nodes.term("", title)
        content = entries(body) if title in LISTED else list(blocks(body))
        sections += nodes.definition_list_item("", term, nodes.definition("", *content))
    return [*found, sections] if rest else found


def entries(body: str) -> list[nodes.Node]:
    """Return a list of named entries; what is indented below one belongs to it."""
    items = nodes.bullet_list(classes=["docstring-entries"])
    for text in re.split(r"\n(?=\S)", body.strip("\n")):
        match = ENTRY.match(text)
        paragraph = nodes.paragraph()
        if match:
            paragraph += [nodes.strong("", "", nodes.literal("", match["name"])), nodes.Text(": ")]
        described = match["text"] if match else text
        paragraph += inline(re.sub(r"\s+", " ", described.strip()))
        items += nodes.list_item("", paragraph)
    return [items]


def blocks(text: str) -> Iterator[nodes.Node]:
    """Yield the paragraphs, bullet lists and examples of a text."""
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        lines = block.splitlines()
        if not block.strip():
            continue
        if lines[0].lstrip().startswith(">>>"):
            code = nodes.literal_block(block, block, language="pycon")
            yield code
        elif all(re.match(r"\s*[-*] |\s{2,}", line) for line in lines):
            yield bullets(block)
        else:
            yield nodes.paragraph("", "", *inline(re.sub(r"\s+", " ", block.strip())))


def bullets(block: str) -> nodes.Node:
    """Return a bullet list; a block that is only indented is a list of its lines' text."""
    items = nodes.bullet_list()
    for text in re.split(r"\n(?=\s*[-*] )", block):
        body = re.sub(r"^\s*[-*] ", "", text)
        items += nodes.list_item("", nodes.paragraph("", "", *inline(re.sub(r"\s+", " ", body))))
    return items


def inline(text: str) -> list[nodes.Node]:
    """Return text with its code marked."""
    pieces = CODE.split(text)
    return [
        nodes.literal(piece, piece) if index % 2 else nodes.Text(piece)
        for index, piece in enumerate(pieces)
        if piece
    ]
