"""*In depth* sections: ordinary sections in the source, folded on the built page.

A section whose heading begins with ``In depth:`` becomes a ``<details>`` element whose summary is
the heading. ``page.js`` opens it for a link to something inside, and for print.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MARK = "In depth:"


def fold(app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """Put the contents of each such section into a ``<details>`` element."""
    if app.builder.format != "html":
        return
    for section in list(doctree.findall(nodes.section)):
        title, *contents = section.children
        if title.astext().startswith(MARK):
            section["classes"].append("in-depth")
            section.children = []
            section += [html("<details><summary>"), title, html("</summary>")]
            section += [*contents, html("</details>")]


def html(text: str) -> nodes.raw:
    """Return a piece of HTML."""
    return nodes.raw(text=text, format="html")


def setup(app: Sphinx) -> None:
    """Fold the sections once the side bar's table of contents has been made from them."""
    app.connect("doctree-resolved", fold)
