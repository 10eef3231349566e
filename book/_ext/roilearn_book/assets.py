"""The style sheet and the page script, on every page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

STATIC = Path(__file__).parent / "static"


def add_static_folder(_app: Sphinx, config: Config) -> None:
    """Add our folder late: Jupyter Book links every file of folders named in ``_config.yml``."""
    config.html_static_path.append(str(STATIC))


def setup(app: Sphinx) -> None:
    """Link ``book.css`` and, after the page is parsed, ``live_figures.js``."""
    app.connect("config-inited", add_static_folder)
    app.add_css_file("book.css", priority=900)
    app.add_js_file("live_figures.js", loading_method="defer")
