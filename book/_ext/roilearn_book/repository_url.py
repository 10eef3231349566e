"""The repository's address stands in ``_config.yml`` alone: pages and links take it from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MARK = "@repository@"
REPORT = """**What the page says** (quote the sentence, or name the figure)

**What you expected, and why**

**Where you read or ran it** (browser, Colab, Binder, your machine)
"""


def fill_in(app: Sphinx, _docname: str, source: list[str]) -> None:
    """Replace the mark by the configured address, in links and in code blocks alike."""
    source[0] = source[0].replace(MARK, app.config.html_theme_options["repository_url"])


def prefill_reports(app: Sphinx, page: str, _t: str, context: dict[str, Any], _d: object) -> None:
    """Give the theme's "open issue" button questions to answer, in place of an empty text."""
    repository = app.config.html_theme_options["repository_url"]
    query = urlencode({"title": f"Page {page}: ", "body": REPORT})
    for group in context.get("header_buttons", []):
        for button in group.get("buttons", []):
            if button.get("label") == "source-issues-button":
                button["url"] = f"{repository}/issues/new?{query}"


def setup(app: Sphinx) -> None:
    """Fill the address in while pages are read; the theme makes its buttons at priority 501."""
    app.connect("source-read", fill_in)
    app.connect("html-page-context", prefill_reports, priority=600)
