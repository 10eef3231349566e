"""Glossary terms in Chinese are marked as Chinese, so that screen readers pronounce them."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

CHINESE = re.compile("[\N{CJK UNIFIED IDEOGRAPH-4E00}-\N{CJK UNIFIED IDEOGRAPH-9FFF}]")


def mark(_app: Sphinx, doctree: nodes.document) -> None:
    """Put each Chinese term into a span that says so."""
    for term in doctree.findall(nodes.term):
        if CHINESE.search(term.astext()):
            span = f'<span lang="zh-Hans">{escape(term.astext())}</span>'
            for text in list(term.findall(nodes.Text)):
                text.parent.replace(text, nodes.raw(text=span, format="html"))


def setup(app: Sphinx) -> None:
    """Mark the terms once a page is read."""
    app.connect("doctree-read", mark)
