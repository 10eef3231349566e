"""Appearance of the live figures: phone width, dark mode, file://, reduced motion."""

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from roilearn import explore, palette

FIGURES = [
    explore.InterpolationWeights,
    explore.ResizeGrids,
    explore.Quantization,
    explore.PoolAndAlign,
    explore.SlidingBox,
    explore.BinMean,
    explore.BagMatrix,
    explore.ReceptiveField,
    explore.LevelOfBox,
    explore.AnchorsAtPoint,
    explore.NmsSteps,
    explore.DetectionTargets,
    explore.PasteMask,
    explore.AveragePrecision,
    explore.ErrorKinds,
    explore.LayerDifferences,
    explore.LossCurves,
]
# States whose numbers have more digits than those of the opening one.
WIDE = {
    explore.InterpolationWeights: {"values": [[32, 96], [16, 80]], "x": 1.25, "y": 1.0},
    explore.PoolAndAlign: {"features": np.full((4, 5), 99.0), "output_size": [4, 4]},
    explore.SlidingBox: {"features": np.full((4, 5), 99.0)},
    explore.BinMean: {"features": np.full((7, 8), 99.0)},
    explore.BagMatrix: {
        "features": np.full((6, 6), 99.5),
        "output_size": [3, 3],
        "sampling_ratio": 0,
    },
    explore.ReceptiveField: {"network": "resnet50", "level": 4, "cell": [0, 0]},
    explore.LevelOfBox: {"box": [0.5, 0, 1000, 787.5], "levels": [2, 6], "canonical_scale": 112},
    explore.AnchorsAtPoint: {"box": [4, 36.5, 24.5, 68.5], "stride": 16, "size": 36, "offset": 0},
    explore.NmsSteps: {"boxes": [[0, 0, 160, 128]] * 6, "classes": ["triangle"] * 6, "step": 2},
    explore.DetectionTargets: {"box": [120.5, 108.25, 150.75, 127.5], "thresholds": [0.05, 0.1]},
    explore.ErrorKinds: {"boxes": [[0, 0, 160, 128]] * 5, "classes": ["triangle"] * 5},
    explore.PasteMask: {"shape": "disc", "side": 7, "box": [33, 0, 124.25, 84], "rounded": True},
    explore.AveragePrecision: {"scores": [1.0] * 12, "chosen": "L", "ties": "worst"},
    explore.LayerDifferences: {"port": "C", "revealed": True},
    explore.LossCurves: {"patient": "D", "point": 8, "told": True},
}
PHONE = {"viewport": {"width": 360, "height": 700}, "device_scale_factor": 2}

TEXT_SIZES = """() => [...document.querySelectorAll(".roi-figure *")]
  .filter((node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim()))
  .map((node) => {
    const svg = node.ownerSVGElement;
    const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
    return [parseFloat(getComputedStyle(node).fontSize) * scale, node.textContent];
  })"""

OUTSIDE = """() => {
  const edge = document.querySelector(".roi-figure").getBoundingClientRect();
  return [...document.querySelectorAll(".roi-figure :is(p, td, th, text, button, label, input)")]
    .map((node) => [node.getBoundingClientRect(), node.textContent])
    .filter(([box]) => box.width > 0 && (box.left < edge.left || box.right > edge.right + 0.5))
    .map(([box, text]) => text);
}"""

LUMINANCE = """() => {
  const parts = getComputedStyle(document.querySelector(".roi-figure")).backgroundColor;
  return parts.match(/[0-9.]+/g).slice(0, 3).map(Number).reduce((a, b) => a + b) / 3;
}"""

by_name = pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.__name__)


@by_name
def test_phone_width_holds_the_figure_and_its_text_is_legible(figure, open_figure):
    page = open_figure(figure(**WIDE.get(figure, {})), **PHONE).page
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate(OUTSIDE) == []
    small = [text for size, text in page.evaluate(TEXT_SIZES) if size < 11]
    assert small == []


@by_name
def test_figure_follows_the_width_of_its_place(figure, open_figure):
    page = open_figure(figure())
    assert page.width_of() <= 740
    page.page.set_viewport_size({"width": 400, "height": 900})
    page.page.wait_for_function(
        "() => document.querySelector('.roi-figure svg').viewBox.baseVal.width < 380"
    )
    assert page.page.evaluate("document.documentElement.scrollWidth") == 400


THEMES = {
    "book, dark": ({"html": 'data-theme="dark"'}, "light", True),
    "book, light": ({"html": 'data-theme="light"'}, "dark", False),
    "Jupyter, dark": ({"body": 'data-jp-theme-light="false"'}, "light", True),
    "Jupyter, light": ({"body": 'data-jp-theme-light="true"'}, "dark", False),
    "system, dark": ({}, "dark", True),
    "system, light": ({}, "light", False),
}


@pytest.mark.parametrize("theme", THEMES)
def test_theme_is_the_page_s_then_the_system_s(theme, open_figure):
    page_says, system, dark = THEMES[theme]
    page = open_figure(explore.PoolAndAlign(), color_scheme=system, **page_says).page
    assert (page.evaluate(LUMINANCE) < 80) is dark
    stroke = "node => getComputedStyle(node).stroke"
    box = page.locator(".roi-true-box").first.evaluate(stroke)
    assert box == ("rgb(255, 255, 255)" if dark else "rgb(0, 0, 0)")


def test_colours_of_the_light_theme_are_the_palette_s(open_figure):
    page = open_figure(explore.SlidingBox(), html='data-theme="light"').page
    for thing in ("pool", "align", "exact"):
        red, green, blue = bytes.fromhex(palette.COLOURS[thing][1:])
        line = page.locator(f".roi-line-{thing}").evaluate("node => getComputedStyle(node).stroke")
        assert line == f"rgb({red}, {green}, {blue})"


@by_name
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_accessibility_finding(figure, scheme, open_figure):
    page = open_figure(figure(), color_scheme=scheme).page
    found = Axe().run(page).response["violations"]
    ours = [rule for rule in found if rule["id"] not in {"region", "page-has-heading-one"}]
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in ours] == []


@by_name
def test_nothing_moves_for_readers_who_asked_for_less_motion(figure, open_figure):
    page = open_figure(figure(), reduced_motion="reduce").page
    moving = """nodes => nodes.filter((node) => {
      const style = getComputedStyle(node);
      return style.animationName !== "none" || parseFloat(style.transitionDuration) > 0;
    }).length"""
    assert page.locator(".roi-figure, .roi-figure *").evaluate_all(moving) == 0


@by_name
def test_figure_asks_no_other_host_and_no_file(figure, open_figure):
    page = open_figure(figure(), over="file")
    asked = []
    page.page.on("request", lambda request: asked.append(request.url))
    page.page.reload()
    page.page.evaluate("ready")
    assert page.page.locator(".roi-figure").count() == 1
    outside = [url for url in asked if not url.startswith(("file:", "blob:", "data:"))]
    assert outside == []
    assert sum(url.startswith("file:") for url in asked) == 1
