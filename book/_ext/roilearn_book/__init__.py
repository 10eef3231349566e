"""What the book adds to Sphinx: live figures, captions, folded sections, drawings, one address.

Each module holds one of these and its own ``setup``.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import roilearn
from roilearn_book import (
    api_pages,
    assets,
    benchmark,
    captions,
    chinese_terms,
    command_line,
    detector_map,
    drawings,
    explorable,
    in_depth,
    notebook_figures,
    page_weight,
    palette_table,
    repository_url,
)

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PARTS = (
    api_pages,
    assets,
    benchmark,
    captions,
    chinese_terms,
    command_line,
    detector_map,
    drawings,
    explorable,
    in_depth,
    notebook_figures,
    page_weight,
    palette_table,
    repository_url,
)


def sources_version() -> int:
    """Return a number for the state of this extension and of the package whose figures it draws.

    Sphinx reads every page again when the number changes.
    """
    folders = (Path(__file__).parent, Path(roilearn.__file__).parent)
    files = [path for folder in folders for path in folder.rglob("*.*") if path.suffix != ".pyc"]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(files)))
    return int(digest.hexdigest()[:12], 16)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register every part with Sphinx."""
    for part in PARTS:
        part.setup(app)
    return {
        "env_version": sources_version(),
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
