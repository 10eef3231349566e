"""What the book adds to Sphinx: live figures, alt text, drawings, and one address for links.

Each module holds one of these and its own ``setup``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from roilearn_book import address, assets, drawings, explorable, notebook_figures, palette_table

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Register every part with Sphinx."""
    for part in (address, assets, drawings, explorable, notebook_figures, palette_table):
        part.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
