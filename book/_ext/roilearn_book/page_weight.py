"""What no page need load: an icon script, unused icons, needless MathJax, source maps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fontTools import subset
from fontTools.ttLib import TTFont

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

TEMPLATES = Path(__file__).parent / "templates"
ICON_SCRIPT = "scripts/fontawesome.js"
ICON_NAME = re.compile(r"\bfa-[a-z0-9-]+")
RULE = re.compile(r"([^{}]*)\{[^{}]*content:\s*\"\\([0-9a-f]{2,5})\"")
MAP_COMMENT = re.compile(rb"\s*(?://# sourceMappingURL=\S+|/\*# sourceMappingURL=\S+ ?\*/)\s*$")


def add_templates(_app: Sphinx, config: Config) -> None:
    """Put our templates before the theme's: one of them leaves the icon script out."""
    config.templates_path.append(str(TEMPLATES))


def leave_mathjax_out(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object
) -> None:
    """Drop MathJax from a page without mathematics.

    Sphinx counts the mathematics of all pages below a page in the table of contents as its own.
    """
    if 'class="math' not in context.get("body", ""):
        context["script_files"] = [
            script for script in context["script_files"] if "mathjax" not in str(script)
        ]


def remove_unused_files(app: Sphinx, error: Exception | None) -> None:
    """Delete source maps, with the comments that name them, and the icon script."""
    if error is not None or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    for path in [*static.rglob("*.map"), static / ICON_SCRIPT]:
        path.unlink(missing_ok=True)
    for path in [*static.rglob("*.js"), *static.rglob("*.css")]:
        content = path.read_bytes()
        shorter = MAP_COMMENT.sub(b"\n", content)
        if shorter != content:
            path.write_bytes(shorter)


def used_icons(site: Path) -> set[int]:
    """Return the code points of the icons that pages, scripts or style sheets of a site show."""
    scripts = [*site.rglob("*.html"), *(site / "_static" / "scripts").glob("*.js")]
    named = {name for path in scripts for name in ICON_NAME.findall(path.read_text("utf-8"))}
    found = set()
    for sheet in (site / "_static" / "styles").glob("*.css"):
        for selectors, code in RULE.findall(sheet.read_text(encoding="utf-8")):
            icons = set(ICON_NAME.findall(selectors))
            if not icons or icons & named:
                found.add(int(code, 16))
    return found


def shorten_icon_fonts(app: Sphinx, error: Exception | None) -> None:
    """Keep in the theme's icon fonts only the icons that the site shows."""
    fonts = Path(app.outdir) / "_static" / "vendor" / "fontawesome" / "webfonts"
    if error is not None or app.builder.format != "html":
        return
    icons = used_icons(Path(app.outdir))
    for path in fonts.glob("*.woff2"):
        font = TTFont(path)
        subsetter = subset.Subsetter(subset.Options(drop_tables=["FFTM"]))
        subsetter.populate(unicodes=icons)
        subsetter.subset(font)
        font.save(path)
        path.with_suffix(".ttf").unlink(missing_ok=True)


def setup(app: Sphinx) -> None:
    """Filter scripts after every extension has added its own."""
    app.connect("config-inited", add_templates)
    app.connect("html-page-context", leave_mathjax_out, priority=900)
    app.connect("build-finished", remove_unused_files)
    app.connect("build-finished", shorten_icon_fonts)
