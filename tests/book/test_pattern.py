"""Nothing to scroll sideways on a desk; on a phone tables fit, and so does every chapter's map."""

import pytest
from pattern import IN_PATTERN

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
STACKED = """() => document.readyState == "complete" && [...document.querySelectorAll(
    ".bd-article .pst-scrollable-table-container")].every((f) => f.scrollWidth <= f.clientWidth)"""
FORMULAS = """() => {
    for (const fold of document.querySelectorAll(".bd-article details")) fold.open = true;
    return [...document.querySelectorAll(".bd-article div.math")]
        .filter((frame) => frame.scrollWidth > frame.clientWidth)
        .map((frame) => `${frame.scrollWidth} in ${frame.clientWidth}: ${frame.textContent}`);
}"""
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


def test_no_table_scrolls_sideways_on_a_phone(name, visit):
    page = visit(name, viewport=PHONE).page
    page.wait_for_function(STACKED)
    assert not [wide for wide in page.evaluate(TOO_WIDE) if "\t" in wide]


def test_no_formula_scrolls_sideways_on_a_phone(name, visit):
    page = visit(name, viewport=PHONE).page
    assert page.evaluate(FORMULAS) == []


def test_a_stacked_table_names_the_column_of_each_value_and_stays_a_table(visit):
    page = visit("book/coordinates.html", viewport=PHONE).page
    page.wait_for_function(STACKED)
    table = page.locator("table.stacked").first
    names = table.locator("thead th").all_inner_texts()
    row = table.locator("tbody tr").first.locator("td").all()
    assert [cell.get_attribute("data-column") for cell in row] == names
    shown = [cell.evaluate("(c) => getComputedStyle(c, '::before').content") for cell in row]
    assert shown == [f'"{name}"' for name in names]
    assert page.get_by_role("columnheader", name=names[0]).count() >= 1


@pytest.mark.parametrize("chapter", IN_PATTERN)
def test_on_a_phone_the_map_is_legible(chapter, visit):
    page = visit(f"{chapter}.html", viewport=PHONE).page
    letters = page.locator("svg.detector-map text").first
    assert letters.evaluate("(t) => t.getBoundingClientRect().height") >= 11  # pixels
