"""Every page as a reader meets it, in Chromium, with no network but the local server."""

import itertools
import re

import pytest
from axe_playwright_python.sync_playwright import Axe

TWO_FRAMES = "() => new Promise(d => requestAnimationFrame(() => requestAnimationFrame(d)))"
PHONE = {"width": 360, "height": 740}
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
THEME = "() => document.documentElement.dataset.theme"


def test_page_asks_no_third_party_and_misses_no_file(any_name, seen):
    one = seen(any_name)
    assert one.refused == []
    assert one.missing == []


def test_console_is_clean(any_name, seen):
    assert seen(any_name).errors == []


def test_mathematics_is_set(name, seen):
    page = seen(name).page
    formulas = page.locator(".bd-article .math").count()
    assert page.locator(".bd-article mjx-container").count() == formulas
    assert page.locator("mjx-merror").count() == 0


def test_mathematics_uses_the_fonts_that_the_site_carries(seen):
    page = seen("book/coordinates.html").page
    assert page.locator("mjx-container").count() > 10
    loaded = page.evaluate(
        "() => [...document.fonts].filter(f => f.status == 'loaded').map(f => f.family)"
    )
    assert any("MJX" in family for family in loaded), loaded


def serious_findings(page, **rules):
    """Axe's findings in our own content; MathJax brings its own accessible form of each formula."""
    parts = {"include": ["article.bd-article"], "exclude": ["mjx-container > mjx-math"]}
    found = Axe().run(page, context=parts, options=rules | {"resultTypes": ["violations"]})
    return [
        (one["id"], [node["html"][:160] for node in one["nodes"][:3]])
        for one in found.response["violations"]
        if one["impact"] in {"serious", "critical"}
    ]


def brightness(page, expression):
    colour = page.evaluate(expression)
    red, green, blue = (int(part) for part in re.findall(r"\d+", colour)[:3])
    return (red + green + blue) / 3


def test_both_themes_are_accessible_and_what_they_say(name, seen):
    page = seen(name).page
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_function(f"() => document.documentElement.dataset.theme == '{theme}'")
        paper = brightness(page, "() => getComputedStyle(document.body).backgroundColor")
        ink = brightness(page, "() => getComputedStyle(document.querySelector('h1')).color")
        assert (paper < 50 and ink > 200) if theme == "dark" else (paper > 240 and ink < 80)
        rules = {"runOnly": ["color-contrast"]} if theme == "dark" else {}
        assert serious_findings(page, **rules) == []


def test_nothing_sticks_out_sideways(name, seen):
    page = seen(name).page
    desk = page.viewport_size
    assert page.evaluate(OVERFLOW) <= 0
    page.set_viewport_size(PHONE)
    page.evaluate(TWO_FRAMES)  # live figures redraw to the new width
    overflow = page.evaluate(OVERFLOW)
    page.set_viewport_size(desk)
    assert overflow <= 0


def test_one_title_and_no_level_left_out(name, seen):
    levels = seen(name).page.evaluate(
        "() => [...document.querySelectorAll('article.bd-article :is(h1,h2,h3,h4,h5,h6)')]"
        ".map(h => Number(h.tagName[1]))"
    )
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_theme_button_changes_the_theme(visit):
    page = visit("book/index.html", color_scheme="light").page
    assert page.evaluate(THEME) == "light"
    themes = set()
    for _ in range(3):  # as the system says, light, dark
        page.locator(".theme-switch-button:visible").first.click()
        themes.add(page.evaluate(THEME))
    assert themes == {"light", "dark"}


@pytest.mark.parametrize("word", ["RoIAlign", "half pixel", "双线性插值"])
def test_search_finds(word, visit):
    page = visit(f"search.html?q={word}").page
    page.wait_for_selector("#search-results li a")
    links = page.locator("#search-results li a")
    targets = [links.nth(i).get_attribute("href") for i in range(links.count())]
    assert any("book/" in target or "notebooks/" in target for target in targets)


def test_search_from_the_keyboard(visit):
    page = visit("book/coordinates.html").page
    page.keyboard.press("Control+k")
    page.keyboard.type("RoIAlign")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=RoIAlign*")
    page.wait_for_selector("#search-results li a")
    assert "RoIAlign" in page.locator("#search-results").inner_text()


def test_side_bar_opens_on_a_phone(visit):
    page = visit("book/coordinates.html", viewport=PHONE).page
    page.locator(".primary-toggle:visible").first.click()
    side_bar = "#pst-primary-sidebar a:visible, dialog a:visible"
    page.locator(side_bar, has_text="Glossary").first.click()
    page.wait_for_url("**/book/glossary.html")
    assert page.locator("article h1").inner_text().startswith("Glossary")


def test_root_leads_to_the_landing_page(visit):
    page = visit("index.html").page
    page.wait_for_url("**/book/index.html")
    assert "Regions of interest" in page.locator("article h1").inner_text()


def test_first_screen_says_what_roialign_fixes_and_shows_it(seen):
    page = seen("book/index.html").page
    figure_top = page.locator(".roi-figure").first.bounding_box()["y"]
    paragraphs = page.locator("article p").all()
    opening = [p.inner_text() for p in paragraphs if bounding_box(p)["y"] < figure_top]
    assert "RoIPool moves its edges to whole cells" in opening[-1]
    assert "RoIAlign leaves them where they are" in opening[-1]
    assert figure_top < 400


def test_wide_tables_scroll_in_their_frame(visit):
    page = visit("book/coordinates.html", viewport=PHONE).page
    frames = page.locator(".pst-scrollable-table-container")
    right_edges = [box["x"] + box["width"] for box in map(bounding_box, frames.all())]
    assert len(right_edges) >= 3
    assert max(right_edges) <= PHONE["width"]


def bounding_box(locator):
    return locator.bounding_box()


def test_printing_shows_stills_and_no_controls(visit):
    page = visit("book/index.html").page
    page.emulate_media(media="print")
    assert page.locator(".live-figure > img").first.is_visible()
    assert not page.locator(".live-figure-mount").first.is_visible()


def test_without_scripts_the_still_stands_there(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address + "book/index.html")
    still = page.locator(".live-figure > img").first
    assert still.is_visible()
    assert len(still.get_attribute("alt").split()) > 10
    context.close()
