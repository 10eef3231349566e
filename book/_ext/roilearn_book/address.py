"""The repository's address stands in ``_config.yml`` alone; pages write a mark for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MARK = "@repository@"


def fill_in(app: Sphinx, _docname: str, source: list[str]) -> None:
    """Replace the mark by the configured address, in links and in code blocks alike."""
    source[0] = source[0].replace(MARK, app.config.html_theme_options["repository_url"])


def setup(app: Sphinx) -> None:
    """Fill the address in while pages are read."""
    app.connect("source-read", fill_in)
