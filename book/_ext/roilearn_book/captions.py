"""Numbered captions: a paragraph that begins with ``**Figure 4.2.**`` is the caption above it.

In Jupyter it is plain text. On the built page it looks like a caption, has the address
``#figure-4-2``, and every mention of "Figure 4.2" on the page is a link to it. A mention of one of
the page's own figures that has no caption is a warning, and so ends the build.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LOGGER = logging.getLogger(__name__)
HEAD = re.compile(r"Figure (\d+[a-z]?\.\d+)\.")
MENTION = re.compile(r"(Figure (\d+[a-z]?\.\d+)\b)")
NOT_PROSE = (nodes.strong, nodes.title, nodes.reference, nodes.literal, nodes.literal_block)


def address(number: str) -> str:
    """Return the anchor of a figure's caption."""
    return f"figure-{number.replace('.', '-')}"


def number_of(paragraph: nodes.paragraph) -> str | None:
    """Return the number of the figure that a paragraph is the caption of."""
    first = next((child for child in paragraph.children if child.astext()), None)
    found = isinstance(first, nodes.strong) and HEAD.fullmatch(first.astext())
    return found[1] if found else None


def mark(app: Sphinx, doctree: nodes.document) -> None:
    """Mark the captions of a page and link what mentions them."""
    captions = {n: p for p in doctree.findall(nodes.paragraph) if (n := number_of(p))}
    for number, paragraph in captions.items():
        paragraph["classes"].append("caption")
        paragraph["ids"].append(address(number))
    chapters = {number.partition(".")[0] for number in captions}
    for mention in list(doctree.findall(nodes.Text)):
        if "Figure " in mention and not is_inside(mention, NOT_PROSE):
            parts = link(mention, set(captions), chapters, app.env.docname)
            mention.parent.replace(mention, parts)


def is_inside(node: nodes.Node, kinds: tuple[type, ...]) -> bool:
    """Say whether a node stands inside one of these kinds."""
    while node := node.parent:
        if isinstance(node, kinds):
            return True
    return False


def link(mention: nodes.Text, captions: set[str], chapters: set[str], page: str) -> list:
    """Split a text at the figures that it names, and make a link of each one on this page."""
    parts: list[nodes.Node] = []
    pieces = MENTION.split(mention.astext())
    for before, words, number in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=False):
        parts.append(nodes.Text(before))
        if number in captions:
            parts.append(nodes.reference("", words, refuri=f"#{address(number)}", internal=True))
        else:
            parts.append(nodes.Text(words))
            if number.partition(".")[0] in chapters:
                LOGGER.warning("%s is named and has no caption", words, location=page)
    return [*parts, nodes.Text(pieces[-1])]


def setup(app: Sphinx) -> None:
    """Look at every page once it is read."""
    app.connect("doctree-read", mark)
