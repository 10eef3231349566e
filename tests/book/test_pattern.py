"""Nothing to scroll sideways on a desk; on a phone, the tables and the map of every chapter fit."""

import pytest
from pattern import IN_PATTERN

DESK = {"width": 1280, "height": 900}
TOO_WIDE = """() => {
    for (const fold of document.querySelectorAll(".bd-article details")) fold.open = true;
    const frames = ".bd-article :is(pre, .pst-scrollable-table-container)";
    return [...document.querySelectorAll(frames)]
        .filter((frame) => frame.scrollWidth > frame.clientWidth)
        .map((frame) => `${frame.scrollWidth} in ${frame.clientWidth}: ${frame.innerText}`);
}"""


def test_no_listing_and_no_table_scrolls_sideways_on_a_desk(name, visit):
    page = visit(name, viewport=DESK).page
    assert page.evaluate(TOO_WIDE) == []


@pytest.mark.parametrize("chapter", IN_PATTERN)
def test_on_a_phone_tables_fit_and_the_map_is_legible(chapter, visit):
    page = visit(f"{chapter}.html", viewport={"width": 360, "height": 740}).page
    assert not [wide for wide in page.evaluate(TOO_WIDE) if "\t" in wide]
    letters = page.locator("svg.detector-map text").first
    assert letters.evaluate("(t) => t.getBoundingClientRect().height") >= 11  # pixels
