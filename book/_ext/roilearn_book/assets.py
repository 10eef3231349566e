"""The style sheet, the page scripts and the palette, on every page."""

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


def mend_citation_lists(_app: Sphinx, _p: str, _t: str, context: dict[str, Any], _: Any) -> None:
    """Drop the list role of bibliographies: docutils gives their entries no list item's role."""
    if "body" in context:
        context["body"] = context["body"].replace('<div role="list" class="cit', '<div class="cit')


def setup(app: Sphinx) -> None:
    """Link ``book.css`` and the scripts, which run after the page is parsed."""
    app.connect("config-inited", add_static_folder)
    app.connect("html-page-context", add_palette)
    app.connect("html-page-context", mend_citation_lists)
    app.add_css_file("book.css", priority=900)
    for script in ("live_figures.js", "page.js"):
        app.add_js_file(script, loading_method="defer")
