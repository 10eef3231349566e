"""The ``drawing`` directive: the coordinate pages' pictures, computed and drawn as SVG.

They stand inline in the page, so that lines and text follow the theme (``currentColor``).
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from roilearn.palette import COLOURS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sphinx.application import Sphinx

CELL = 96  # side of a drawn cell, in SVG units
SHADES = (
    (0.06, 0.16, 0.30, 0.18, 0.08),
    (0.12, 0.34, 0.46, 0.26, 0.10),
    (0.05, 0.20, 0.28, 0.15, 0.05),
)


class Drawing(NamedTuple):
    """A finished picture: its size, its SVG elements and what is to be seen in it."""

    width: float
    height: float
    body: str
    alt: str


def tag(name: str, content: str = "", **attributes: object) -> str:
    """Write one SVG element; underscores in attribute names stand for hyphens."""
    listed = "".join(f' {k.rstrip("_").replace("_", "-")}="{v}"' for k, v in attributes.items())
    return f"<{name}{listed}>{content}</{name}>"


def line(x1: float, y1: float, x2: float, y2: float, **style: object) -> str:
    """Draw a line in the page's ink."""
    ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    return tag("line", **(ends | {"stroke": "currentColor", "stroke_width": 1.5} | style))


def text(x: float, y: float, content: str, **style: object) -> str:
    """Write a centred label in the page's ink."""
    base = {"x": x, "y": y, "text_anchor": "middle", "font_size": 17, "fill": "currentColor"}
    return tag("text", escape(content), **(base | style))


def cells(rows: int, columns: int, side: float) -> str:
    """Draw the map as grey cells with a dot at each centre."""
    squares = [
        tag("rect", x=c * side, y=r * side, width=side, height=side, fill="currentColor",
            fill_opacity=SHADES[r][c], stroke="currentColor", stroke_opacity=0.35)
        + tag("circle", cx=(c + 0.5) * side, cy=(r + 0.5) * side, r=3.5, fill="currentColor")
        for r in range(rows)
        for c in range(columns)
    ]  # fmt: skip
    return "".join(squares)


def ruler(y: float, places: list[float], labels: list[str], name: str, side: int) -> str:
    """Draw a horizontal axis: ticks towards the map, numbers and a name away from it."""
    start, end = places[0], places[-1]
    ticks = "".join(line(x, y, x, y - 8 * side) for x in places)
    numbers = "".join(
        text(x, y + side * 20 + 6, label) for x, label in zip(places, labels, strict=True)
    )
    title = text((start + end) / 2, y + side * 46 + 6, name, font_style="italic")
    return line(start, y, end, y) + ticks + numbers + title


def box_outline(x1: float, y1: float, x2: float, y2: float, side: float) -> str:
    """Draw the box as given, over the map."""
    return tag("rect", x=x1 * side, y=y1 * side, width=(x2 - x1) * side, height=(y2 - y1) * side,
               fill=COLOURS["align"], fill_opacity=0.10, stroke="currentColor",
               stroke_width=3.5, class_="true-box")  # fmt: skip


def pixels() -> Drawing:
    """Draw pixels with the continuous ruler above, the index ruler below, a box and a point."""
    edges = [CELL * i for i in range(6)]
    centres = [CELL * (i + 0.5) for i in range(5)]
    x, y = 2.9, 1.8
    point = tag(
        "circle", cx=x * CELL, cy=y * CELL, r=7, fill=COLOURS["sample"], stroke="currentColor"
    )
    guide = {"stroke": COLOURS["sample"], "stroke_width": 2, "stroke_dasharray": "5 4"}
    body = (
        cells(3, 5, CELL)
        + box_outline(1.3, 0.7, 3.6, 2.4, CELL)
        + line(x * CELL, -18, x * CELL, 3 * CELL + 18, **guide)
        + point
        + text(1.3 * CELL - 9, 0.7 * CELL + 6, "1.3, 0.7", text_anchor="end")
        + text(3.6 * CELL + 9, 2.4 * CELL + 1, "3.6, 2.4", text_anchor="start")
        + ruler(
            -18, edges, [str(i) for i in range(6)], "continuous x: pixel i covers i to i + 1", -1
        )
        + ruler(
            3 * CELL + 18, centres, [str(i) for i in range(5)], "index column: value i sits at i", 1
        )
        + text(x * CELL - 14, y * CELL - 4, "x = 2.9", text_anchor="end")
        + text(x * CELL - 14, y * CELL + 17, "column = 2.4", text_anchor="end")
    )
    alt = (
        "Five by three grey pixels with a dot at each centre. The ruler above numbers the pixel"
        " edges 0 to 5 (continuous x); the ruler below numbers the centres 0 to 4 (index column)."
        " A box runs from x 1.3 to 3.6 and y 0.7 to 2.4. One point stands at x = 2.9, which is"
        " column 2.4."
    )
    return Drawing(5 * CELL, 3 * CELL, body, alt)


def strides() -> Drawing:
    """Draw one box over a stride-16 map: the image's ruler above, the map's below."""
    side, stride = CELL, 16
    edges = [side * i for i in range(6)]
    x1, y1, x2, y2 = 20, 10, 60, 40
    body = (
        cells(3, 5, side)
        + box_outline(x1 / stride, y1 / stride, x2 / stride, y2 / stride, side)
        + text(x1 / stride * side + 8, y1 / stride * side + 22, "x1 = 20 px = 1.25 cells",
               text_anchor="start")
        + ruler(-18, edges, [str(stride * i) for i in range(6)], "x in image pixels", -1)
        + ruler(3 * side + 18, edges, [str(i) for i in range(6)], "x in cells, stride 16", 1)
    )  # fmt: skip
    alt = (
        "The same grid as a feature map of stride 16. The ruler above counts image pixels, 0 to 80"
        " in steps of 16; the ruler below counts cells, 0 to 5. A box from 20 to 60 pixels runs"
        " from 1.25 to 3.75 cells, between the cell edges."
    )
    return Drawing(5 * side, 3 * side, body, alt)


DRAWINGS: dict[str, Callable[[], Drawing]] = {"pixels": pixels, "strides": strides}


def svg(drawing: Drawing) -> str:
    """Frame the whole picture, with room for its rulers."""
    margin, rulers = 24, 84
    box = f"{-margin} {-rulers} {drawing.width + 2 * margin} {drawing.height + 2 * rulers}"
    return tag(
        "svg",
        drawing.body,
        viewBox=box,
        role="img",
        aria_label=escape(drawing.alt),
        class_="drawing",
    )


class DrawingDirective(SphinxDirective):
    """``{drawing} name``: the picture, with the content as its caption."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return a figure with the SVG and the caption."""
        figure = nodes.container(classes=["drawn-figure"])
        figure += nodes.raw(text=svg(DRAWINGS[self.arguments[0]]()), format="html")
        caption = self.parse_inline(" ".join(self.content), lineno=self.lineno)[0]
        figure += nodes.paragraph("", "", *caption, classes=["caption"])
        return [figure]


def setup(app: Sphinx) -> None:
    """Add the directive."""
    app.add_directive("drawing", DrawingDirective)
