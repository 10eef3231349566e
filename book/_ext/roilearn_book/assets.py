"""The style sheet, the page script and the palette, on every page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from roilearn.palette import BOX_ON_DARK, COLOURS

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

STATIC = Path(__file__).parent / "static"


def add_static_folder(_app: Sphinx, config: Config) -> None:
    """Add our folder late: Jupyter Book links every file of folders named in ``_config.yml``."""
    config.html_static_path.append(str(STATIC))


def add_palette(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _: Any) -> None:
    """Hand the palette to the style sheet, which names no colour of a thing itself."""
    colours = COLOURS | {"box-on-dark": BOX_ON_DARK}
    variables = "".join(f"--palette-{name}: {colour};" for name, colour in colours.items())
    context["metatags"] = context.get("metatags", "") + f"<style>:root {{{variables}}}</style>"


def setup(app: Sphinx) -> None:
    """Link ``book.css`` and, after the page is parsed, ``live_figures.js``."""
    app.connect("config-inited", add_static_folder)
    app.connect("html-page-context", add_palette)
    app.add_css_file("book.css", priority=900)
    app.add_js_file("live_figures.js", loading_method="defer")
