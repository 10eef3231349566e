"""The ``explorable`` directive: a live figure of ``roilearn.explore`` in a page without code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from sphinx.util.docutils import SphinxDirective
from sphinx.util.osutil import relpath

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FIGURE = "application/vnd.roilearn.figure+json"


def stored_state(widget: Any) -> dict[str, Any]:
    """Return what a notebook would store of the widget: its traits, module text and style."""
    from ipywidgets.embed import embed_data  # noqa: PLC0415 - only when a page has a live figure

    models = embed_data(views=[widget], drop_defaults=False)["manager_state"]["state"]
    model = models[widget.model_id]
    model["state"] = {k: v for k, v in model["state"].items() if k != "layout"}
    return model


class Explorable(SphinxDirective):
    """``{explorable} ClassName``: the figure in its opening state, its still, and a caption."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Return the still, the state for the page script, and the caption."""
        from roilearn import explore  # noqa: PLC0415

        name = self.arguments[0]
        widget = getattr(explore, name)()
        figure = nodes.container(classes=["live-figure"])
        figure += nodes.image(uri=self.write_still(name, widget), alt=widget.alt)
        state = json.dumps(stored_state(widget), sort_keys=True).replace("</", "<\\/")
        figure += nodes.raw(text=f'<script type="{FIGURE}">{state}</script>', format="html")
        if self.content:
            figure += nodes.paragraph("", "", *self.parse_caption(), classes=["caption"])
        return [figure]

    def parse_caption(self) -> list[nodes.Node]:
        """Parse the directive's content as one inline text."""
        return self.parse_inline(" ".join(self.content), lineno=self.lineno)[0]

    def write_still(self, name: str, widget: Any) -> str:
        """Write the figure's still beside the build; return its address for Sphinx."""
        folder = Path(self.env.app.outdir).parent / "stills"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.png"
        path.write_bytes(widget.still())
        return "/" + relpath(path, self.env.srcdir)


def setup(app: Sphinx) -> None:
    """Add the directive."""
    app.add_directive("explorable", Explorable)
