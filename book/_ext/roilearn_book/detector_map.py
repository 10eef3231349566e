"""The map of the detector: the way of an image from its pixels to its masks, as one small SVG.

It stands on the landing page and, with the place of the chapter filled in, at the head of every
chapter. In the sources it is an ordinary picture, a file of ``book/images``, so that GitHub and
Jupyter show it; on the built page the same drawing stands inline and follows the page's theme.
``python book/tools/draw_detector_map.py`` writes the files.
"""

from __future__ import annotations

from html import escape
from pathlib import PurePath
from typing import TYPE_CHECKING

from docutils import nodes

from roilearn.palette import COLOURS
from roilearn_book.drawings import tag, text

if TYPE_CHECKING:
    from sphinx.application import Sphinx

NAME = "detector_map"
WIDTH, HEIGHT = 390, 150
BOX_HEIGHT = 42
TOP, BOTTOM = 27, 123  # middle lines of the two rows
STAGES = {
    "image": ("image", 40, TOP, 72),
    "backbone": ("backbone", 140, TOP, 88),
    "pyramid": ("pyramid", 242, TOP, 76),
    "proposals": ("proposals", 343, TOP, 86),
    "roi_operator": ("RoI operator", 292, BOTTOM, 120),
    "heads": ("heads", 150, BOTTOM, 76),
    "masks": ("masks", 42, BOTTOM, 76),
}
"""Of each stage, in the order of an image's way: its label, middle x, middle y and width."""
ARROWS = (
    (76, TOP, 96, TOP),
    (184, TOP, 204, TOP),
    (280, TOP, 300, TOP),
    (254, TOP + 21, 264, BOTTOM - 21),
    (330, TOP + 21, 320, BOTTOM - 21),
    (232, BOTTOM, 188, BOTTOM),
    (112, BOTTOM, 80, BOTTOM),
)
"""Start and end of each arrow."""
WAY = (
    "Map of the detector: an image goes through the backbone and the pyramid, which makes feature "
    "maps; the proposal network (RPN) finds boxes on them; the RoI operator cuts a small grid out "
    "of the maps for each box; the heads turn it into final boxes and masks."
)


def file_name(stage: str | None = None) -> str:
    """Name the file that holds the map with one stage filled in, or with none."""
    return f"{NAME}_{stage}.svg" if stage else f"{NAME}.svg"


def alt_text(stage: str | None = None) -> str:
    """Say what the map shows, and which stage is filled in."""
    return f"{WAY} Filled in: {STAGES[stage][0]}." if stage else WAY


def draw(stage: str | None = None, **attributes: object) -> str:
    """Draw the map with one stage filled in, or with none."""
    return tag(
        "svg",
        "".join(map(arrow, ARROWS))
        + text(246, 79, "maps", font_size=13, text_anchor="end")
        + text(338, 79, "boxes", font_size=13, text_anchor="start")
        + "".join(box(name, filled=name == stage) for name in STAGES),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=escape(alt_text(stage)),
        class_="drawing detector-map",
        **attributes,
    )


def box(name: str, *, filled: bool) -> str:
    """Draw one stage: outlined, or filled where the chapter is."""
    label, x, y, width = STAGES[name]
    colours = {"fill": "none", "stroke": "currentColor", "stroke_width": 1.3}
    if filled:
        colours = {"fill": COLOURS["align"], "stroke": COLOURS["align"], "stroke_width": 1.3}
    rectangle = tag(
        "rect",
        x=x - width / 2,
        y=y - BOX_HEIGHT / 2,
        width=width,
        height=BOX_HEIGHT,
        rx=7,
        **colours,
    )
    ink = {"fill": "#fff", "font_weight": 600} if filled else {}
    return rectangle + text(x, y + 5, label, **({"font_size": 14.5} | ink))


def arrow(ends: tuple[float, float, float, float]) -> str:
    """Draw an arrow between two stages, its head a triangle at the end."""
    x1, y1, x2, y2 = ends
    length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
    along = ((x2 - x1) / length, (y2 - y1) / length)
    neck = (x2 - 7 * along[0], y2 - 7 * along[1])
    side = (-3.6 * along[1], 3.6 * along[0])
    corners = (
        (x2, y2),
        (neck[0] + side[0], neck[1] + side[1]),
        (neck[0] - side[0], neck[1] - side[1]),
    )
    shaft = tag(
        "line", x1=x1, y1=y1, x2=f"{neck[0]:.1f}", y2=f"{neck[1]:.1f}",
        stroke="currentColor", stroke_width=1.5,
    )  # fmt: skip
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    return shaft + tag("polygon", points=points, fill="currentColor")


def as_file(stage: str | None = None) -> str:
    """Write the map as a file of its own: its ink follows the light or dark of the system."""
    ink = "svg{color:#1b1f24}@media(prefers-color-scheme:dark){svg{color:#e9edf2}}"
    drawing = draw(stage, xmlns="http://www.w3.org/2000/svg", width=WIDTH, height=HEIGHT)
    start = drawing.index(">") + 1
    font = 'font-family="system-ui, sans-serif"'
    return f"{drawing[: start - 1]} {font}><style>{ink}</style>{drawing[start:]}\n"


def set_inline(_app: Sphinx, doctree: nodes.document) -> None:
    """Replace each picture of the map by the drawing itself, which follows the page's theme."""
    for image in list(doctree.findall(nodes.image)):
        stem = PurePath(image["uri"]).stem
        if stem.startswith(NAME):
            stage = stem.removeprefix(NAME).removeprefix("_") or None
            image.replace_self(nodes.raw(text=draw(stage), format="html"))


def setup(app: Sphinx) -> None:
    """Set the drawings in before Sphinx collects the pictures of a page."""
    app.connect("doctree-read", set_inline, priority=400)
