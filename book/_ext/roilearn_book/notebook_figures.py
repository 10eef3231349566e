"""Figures of notebooks: alt text from output metadata, and live figures beside their stills."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util import logging

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

LOGGER = logging.getLogger(__name__)
STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"


def outputs(notebook: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every rich output stored in a notebook."""
    for cell in notebook["cells"]:
        yield from (output for output in cell.get("outputs", []) if "data" in output)


def image_alts(notebook: dict[str, Any]) -> dict[str, str]:
    """Alt text of each stored PNG, by the hash that myst-nb makes its file name from."""
    alts = {}
    for output in outputs(notebook):
        if "image/png" in output["data"]:
            content = base64.b64decode("".join(output["data"]["image/png"]))
            alt = output.get("metadata", {}).get("image/png", {}).get("alt", "")
            alts[hashlib.sha256(content).hexdigest()] = alt
    return alts


def join_live_figures(doctree: nodes.document) -> None:
    """Keep the still beside the widget, where myst-nb would choose one of the two."""
    for bundle in list(doctree.findall(nodes.container)):
        parts = {part.get("mime_type"): part for part in bundle.children if part.children}
        if bundle.get("nb_element") != "mime_bundle" or VIEW not in parts:
            continue
        figure = nodes.container(classes=["live-figure"])
        if "image/png" in parts:
            figure += parts["image/png"].children
        figure += parts[VIEW].children
        bundle.replace_self(figure)


def warn_of_unstored_widgets(notebook: dict[str, Any], location: str) -> None:
    """Warn where a live figure would be an empty box: no stored state, or no still."""
    stored = notebook["metadata"].get("widgets", {}).get(STATE, {}).get("state", {})
    for output in outputs(notebook):
        view = output["data"].get(VIEW)
        if not view:
            continue
        model = stored.get(view["model_id"])
        if model is None:
            LOGGER.warning("a widget's state is not stored in the notebook", location=location)
        elif model["model_module"] == "anywidget" and "image/png" not in output["data"]:
            LOGGER.warning("a live figure has no still (image/png)", location=location)


def describe_images(app: Sphinx, doctree: nodes.document) -> None:
    """Give notebook images their alt text; warn of any image that has none."""
    source = Path(app.env.doc2path(app.env.docname))
    alts: dict[str, str] = {}
    if source.suffix == ".ipynb":
        notebook = json.loads(source.read_text(encoding="utf-8"))
        alts = image_alts(notebook)
        warn_of_unstored_widgets(notebook, app.env.docname)
        join_live_figures(doctree)
    for image in doctree.findall(nodes.image):
        image.setdefault("alt", alts.get(Path(image["uri"]).stem, ""))
        if not image["alt"].strip():
            LOGGER.warning("image %s has no alt text", image["uri"], location=app.env.docname)


def setup(app: Sphinx) -> None:
    """Look at every page's figures once it is read."""
    app.connect("doctree-read", describe_images)
