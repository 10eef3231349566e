"""The ``colours`` directive: the table of colours, read from ``roilearn.palette``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from roilearn import palette

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MEANINGS = {
    "pool": "RoIPool: what it reads and returns",
    "align": "RoIAlign: what it reads and returns",
    "exact": "the exact integral, the limit of ever more samples",
    "box": "the box as given, the ground truth",
    "sample": "a sampling point",
    "bin": "a bin of the output grid",
    "gradient": "what flows back in training",
    "loss": "what rounding loses",
}


def swatch(colour: str) -> str:
    """Show one colour as a small square and its code."""
    square = f'<rect x="1" y="1" width="26" height="14" rx="3" fill="{colour}"/>'
    return (
        f'<svg class="swatch" width="28" height="16" aria-hidden="true">{square}</svg>'
        f" <code>{colour}</code>"
    )


def row(name: str, colour: str) -> str:
    """Write one row of the table; the box has a second colour on a dark page."""
    swatches = swatch(colour)
    if name == "box":
        swatches += f"<br>{swatch(palette.BOX_ON_DARK)} on a dark page"
    return f"<tr><td>{swatches}</td><td><code>{name}</code></td><td>{MEANINGS[name]}</td></tr>"


class Colours(SphinxDirective):
    """``{colours}``: one row for every entry of ``palette.COLOURS``."""

    def run(self) -> list[nodes.Node]:
        """Return the table as HTML; a colour without a stated meaning fails the build."""
        rows = "".join(row(name, colour) for name, colour in palette.COLOURS.items())
        head = "<tr><th>Colour</th><th>Name in the code</th><th>What it always means</th></tr>"
        table = f'<table class="table colours"><thead>{head}</thead><tbody>{rows}</tbody></table>'
        wrapped = f'<div class="pst-scrollable-table-container">{table}</div>'
        return [nodes.raw(text=wrapped, format="html")]


def setup(app: Sphinx) -> None:
    """Add the directive."""
    app.add_directive("colours", Colours)
